"""Each thing that users get wrong: a typed error that says what to do, with no secret in it.

As a library, sync and async, and as a command: one or two lines, exit code 1 or 2.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.cli._words import in_cli_words
from flex_integration_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    FlexError,
    TransportError,
)
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_tokenstore import (
    StoreLoadError,
    StoreOptionsError,
    TokenCorruptError,
    TokenIdentityError,
    TokenPermissionError,
    TokenStoreError,
    UnknownStoreError,
)

SENTINEL = "SENTINEL"
SECRET = f"client-secret-{SENTINEL}"
NOBODY = 65534
ENV = "FLEX_INTEGRATION_"
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="changes owners and users"
)


@dataclass
class Case:
    """One mistake: the arguments or variables that differ from good ones, and what comes of it."""

    error: type[Exception]
    says: list[str]
    code: int
    options: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str | None] = field(default_factory=dict)
    """None: unset."""
    fault: dict[str, Any] | None = None
    content: str | None = None
    """Of the token file beforehand."""
    needs_call: bool = True
    """False: it is told when the instance is made."""


def store(**options: Any) -> dict[str, Any]:
    return {"token_store": {"name": "file", **options}}


CASES: dict[str, Case] = {
    "unknown store name": Case(
        UnknownStoreError,
        ["'fle'", "did you mean 'file'", "memory"],
        2,
        {"token_store": "fle"},
        {"TOKEN_STORE": "fle", "TOKEN_STORE__PATH": None},
        needs_call=False,
    ),
    "wrong option": Case(
        StoreOptionsError,
        ["no option 'pth'", "did you mean 'path'"],
        2,
        store(pth=SENTINEL),
        {"TOKEN_STORE__PTH": SENTINEL},
        needs_call=False,
    ),
    "wrong type of an option": Case(
        StoreOptionsError,
        ["'share_with_js'", "true or false; got 'perhaps'"],
        2,
        store(share_with_js="perhaps"),
        {"TOKEN_STORE__SHARE_WITH_JS": "perhaps"},
        needs_call=False,
    ),
    "an address as the name of a store": Case(
        StoreOptionsError,
        ["the store's name"],
        2,
        {"token_store": f"redis://:{SENTINEL}@host"},
        {"TOKEN_STORE": f"redis://:{SENTINEL}@host", "TOKEN_STORE__PATH": None},
        needs_call=False,
    ),
    "missing client id": Case(
        ConfigurationError,
        ["client_id", "FLEX_INTEGRATION_CLIENT_ID", "Console"],
        2,
        {"client_id": None},
        {"CLIENT_ID": None},
        needs_call=False,
    ),
    "missing secret when needed": Case(
        AuthenticationError,
        ["no client secret", "FLEX_INTEGRATION_CLIENT_SECRET"],
        1,
        {"client_secret": None},
        {"CLIENT_SECRET": None},
    ),
    "base URL without scheme": Case(
        ConfigurationError,
        ["base_url", "https://"],
        2,
        {"base_url": "api.example.com"},
        {"BASE_URL": "api.example.com"},
        needs_call=False,
    ),
    "plain http to another host": Case(
        ConfigurationError,
        ["plain http", "https"],
        2,
        {"base_url": "http://example.com"},
        {"BASE_URL": "http://example.com"},
        needs_call=False,
    ),
    "base URL with a password": Case(
        ConfigurationError,
        ["user name or password"],
        2,
        {"base_url": f"https://me:{SENTINEL}@example.com"},
        {"BASE_URL": f"https://me:{SENTINEL}@example.com"},
        needs_call=False,
    ),
    "corrupt token file of a newer version": Case(
        TokenCorruptError,
        ["newer version", "upgrade"],
        1,
        content=f'{{"access_token": "{SENTINEL}", "flex_tokenstore": {{"format": 99}}}}',
    ),
    "another client's token file": Case(
        TokenIdentityError,
        ["neither used nor overwritten"],
        1,
        content=f'{{"access_token": "{SENTINEL}", "flex_tokenstore": {{"identity": "other"}}}}',
    ),
    "server down": Case(
        TransportError,
        ["no response from 127.0.0.1:9", "base_url"],
        1,
        {"base_url": "http://127.0.0.1:9"},
        {"BASE_URL": "http://127.0.0.1:9"},
    ),
    "server answering HTML to the token request": Case(
        TransportError,
        ["something that is not a token", "base_url"],
        1,
        fault={"kind": "html", "target": "token"},
    ),
    "server answering HTML to the call": Case(
        TransportError,
        ["not a response of the API", "base_url"],
        1,
        fault={"kind": "html", "target": "api"},
    ),
    "wrong secret": Case(
        AuthenticationError,
        ["HTTP 401", "check client_id and client_secret"],
        1,
        {"client_secret": f"wrong-{SENTINEL}"},
        {"CLIENT_SECRET": f"wrong-{SENTINEL}"},
    ),
    "token type other than bearer": Case(
        AuthenticationError,
        ["Unknown token type: mac", "Nothing was saved"],
        1,
        fault={"kind": "token_type", "target": "token"},
    ),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serve(SandboxSettings(client_secret=SECRET)) as running:
        yield running


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest, sandbox: RunningSandbox, token_file: Path) -> Case:
    sandbox.reset()
    chosen = CASES[request.param]
    if chosen.fault is not None:
        sandbox.fault(**chosen.fault, count=9)
    if chosen.content is not None:
        token_file.write_text(chosen.content)
        token_file.chmod(0o600)
    return chosen


@pytest.mark.each_value
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_as_a_library(kind: str, case: Case, sandbox: RunningSandbox, token_file: Path) -> None:
    options = {
        "client_id": sandbox.client_id,
        "client_secret": SECRET,
        "base_url": sandbox.base_url,
        **store(path=str(token_file)),
        **case.options,
    }
    made = False

    async def main() -> None:
        nonlocal made
        async with create_async_instance(**options) as sdk:
            made = True
            await sdk.marketplace.show()

    def plain() -> None:
        nonlocal made
        with create_instance(**options) as sdk:
            made = True
            sdk.marketplace.show()

    with pytest.raises(case.error) as caught:
        plain() if kind == "sync" else asyncio.run(main())
    assert made is case.needs_call
    _says(str(caught.value), case)
    assert (token_file.read_text() if token_file.exists() else None) == (
        None if case.content is None else case.content
    ) or case.fault == {"kind": "html", "target": "api"}


@pytest.mark.sample(5)
def test_as_a_command(case: Case, sandbox: RunningSandbox, token_file: Path) -> None:
    variables = {
        "CLIENT_ID": sandbox.client_id,
        "CLIENT_SECRET": SECRET,
        "BASE_URL": sandbox.base_url,
        "TOKEN_STORE": "file",
        "TOKEN_STORE__PATH": str(token_file),
        **case.variables,
    }
    environment = {
        **os.environ,
        "HOME": str(token_file.parent),
        **{f"{ENV}{name}": value for name, value in variables.items() if value is not None},
    }
    command = [sys.executable, "-m", "flex_integration_sdk.cli", "call", "marketplace.show"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == case.code
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) in (1, 2)
    _says(done.stderr, case)


def _says(text: str, case: Case) -> None:
    assert SENTINEL not in text
    # The command line names its own options, and a variable is named where the value is from one.
    missing = [part for part in case.says if part not in text and in_cli_words(part) not in text]
    assert not [part for part in missing if f"FLEX_INTEGRATION_{part.upper()}" not in text], text


def test_the_cases_would_succeed_without_their_mistake(
    sandbox: RunningSandbox, token_file: Path
) -> None:
    sandbox.reset()
    with create_instance(
        sandbox.client_id, SECRET, base_url=sandbox.base_url, **store(path=str(token_file))
    ) as sdk:
        sdk.marketplace.show()
    assert SENTINEL not in token_file.name


@pytest.mark.parametrize("content", ["{", "", f'{{"access_token": ["{SENTINEL}"]}}', SENTINEL])
def test_a_corrupt_token_file_is_told_and_moved_aside(
    content: str,
    sandbox: RunningSandbox,
    token_file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.reset()
    token_file.write_text(content)
    token_file.chmod(0o600)
    with create_instance(
        sandbox.client_id, SECRET, base_url=sandbox.base_url, **store(path=str(token_file))
    ) as sdk:
        with pytest.raises(TokenCorruptError, match="token remove") as caught:
            sdk.session.peek()
        assert str(token_file) in str(caught.value)
        sdk.marketplace.show()
    assert sandbox.stats()["client_credentials"] == 1
    (aside,) = token_file.parent.glob("token.json.corrupt-*")
    assert aside.read_text() == content
    assert "moved aside" in caplog.text
    assert SENTINEL not in caplog.text + str(caught.value)


class Whole:
    def get_token(self) -> None: ...
    def set_token(self, token: dict[str, Any]) -> None: ...
    def remove_token(self) -> None: ...


class Lacking:
    def get_token(self) -> None: ...
    def set_token(self, token: dict[str, Any]) -> None: ...


class Misnamed(Whole):
    def set_token(self, value: dict[str, Any]) -> None: ...


class KeywordOnly(Whole):
    def set_token(self, token: dict[str, Any], *, expected: str | None) -> None: ...  # type: ignore[override]  # the mistake


@pytest.mark.parametrize(
    ("thing", "error", "says"),
    [
        (Lacking(), StoreLoadError, "it has no remove_token; a store needs the methods"),
        (object(), StoreLoadError, "it has no get_token"),
        (MagicMock(), StoreLoadError, "it has no get_token"),
        (
            Misnamed(),
            StoreLoadError,
            "set_token takes 'value', which is not passed; it can",
        ),
        (KeywordOnly(), StoreLoadError, "keyword only"),
        (Whole, StoreOptionsError, "the class Whole; pass an object made from it"),
        (["file"], StoreOptionsError, "got list"),
        (Path("token.json"), StoreOptionsError, "file_store(path=…)"),
        ("", StoreOptionsError, "empty"),
    ],
)
@pytest.mark.parametrize("create", [create_instance, create_async_instance])
def test_what_is_no_store(
    thing: Any, error: type[Exception], says: str, create: Callable[..., Any]
) -> None:
    with pytest.raises(error) as caught:
        create("id", "secret", token_store=thing)
    assert says in str(caught.value)


AS_ANOTHER_USER = """
import json, os, sys
from flex_integration_sdk.cli import _app
import rich.console, rich.table, rich.text, encodings.idna  # all that is imported late
path, first, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
os.environ["FLEX_INTEGRATION_TOKEN_STORE__PATH"] = first
_app.run(["token", "show"])
_app.run(["call", "marketplace.show"])
print("=====", flush=True)
print("=====", file=sys.stderr, flush=True)
os.environ["FLEX_INTEGRATION_TOKEN_STORE__PATH"] = path
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(_app.run(arguments))
"""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user of this machine can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.each_value
@needs_root
@pytest.mark.parametrize("arguments", [["call", "marketplace.show"], ["token", "show"]])
@pytest.mark.parametrize("what", ["unreadable folder", "foreign-owned file", "unwritable folder"])
def test_what_this_user_may_not_touch(
    what: str, arguments: list[str], sandbox: RunningSandbox, public: Path
) -> None:
    sandbox.reset()
    folder = public / "tokens"
    folder.mkdir(mode=0o755)
    path = folder / "token.json"
    if what == "foreign-owned file":
        os.chown(folder, NOBODY, NOBODY)
        path.write_text(f'{{"access_token": "{SENTINEL}"}}')
        path.chmod(0o644)
    elif what == "unreadable folder":
        folder.chmod(0o700)
    environment = {
        **os.environ,
        f"{ENV}CLIENT_ID": sandbox.client_id,
        f"{ENV}CLIENT_SECRET": SECRET,
        f"{ENV}BASE_URL": sandbox.base_url,
        f"{ENV}TOKEN_STORE": "file",
    }
    program = [sys.executable, "-c", AS_ANOTHER_USER, str(path), str(public / "mine/first.json")]
    done = subprocess.run(
        [*program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    shown, said = (text.split("=====\n", 1)[1] for text in (done.stdout, done.stderr))
    # Its home folder is root's, and so it may not even look for a config file there.
    note, _, said = said.rpartition("cannot be looked at: Permission denied. It is not used\n")
    assert note.endswith("config.toml ")
    if what == "unwritable folder" and arguments[0] == "token":
        assert (done.returncode, said) == (0, "")  # there is nothing to read, and that is allowed
        return
    assert done.returncode == 1, said
    assert shown == ""
    assert len(said.splitlines()) in (1, 2)
    assert str(folder) in said
    assert SENTINEL not in said
    assert sandbox.stats()["client_credentials"] == 1  # the first call's, as the other user
    assert "owner" in said or "mode" in said or "uid" in said or "Permission" in said


@needs_root
def test_a_foreign_owned_file_as_a_library(sandbox: RunningSandbox, token_file: Path) -> None:
    token_file.write_text(f'{{"access_token": "{SENTINEL}"}}')
    os.chown(token_file, NOBODY, NOBODY)
    with (
        create_instance("id", SECRET, **store(path=str(token_file))) as sdk,
        pytest.raises(TokenPermissionError, match="uid 65534") as caught,
    ):
        sdk.marketplace.show()
    assert SENTINEL not in str(caught.value)
    assert isinstance(caught.value, PermissionError)


def test_every_error_of_both_trees_is_a_fitting_built_in_one() -> None:
    found: list[type[Exception]] = [FlexError, TokenStoreError]
    for tree in found:
        found += tree.__subclasses__()
    for each in {*found} - {FlexError, TokenStoreError}:
        fitting = [b for b in each.__mro__ if b.__module__ == "builtins"]
        assert fitting[0] is not Exception, each


def test_errors_survive_the_trip_through_json() -> None:
    error = StoreOptionsError("m", option="o", store="s", place="p")
    assert json.loads(json.dumps(vars(error))) == {
        "message": "m",
        "store": "s",
        "place": "p",
        "option": "o",
    }


def test_an_async_instance_is_not_awaited() -> None:
    sdk = create_async_instance("id", "secret")
    assert not isinstance(sdk, Awaitable)
    asyncio.run(sdk.aclose())
