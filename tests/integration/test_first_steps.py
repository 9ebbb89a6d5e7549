"""What a new user types first: each line that installs, and the README from its top."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from flex_integration_sdk.sandbox import SandboxSettings, serve
from tests.support.environments import ROOT, Environment
from tests.support.terminal import on_terminal

if TYPE_CHECKING:
    from tests.servers.valkey import Valkey

SKELETON = ROOT / "src" / "flex_integration_sdk" / "cli" / "_skeleton"
README = (ROOT / "README.md").read_text(encoding="utf-8")
_HIDDEN = re.compile(r"(^|/)(\.|__pycache__|node_modules)")
_LINE = re.compile(r"((?:python3? -m )?pip3? install +[^\n`]+)")
_SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "benchmarks")


class Line(NamedTuple):
    folder: str
    """Where it is typed, from the clone's root: of the package that the page belongs to."""
    text: str


def pages() -> Iterator[Path]:
    for folder, folders, files in os.walk(ROOT):
        # Before it goes into them: a virtual environment has thousands of folders.
        folders[:] = [each for each in sorted(folders) if not each.startswith(".")]
        for name in sorted(files):
            path = Path(folder, name)
            # The advice of doctor-faults.md is about plugins that its test made up.
            if path.suffix != ".md" or name == "doctor-faults.md":
                continue
            if not _HIDDEN.search(path.relative_to(ROOT).as_posix()):
                yield path


def lines() -> list[Line]:
    """Each once, also those within a sentence, as long as they are not broken."""
    found = set()
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for line in (each.strip() for each in _LINE.findall(text)):
            # Extras of the package that `flex-sdk stores new` writes from there.
            in_package = SKELETON in page.parents or bool(re.search(r"\.\[(dev,)?test\]", line))
            folder = SKELETON.relative_to(ROOT).as_posix() if in_package else "."
            found.add(Line(folder, line))
    return sorted(found)


def targets(line: Line) -> list[str]:
    words = shlex.split(line.text, comments=True)
    return [word for word in words[words.index("install") + 1 :] if not word.startswith("-")]


def test_the_lines_are_found() -> None:
    texts = [line.text for line in lines()]
    assert len(texts) >= 9
    for plugin in sorted((ROOT / "plugins").iterdir()):
        assert any(plugin.name in text for text in texts), plugin.name


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.text)
def test_a_line_installs_what_is_in_the_clone(line: Line) -> None:
    assert targets(line)
    for target in targets(line):
        match = re.fullmatch(r"(\.(?:/[\w./-]+)?)(?:\[([\w,-]+)\])?", target)
        assert match, f"{target} is not a folder of the clone: no index has it"
        project = ROOT / line.folder / match[1]
        with (project / "pyproject.toml").open("rb") as file:
            extras = tomllib.load(file)["project"].get("optional-dependencies", {})
        assert {*filter(None, (match[2] or "").split(","))} <= {*extras}
    if any("plugins" in target for target in targets(line)):
        # Else pip would look for the project in an index, where its name may be somebody else's.
        assert "." in targets(line)


def test_no_message_sends_to_an_index_for_what_is_ours() -> None:
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "plugins").rglob("src/**/*.py")]
    pattern = re.compile(r"pip install[^\n]*(?<!\./plugins/)\bflex-(integration-sdk|tokenstore)")
    assert not [path for path in sources if pattern.search(path.read_text(encoding="utf-8"))]


def test_the_readme_installs_before_it_shows_a_program() -> None:
    assert README.index("## Install") < README.index("```python")
    assert README.index("pip install '.[cli,sandbox]'") < README.index("flex-sdk ")


# For real: a new environment, and pip with its index for the libraries of others.


BUILT_IN = 4  # stores


