"""``examples/README.md``: it has all examples, and they run as it says."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| \[`(\S+)`\]\((\S+)\) \| `python (.+?)` \| (.+) \|$", README, re.M)
GIF = bytes.fromhex("474946383961010001008000000000000000002c00000000010001000002024401003b")
MOST = 60  # lines, so that an example is read at once


def environment(sandbox: RunningSandbox, folder: Path) -> dict[str, str]:
    """What the page exports, with the address and the client of this sandbox."""
    values = {
        "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
        "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
        "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
    }
    exported = dict(re.findall(r"^export (\w+)=(.+)$", README, re.M))
    assert values.keys() <= exported.keys()
    home = {"XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    others = {name: value for name, value in os.environ.items() if "FLEX_" not in name}
    return {**others, **exported, **values, **home}


def test_the_page_has_each_example() -> None:
    examples = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
    assert sorted(name for name, *_ in ROWS) == examples
    for name, link, command, _ in ROWS:
        text = (ROOT / "examples" / link).read_text(encoding="utf-8")
        assert command.startswith(f"examples/{name}")
        assert f"python examples/{name}" in text
        assert len(text.splitlines()) <= MOST, name
        used = [path for path in Path(__file__).parent.glob("*.py") if name in path.read_text()]
        assert used, f"no test runs {name}"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("command", [command for _, _, command, _ in ROWS])
def test_it_runs_as_the_page_says(command: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "bike.jpg").write_bytes(GIF)
    words = shlex.split(command)
    is_worker = "event_worker" in command
    if is_worker:
        words += ["--since", "2026-01-01"]  # as the page advises
    settings = SandboxSettings(seed="rich" if is_worker else "small")
    with (
        serve(settings) as sandbox,
        subprocess.Popen(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment(sandbox, tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        first = process.stdout.readline() if is_worker else ""
        if is_worker:
            process.send_signal(signal.SIGTERM)
        rest, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    made = tmp_path / "listings.jsonl"
    shown = first + rest + said + (made.read_text(encoding="utf-8") if made.exists() else "")
    assert shown.strip(), "it shows nothing, and makes nothing"
