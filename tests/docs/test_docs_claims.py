"""What the pages say about this platform: recipes, units, files and defaults."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance, file_store
from flex_integration_sdk.cli._app import run
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from tests.docs.test_docs import ROOT, blocks

HOW_TO = ROOT / "docs" / "how-to"
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")


def defined(page: Path, *names: str) -> dict[str, Any]:
    """The functions of a page's programs, without running what is beside them."""
    scope: dict[str, Any] = {}
    for block in blocks(page, "python"):
        if any(f"def {name}(" in block for name in names):
            kept = re.split(r"\n\n\n(?![ d@c])", block)[0]
            exec(compile(kept, page.name, "exec"), scope)
    return scope


# Paging, and events.


def test_the_paging_page_goes_on_where_it_ended(
    flex_sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("base_url", "client_id", "client_secret"):
        monkeypatch.setenv(f"FLEX_INTEGRATION_{name.upper()}", getattr(flex_sandbox, name))
    program = blocks(HOW_TO / "paging.md", "python")[-1]
    printed = []
    for _ in range(2):
        exec(program, {"sdk": create_instance(token_store="file")})
        printed.append(capsys.readouterr().out.split())
    assert [len(each) for each in printed] == [20, 0]


@pytest.mark.parametrize("many", [3, pytest.param(101, marks=pytest.mark.slow)])
def test_the_events_recipe_misses_none_and_goes_on_after_a_restart(
    flex_sandbox: RunningSandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    many: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    client = (flex_sandbox.client_id, flex_sandbox.client_secret)
    with create_instance(*client, base_url=flex_sandbox.base_url) as sdk:
        author = sdk.users.query(per_page=1).data[0].id

        def create(count: int) -> None:
            for _ in range(count):
                sdk.listings.create(title="x", author_id=author, state="published")

        def told(count: int) -> int:
            # A new scope is a restart of the program.
            work = defined(HOW_TO / "follow-events.md", "work")["work"]
            with sdk.events.follow(
                cursor="c",
                event_types=["listing"],
                since=datetime.now(UTC) - timedelta(seconds=5),
                full_page_pause=0.01,
            ) as events:
                work(islice(events, count))
            return capsys.readouterr().out.count("new listing")

        create(2)
        assert told(2) == 2
        create(many)  # 101 are more than a page
        assert told(many) == many
        create(1)
        assert told(1) == 1


# The nightly job.


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    texts = blocks(HOW_TO / "nightly-job.md", "ini")
    assert len(texts) == 2
    units = []
    for text in texts:
        name = text.partition("\n")[0].rpartition("/")[2]
        units.append(tmp_path / name)
        program = re.search(r"^ExecStart=(\S+)", text, re.MULTILINE)
        units[-1].write_text(text.replace(program[1], "/bin/sh") if program else text)
    done = subprocess.run(
        [analyze, "verify", *map(str, units)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="cron and its shell are of Unix")
def test_the_nightly_program_runs_in_crons_environment(tmp_path: Path) -> None:
    page = HOW_TO / "nightly-job.md"
    (program,) = blocks(page, "python")
    (tmp_path / "nightly.py").write_text(program)
    crontab = next(text for text in blocks(page, "text") if "crontab" in text)
    command = crontab.splitlines()[-1].split(None, 5)[5]
    command = command.replace("/home/job/.venv/bin/python", sys.executable)
    command = command.replace("flock -n /home/job/nightly.lock", "")  # not on each system
    command = command.replace("/home/job", str(tmp_path))
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    with serve(SandboxSettings(client_id="your-client-id")) as sandbox:
        client = ("--client-id", "your-client-id", "--client-secret-stdin")
        init = ("-m", "flex_integration_sdk.cli", "init", *client, "--base-url", sandbox.base_url)
        subprocess.run(
            [sys.executable, *init],
            env=environment,
            input=sandbox.client_secret,
            text=True,
            check=True,
            timeout=60,
        )
        for _ in range(2):
            sandbox.expire()
            subprocess.run(["/bin/sh", "-c", command], env=environment, check=True, timeout=60)
        stats = sandbox.stats()
    assert (stats["client_credentials"], stats["refresh_token"]) == (1, 2)
    log = (tmp_path / "nightly.log").read_text()
    assert log.count("250 listings") == 2
    assert log.count("token refreshed") == 2
    assert sandbox.client_secret not in log
    assert (tmp_path / ".config" / "flex-integration-sdk" / "file-store-token.json").exists()


def test_an_empty_store_is_shown_with_exit_code_0(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "your-client-id")
    monkeypatch.setenv("COLUMNS", "200")  # a test's folder may be too long for a line of 80
    assert run(["token", "show"]) == 0
    shown = capsys.readouterr().out
    assert re.search("^saved +no$", shown, re.MULTILINE)
    example = next(
        text for text in blocks(HOW_TO / "nightly-job.md", "text") if "saved        yes" in text
    )
    names = [line[:11].strip() for line in shown.splitlines()]
    assert [line[:11].strip() for line in example.splitlines()][: len(names)] == names


# Files, modes and defaults.


def test_the_files_are_where_the_pages_say(
    flex_sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    client = (flex_sandbox.client_id, flex_sandbox.client_secret)
    for profile in ("default", "second"):
        with create_instance(
            *client, token_store="file", base_url=flex_sandbox.base_url, profile=profile
        ) as sdk:
            sdk.marketplace.show()
    folder = tmp_path / ".config" / "flex-integration-sdk"
    named = {path.name for path in folder.glob("*.json")}
    (second,) = named - {"file-store-token.json"}
    assert re.fullmatch(r"file-store-token\..+\.json", second)
    if os.name != "nt":
        assert {stat.S_IMODE((folder / name).stat().st_mode) for name in named} == {0o600}

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", "c")
    with create_instance(token_store="file") as sdk:
        assert sdk.token_store.place.startswith(str(tmp_path / "elsewhere"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")  # is ignored
    with create_instance(token_store="file") as sdk:
        assert sdk.token_store.place.startswith(str(tmp_path / ".config"))


def test_memory_is_of_one_instance(flex_sandbox: RunningSandbox) -> None:
    client = (flex_sandbox.client_id, flex_sandbox.client_secret)
    for _ in range(2):
        with create_instance(*client, base_url=flex_sandbox.base_url) as sdk:
            assert sdk.token_store.name == "memory"
            sdk.marketplace.show()
            sdk.users.query(per_page=1)
    assert flex_sandbox.stats()["client_credentials"] == 2


@pytest.mark.parametrize("make", [create_instance, create_async_instance])
def test_the_arguments_and_their_defaults_are_those_of_the_reference(make: Any) -> None:
    found = inspect.signature(make).parameters
    printed = re.search(r"`create_instance\((.*?)\)`", REFERENCE, re.DOTALL)
    assert printed is not None
    assert re.findall(r"\w+", printed[1]) == list(found)
    table = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+\|$", REFERENCE, re.MULTILINE))
    for name, shown in table.items():
        if name in found and re.fullmatch(r'[\d.]+|`"\w+"`', shown):
            assert str(found[name].default).removesuffix(".0") == shown.strip('`"'), name


def test_an_option_of_the_store_in_a_page_is_an_option() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in HOW_TO.glob("*.md"))
    for name, value in re.findall(r"file_store\((\w+)=([^)]*)\)", text):
        assert re.search(rf"^\| `{name}` \|", REFERENCE, re.MULTILINE), name
        if value.startswith('"'):
            assert f"`{value.strip(chr(34))}`" in REFERENCE
    assert file_store(permissions="warn")["permissions"] == "warn"