class Clone:
    """A copy of the project with a new virtual environment in it, and a shell there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.folder.mkdir()
        for name in ("src", "plugins", "docs", "pyproject.toml", "README.md", "LICENSE", "dev.py"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.folder / name, ignore=_LEFT_OUT)
            else:
                shutil.copy(source, self.folder / name)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FLEX_", "PYTHON", "COV", "PYTEST_", "VIRTUAL_ENV"))
        }
        self.environment = {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def run(self, script: str, **environment: str) -> str:
        done = subprocess.run(
            ["sh", "-c", f"set -eu\n{script}"],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make_venv(self) -> None:
        self.run(f"{shlex.quote(sys.executable)} -m venv .venv")


STATES = """
import json
from flex_tokenstore import list_stores
print(json.dumps([info.status for info in list_stores(check=True)]))
"""


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    if shutil.which("sh") is None:
        pytest.skip("needs the program sh")
    probe = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(tmp_path)]
    if subprocess.run([*probe, "hatchling"], capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no index here")
    return Clone(tmp_path)


def check(clone: Clone, least: int) -> None:
    clone.run(". .venv/bin/activate\npython -m pip check")
    found = json.loads(clone.run(f". .venv/bin/activate\npython -c {shlex.quote(STATES)}"))
    assert set(found) == {"ok"}
    assert len(found) >= least


def is_of_the_clone(line: Line) -> bool:
    """It installs the project, perhaps with extras or a plugin."""
    return line.folder == "." and " -e " not in line.text


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "line", [line for line in lines() if not is_of_the_clone(line)], ids=lambda line: line.text
)
def test_a_line_works_in_a_new_environment(line: Line, clone: Clone) -> None:
    clone.make_venv()
    clone.run(
        ". .venv/bin/activate\npython -m pip install -q '.[cli]'\n"
        f"cd {shlex.quote(line.folder)}\n{line.text}"
    )
    check(clone, BUILT_IN + 1)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_lines_for_the_clone_work(clone: Clone) -> None:
    """One after the other, the shortest first: a new environment for each takes a minute more."""
    clone.make_venv()
    plugins = set()
    for text in sorted({line.text for line in lines() if is_of_the_clone(line)}, key=len):
        clone.run(f". .venv/bin/activate\n{text}")
        plugins |= set(re.findall(r"plugins/([\w-]+)", text))
        check(clone, BUILT_IN + len(plugins))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_readme_works_from_its_top(clone: Clone, tmp_path: Path) -> None:
    """Install, the sandbox in one terminal, the second one, and both programs."""
    shell = _SHELL.findall(README[README.index("## Install") :])
    install, server, second = shell[:3]
    programs = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)[:2]
    clone.run(install.replace("python3 -m venv", f"{shlex.quote(sys.executable)} -m venv"))
    assert "--port 8080" in server
    started = subprocess.Popen(
        ["sh", "-c", f". .venv/bin/activate\nexec {server.replace('8080', '0')}"],
        cwd=clone.folder,
        env=clone.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout is not None
        address = json.loads(started.stdout.readline())["base_url"]
        script = second.replace("http://127.0.0.1:8080", address)
        for number, program in enumerate(programs):
            (clone.folder / f"{number}.py").write_text(program)
            script += f"python -W error {number}.py\n"
        output = clone.run(script, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path / "config"))
    finally:
        started.send_signal(signal.SIGINT)
        started.wait(30)
        assert started.stdout is not None
        started.stdout.close()
    assert output.splitlines()[-1] == "20 250"
    assert len(output.splitlines()) > 20


# The README's section on the config file, from a new environment with the libraries of this one.


def blocks(kind: str) -> list[str]:
    section = README[README.index("## Configure once") : README.index("## Token stores")]
    return re.findall(rf"^```{kind}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.name == "nt", reason="types at a terminal of Unix")
def test_the_readme_configures_once_and_redis_needs_one_line(
    tmp_path: Path, valkey_server: Valkey
) -> None:
    new = Environment(tmp_path / "new")
    new.install(ROOT)
    environment = {"HOME": str(new.home), "PATH": f"{new.bin}:{os.environ['PATH']}"}
    secret = "SENTINEL-of-a-secret"
    (first, second), (file, redis) = blocks("sh"), blocks("toml")
    _, init, call = first.splitlines()

    def run(*command: str) -> str:
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    with serve(SandboxSettings(client_id="your-client-id", client_secret=secret)) as sandbox:
        init = init.replace("http://127.0.0.1:8080", sandbox.base_url)
        assert sandbox.base_url in init
        with on_terminal(shlex.split(init), environment) as terminal:
            for question, answer in (
                ("Client id", "your-client-id"),
                ("): ", secret),
                ("Token store", ""),
            ):
                terminal.until(question)
                terminal.type(f"{answer}\n")
            assert terminal.ended() == 0, terminal.written
        assert secret not in terminal.written
        assert "Sandbox" in run(*shlex.split(call))
        path = Path(run("flex-sdk", "config", "path").strip())
        written = path.read_text()
        assert keys(written) == keys(file)

        plugin = re.findall(r"\./plugins/\S+", second)
        assert plugin == ["./plugins/flex-tokenstore-redis"]
        new.install(ROOT / plugin[0])
        redis = redis.replace("redis://127.0.0.1:6379", valkey_server.url)
        path.write_text(re.sub(r"(?m)^token_store = .*\n", lambda _: redis, written))
        assert len(set(path.read_text().splitlines()) - set(written.splitlines())) == 1
        before = sandbox.stats()["client_credentials"]
        program = "from flex_integration_sdk import create_instance as c; c().marketplace.show()"
        for _ in range(2):
            assert "Sandbox" in run(*shlex.split(call))
            run(str(new.python), "-W", "ignore", "-c", program)
        assert sandbox.stats()["client_credentials"] == before + 1, "the token is in Redis"
        assert valkey_server.run("KEYS", "*{your-client-id-*}")


def keys(text: str) -> set[str]:
    return {*tomllib.loads(text)["profiles"]["default"]}
