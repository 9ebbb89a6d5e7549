"""What messages and folders call the program that embeds the framework."""

from __future__ import annotations

import asyncio
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    TokenIdentity,
    TokenStoreError,
    UnknownStoreError,
    open_async_store,
    open_store,
)
from flex_tokenstore.embedding import HostProgram

ALONE = HostProgram()
ACME = HostProgram("acme", command="acme", store_variable="ACME_STORE")
BOTH = pytest.mark.parametrize(
    ("program", "removal"),
    [(ALONE, "`remove_token()`"), (ACME, "`acme token remove`")],
    ids=["alone", "acme"],
)


def identity(program: HostProgram) -> TokenIdentity:
    return TokenIdentity("https://api.example.com", "a-client", program=program)


class Odd:
    """A store that returns what is not a token."""

    def get_token(self) -> dict[str, Any]:
        return {"access_token": 5}

    def set_token(self, token: dict[str, Any]) -> None: ...

    def remove_token(self) -> None: ...


def test_it_is_not_a_part_of_the_identity() -> None:
    assert identity(ACME) == identity(ALONE)
    assert hash(identity(ACME)) == hash(identity(ALONE))
    assert identity(ACME).key == identity(ALONE).key
    assert identity(ALONE) == TokenIdentity("https://api.example.com", "a-client")


def test_it_travels_with_the_identity() -> None:
    assert pickle.loads(pickle.dumps(identity(ACME))).program == ACME


def test_anything_else_is_refused() -> None:
    with pytest.raises(TypeError, match="program must be a HostProgram, got str"):
        TokenIdentity("https://api.example.com", "a-client", program="acme")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "folder", ["", ".", "..", "a/b", "../a", "/a", "a\\b", "C:", "a\0", 5, None]
)
def test_a_folder_is_one_name(folder: Any) -> None:
    with pytest.raises(ValueError, match="folder must be the name of a folder"):
        identity(HostProgram(folder))


def test_each_program_has_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for program in (ACME, ALONE):
        with open_store("file", identity(program)) as store:
            assert Path(store.place).parent == tmp_path / program.folder


def test_the_lock_of_a_store_without_one_is_there_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with open_store(Odd(), identity(ACME)) as store, store.token_lock(0, 1):
        assert (tmp_path / "acme" / f"{store.identity.key}.lock").exists()


def said(config: Any, program: HostProgram) -> set[str]:
    """What reading says, of a sync and of an async handle."""
    with open_store(config, identity(program)) as store, pytest.raises(TokenStoreError) as sync:
        store.get_token()

    async def read() -> None:
        async with await open_async_store(config, identity(program)) as store:
            await store.get_token()

    with pytest.raises(TokenStoreError) as other:
        asyncio.run(read())
    return {sync.value.message, other.value.message}


@BOTH
def test_a_corrupt_file_tells_how_to_remove_it(
    program: HostProgram, removal: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.json"
    path.write_text("{")
    path.chmod(0o600)
    (message,) = said({"name": "file", "path": str(path)}, program)
    assert message.endswith(f"; {removal} moves it aside")


@BOTH
def test_what_a_store_returned_tells_how_to_remove_it(program: HostProgram, removal: str) -> None:
    (message,) = said(Odd(), program)
    assert f"If another program wrote it, remove it with {removal}; if not" in message


@pytest.mark.parametrize(
    ("program", "option"),
    [
        (ALONE, "choose another location with the option path"),
        (
            ACME,
            "choose another location with the option path (in the environment ACME_STORE__PATH)",
        ),
    ],
    ids=["alone", "acme"],
)
def test_an_unusable_location_names_the_option(
    program: HostProgram, option: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    config = {"name": "file", "path": str(tmp_path / "file" / "t.json"), "permissions": "off"}
    for message in said(config, program):
        assert message.endswith(option), message


@pytest.mark.parametrize(
    ("program", "listing"), [(ALONE, "`list_stores()`"), (ACME, "`acme stores list`")]
)
def test_a_rule_that_matches_nothing_tells_how_to_list_the_stores(
    program: HostProgram,
    listing: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("flex_tokenstore._config.env_text._warned", set())
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", "nothing-like-it")
    with caplog.at_level(logging.WARNING), pytest.raises(UnknownStoreError):
        open_store("not-there", identity(program))
    assert caplog.messages[0].endswith(f"so it does nothing; see {listing}")
