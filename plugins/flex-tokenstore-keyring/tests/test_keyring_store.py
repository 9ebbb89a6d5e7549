"""The store over a backend: who may write, what is told, and what several programs see."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import flex_tokenstore_keyring._store as module
from flex_tokenstore import (
    TokenCorruptError,
    TokenIdentityError,
    TokenUnavailableError,
    host_lock,
    open_async_store,
    open_store,
)
from flex_tokenstore_keyring._record import Found, look
from keyring_fakes import FOLDER, Folder, FolderKeyring, folder_config
from tests.support.handles import IDENTITY, OTHER, token

BASE = f"flex-tokenstore/{IDENTITY.key}"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "items"))


def plant(name: str, text: str) -> None:
    FolderKeyring().set_password(f"{BASE}/{name}", "token", text)


def test_its_lock_is_the_hosts_own() -> None:
    with open_store(folder_config(), IDENTITY) as store:
        assert not store.abilities.compare_and_set
        assert not store.abilities.lock


def test_an_async_program_keeps_it_too() -> None:
    async def main() -> None:
        async with await open_async_store(folder_config(), IDENTITY) as store:
            given = token("a")
            await store.set_token(given)
            assert await store.get_token() == given
            await store.remove_token()
            assert await store.get_token() is None

    asyncio.run(main())


def test_reading_where_nothing_is_stored_leaves_nothing_behind(tmp_path: Path) -> None:
    with open_store(folder_config(), IDENTITY) as store:
        assert store.get_token() is None
    assert [*tmp_path.iterdir()] == []


def test_what_is_no_token_is_told_and_stays() -> None:
    plant("a", '{"format":1,"sequence":1,"token":{"refresh_token":"SENTINEL"}}')
    with open_store(folder_config(), IDENTITY) as store:
        for _ in range(2):
            with pytest.raises(TokenCorruptError, match="no access token") as caught:
                store.get_token()
            assert caught.value.revision is None  # else a session would delete it
            assert "SENTINEL" not in str(caught.value)
            assert BASE in str(caught.value)
        store.remove_token()
        assert store.get_token() is None


@pytest.mark.parametrize(
    "content",
    ['{"format":2}', '{"format":1,"sequence":1,"token":{"flex_tokenstore":{"format":2}}}'],
)
def test_a_newer_format_is_neither_replaced_nor_removed(content: str) -> None:
    plant("b", content)
    with open_store(folder_config(), IDENTITY) as store:
        for call in (store.get_token, store.remove_token, lambda: store.set_token(token("a"))):
            with pytest.raises(TokenCorruptError, match="newer version") as caught:
                call()
            assert caught.value.revision is None
    assert Folder().get(f"{BASE}/b:token") == content


@pytest.mark.parametrize("owner", [OTHER.key, None])
def test_anothers_token_is_neither_used_nor_replaced(owner: str | None) -> None:
    fields = token("a", OTHER).to_dict()
    if owner is None:
        del fields["flex_tokenstore"]
    plant("a", json.dumps({"format": 1, "sequence": 1, "token": fields}))
    with open_store(folder_config(), IDENTITY) as store:
        for call in (store.get_token, store.remove_token, lambda: store.set_token(token("b"))):
            with pytest.raises(TokenIdentityError):
                call()


def test_a_token_that_is_too_large_is_refused_and_the_old_one_stays() -> None:
    with open_store(folder_config(), IDENTITY) as store:
        old = token("a")
        store.set_token(old)
        with pytest.raises(TokenUnavailableError, match="larger than this keyring can keep"):
            store.set_token(token("b" * 30_000))
        assert store.get_token() == old


@pytest.mark.parametrize("loses", ["all", "half", "deletes"])
def test_a_backend_that_keeps_nothing_and_does_not_say_so(
    loses: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KWallet's ignores what its daemon answers."""
    with open_store(folder_config(), IDENTITY) as store:
        old = token("a")
        store.set_token(old)
        real = FolderKeyring.set_password

        def put(self: Any, service: str, username: str, password: str) -> None:
            if loses == "half":
                real(self, service, username, password[: len(password) // 2])

        if loses == "deletes":
            monkeypatch.setattr(FolderKeyring, "delete_password", lambda *args: None)
            with pytest.raises(TokenUnavailableError, match="although it deleted it"):
                store.remove_token()
        else:
            monkeypatch.setattr(FolderKeyring, "set_password", put)
            with pytest.raises(TokenUnavailableError, match="did not keep"):
                store.set_token(token("b"))
        assert store.get_token() == old


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionResetError(104, "SENTINEL"), "does not answer any more"),
        (OSError(28, "SENTINEL"), "OSError .No space left"),
        (ValueError("SENTINEL"), "passphrase is wrong"),
        (NotImplementedError("SENTINEL"), "NotImplementedError"),
    ],
)
def test_any_error_of_a_backend_is_an_outage(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(folder_config(), IDENTITY) as store:
        kept = token("a")
        store.set_token(kept)

        def fail(*args: Any) -> Any:
            raise error

        for name in ("get_password", "set_password", "delete_password"):
            monkeypatch.setattr(FolderKeyring, name, fail)
        for call in (store.get_token, store.remove_token, lambda: store.set_token(token("b"))):
            with pytest.raises(TokenUnavailableError, match=words) as caught:
                call()
            assert "SENTINEL" not in str(caught.value)
            assert caught.value.__context__ is None
        monkeypatch.undo()


def test_writers_wait_for_one_another_and_a_reader_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even those of different identities: some backends keep all items in one file."""
    monkeypatch.setattr(module, "WRITE_WAIT", 0.05)
    with (
        open_store(folder_config(), IDENTITY) as store,
        open_store(folder_config(), OTHER) as other,
    ):
        given = token("a")
        store.set_token(given)
        with host_lock("keyring", wait=0):
            assert store.get_token() == given
            with pytest.raises(TokenUnavailableError, match="in a window: answer it"):
                store.set_token(token("b"))
            with pytest.raises(TokenUnavailableError, match="another program"):
                other.remove_token()
        assert store.get_token() == given


def test_a_token_that_is_being_written_is_not_taken_for_absent_or_damaged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader beside a writer may see two slots that were never empty at once."""
    monkeypatch.setattr(module, "WRITE_WAIT", 0.05)
    real = look
    with open_store(folder_config(), IDENTITY) as store:
        given = token("a")
        store.set_token(given)
        for seen in (Found(), Found(problem="a part is missing")):
            with monkeypatch.context() as patch, host_lock("keyring", wait=0):
                patch.setattr(module, "look", lambda items, base, seen=seen: seen)
                with pytest.raises(TokenUnavailableError, match="another program"):
                    store.get_token()
                # Not so if it is certain.
                patch.setattr(module, "look", real)
                assert store.get_token() == given
