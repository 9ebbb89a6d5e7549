"""The pages: their programs run, their commands exist, and nothing public lacks its mention."""

from __future__ import annotations

import doctest
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

import flex_integration_sdk
import flex_integration_sdk.errors
import flex_tokenstore
import flex_tokenstore.errors
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.cli._app import flex_sdk
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_tokenstore import auth, embedding, hookspecs, list_stores, records
from tests.support.oauth_server import CLIENT, PASSWORD, OAuthServer, oauth_server

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
ALL = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def programs(page: Path) -> list[str]:
    """Its Python blocks but for the files of a package, which another test writes and runs."""
    return [block for block in blocks(page, "python") if not re.match(r"# \S+\.py\n", block)]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    settings = SandboxSettings(client_id="your-client-id", client_secret="your-client-secret")
    with serve(settings) as running:
        monkeypatch.setenv("FLEX_INTEGRATION_BASE_URL", running.base_url)
        monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_ID", running.client_id)
        monkeypatch.setenv("FLEX_INTEGRATION_CLIENT_SECRET", running.client_secret)
        for library in ("AUTHLIB", "OAUTHLIB"):  # the sandbox speaks plain http
            monkeypatch.setenv(f"{library}_INSECURE_TRANSPORT", "1")
        yield running


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> Iterator[OAuthServer]:
    """The server of programs that do not use the SDK."""
    with oauth_server() as running:
        monkeypatch.setenv("ACME_AUTH_URL", running.url)
        monkeypatch.setenv("ACME_API_URL", f"{running.url}/api")
        monkeypatch.setenv("ACME_CLIENT_ID", CLIENT)
        monkeypatch.setenv("ACME_CLIENT_SECRET", PASSWORD)
        yield running


@pytest.mark.parametrize(
    "page", [page for page in PAGES if programs(page)], ids=lambda page: page.stem
)
def test_the_programs_of_a_page_run(page: Path, sandbox: RunningSandbox, acme: OAuthServer) -> None:
    # The worker goes on until it is stopped: `test_docs_programs.py` runs it.
    scope: dict[str, Any] = {"__name__": "page" if page.stem == "follow-events" else "__main__"}
    for number, source in enumerate(programs(page), 1):
        exec(compile(source, f"{page.name} block {number}", "exec"), scope)
    for name, value in list(scope.items()):
        if name.startswith("test_"):
            value(*[sandbox] * len(inspect.signature(value).parameters))  # its fixture, if any
        if name == "reader":
            scope["metrics"].get_meter_provider().shutdown()  # else its thread goes on


def test_most_pages_have_programs() -> None:
    assert len([page for page in PAGES if programs(page)]) >= 8
    assert len(blocks(ROOT / "README.md", "python")) >= 3


def command_lines() -> list[str]:
    shells = [block for page in PAGES for block in blocks(page, "sh")]
    consoles = [block for page in PAGES for block in blocks(page, "console")]
    lines = [line for block in shells for line in block.splitlines()]
    typed = [line for block in consoles for line in block.splitlines() if line.startswith("$ ")]
    parts = [part.strip() for line in typed for part in line[2:].split(" | ")]
    return [line for line in [*lines, *parts] if line.startswith("flex-sdk ")]


@pytest.mark.parametrize("line", command_lines())
def test_the_commands_of_the_pages_exist(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = flex_sdk
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_parser(click.Context(command)).parse_args(words)


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_each_promise_names_a_test_that_exists() -> None:
    lines = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8").splitlines()
    tables = "\n".join(lines).split("| tested by |\n")[1:]
    rows = [row for table in tables for row in table.split("\n\n")[0].splitlines()[1:]]
    places = (ROOT / "tests", *(ROOT / "plugins").glob("*/tests"))
    files = {path.name for place in places for path in place.rglob("test_*.py")}
    for row in rows:
        promise, *_, tests = row.strip("| ").split(" | ")
        assert not re.search(r"[.;] \S", promise), f"two promises in one row: {promise}"
        named = {*re.findall(r"`(test_\w+\.py)`", tests)}
        assert named <= files, row
        assert named or "the explorer" in tests or "the kit" in tests, row
    assert len(rows) > 40


def test_every_hook_is_described() -> None:
    for hook in hookspecs.HOOKS:
        assert f"`{hook}(" in REFERENCE, hook


def test_every_error_is_described() -> None:
    names = set(flex_tokenstore.errors.__all__)
    names |= {
        name
        for name, value in vars(flex_integration_sdk.errors).items()
        if isinstance(value, type) and issubclass(value, flex_integration_sdk.errors.FlexError)
    }
    assert len(names) > 20
    assert not [name for name in sorted(names) if f"| `{name}` |" not in REFERENCE]


def test_every_option_of_a_built_in_store_is_described() -> None:
    built_in = [info for info in list_stores(check=True) if info.origin == "built-in"]
    options = {option.name for info in built_in for option in info.options or ()}
    assert "share_with_js" in options
    assert not [name for name in options if f"| `{name}` |" not in REFERENCE]


def test_every_variable_is_described() -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    names = {f"FLEX_INTEGRATION_{name}" for name in re.findall(r"\{PREFIX\}([A-Z_]+)", texts)}
    names |= set(re.findall(r"\b(FLEX_(?:INTEGRATION|TOKENSTORE)_[A-Z_]*[A-Z])\b", texts))
    names |= {"XDG_CONFIG_HOME", "XDG_STATE_HOME"}
    assert len(names) >= 10
    missing = [name for name in sorted(names) if f"`{name}" not in REFERENCE]
    assert [name for name in missing if "__" not in name] == []


def test_every_command_and_its_options_are_described() -> None:
    found: list[str] = []
    stack: list[tuple[str, click.Command]] = [("flex-sdk", flex_sdk)]
    while stack:
        path, command = stack.pop()
        if isinstance(command, click.Group):
            stack += [(f"{path} {name}", each) for name, each in command.commands.items()]
            continue
        found.append(f"`{path}")
        found += [option for p in command.params for option in p.opts if option.startswith("--")]
    assert len(found) > 15
    assert not [text for text in found if text not in REFERENCE]


def test_every_public_name_is_described() -> None:
    names = {*flex_tokenstore.__all__, *flex_integration_sdk.__all__} - {"__version__"}
    assert not [name for name in sorted(names) if f"`{name}" not in ALL]
    for module in (embedding, auth, records):
        assert not [name for name in module.__all__ if f"| `{name}` |" not in REFERENCE]
    assert not [call for call in ENDPOINTS if f"`{call}`" not in ALL]


def test_every_public_name_is_exported_once() -> None:
    for package in (flex_tokenstore, flex_integration_sdk, embedding, auth, records):
        assert len(package.__all__) == len({*package.__all__})
        assert set(package.__all__) <= set(dir(package)) | {"__version__"}
        assert len({id(getattr(package, name)) for name in package.__all__}) == len(package.__all__)
    assert not {*flex_tokenstore.__all__} & {*embedding.__all__}
    both = {*flex_tokenstore.__all__} & {*flex_integration_sdk.__all__} - {"__version__"}
    assert both == {"file_store", "memory_store"}  # as in the JavaScript SDK: beside createInstance
    for name in both:
        assert getattr(flex_tokenstore, name) is getattr(flex_integration_sdk, name)


@pytest.mark.parametrize("module", [embedding, auth], ids=lambda module: module.__name__)
def test_the_example_of_a_module_runs(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted >= 3
    assert not found.failed


def test_every_error_of_the_framework_is_a_public_name() -> None:
    assert {*flex_tokenstore.errors.__all__} <= {*flex_tokenstore.__all__}
