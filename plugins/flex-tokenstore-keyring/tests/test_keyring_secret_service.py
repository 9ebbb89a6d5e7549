"""The real Secret Service of Linux: unlocked, locked in the middle, never unlocked, and absent."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from flex_tokenstore import TokenUnavailableError, open_store
from tests.servers.secret_service import BUS
from tests.support.handles import IDENTITY, OTHER, Open, opener, token

if TYPE_CHECKING:
    from tests.servers.secret_service import SecretService

KEY = IDENTITY.key
SECRET_SERVICE = "keyring.backends.SecretService.Keyring"


@pytest.fixture
def opened() -> Iterator[Open]:
    with opener("sync") as function:
        yield function


def names(service: SecretService) -> list[str]:
    return [attributes["service"] for attributes in service.items()]


def test_a_token_is_kept_replaced_and_removed(opened: Open, secret_service: SecretService) -> None:
    store = opened("keyring")
    assert store.place == f"flex-tokenstore/{KEY} in the system's keyring"
    assert store.get_token() is None
    assert store.place == f"flex-tokenstore/{KEY} in the Secret Service ({SECRET_SERVICE})"
    first = token("a")
    store.set_token(first)
    assert names(secret_service) == [f"flex-tokenstore/{KEY}/a"]
    assert opened("keyring").get_token() == first
    second = token("b")
    store.set_token(second)
    assert names(secret_service) == [f"flex-tokenstore/{KEY}/b"]
    assert store.get_token() == second
    store.remove_token()
    store.remove_token()
    assert store.get_token() is None
    assert names(secret_service) == []


@pytest.mark.slow
def test_parts_are_items_too(opened: Open, secret_service: SecretService) -> None:
    store = opened({"name": "keyring", "chunk": 600, "service": "acme"})
    for name in ("a", "b"):
        given = token(name * 300)
        store.set_token(given)
        assert store.get_token() == given
    found = names(secret_service)
    assert found[0] == f"acme/{KEY}/b"
    assert found[1:] == [f"acme/{KEY}/b/{number + 1}" for number in range(len(found) - 1)]
    store.remove_token()
    assert names(secret_service) == []


@pytest.mark.slow
def test_two_marketplaces_have_a_token_each(secret_service: SecretService) -> None:
    with open_store("keyring", IDENTITY) as store, open_store("keyring", OTHER) as other:
        store.set_token(token("a"))
        assert other.get_token() is None
        theirs = token("b", OTHER)
        other.set_token(theirs)
        store.remove_token()
        assert other.get_token() == theirs
        assert store.get_token() is None


@pytest.mark.slow
def test_it_is_what_keyring_itself_finds(secret_service: SecretService) -> None:
    with open_store("keyring", IDENTITY) as store:
        store.set_token(token("a"))
    backend: Any = importlib.import_module("keyring.backends.SecretService")
    kept = backend.Keyring().get_password(f"flex-tokenstore/{KEY}/a", "token")
    assert '"format":1' in kept


@pytest.mark.sample(1)
@pytest.mark.parametrize("call", ["get_token", "set_token", "remove_token"])
def test_a_keyring_that_was_locked_meanwhile(
    opened: Open, secret_service: SecretService, call: str
) -> None:
    store = opened("keyring")
    kept = token("a")
    store.set_token(kept)
    arguments = [token("b")] if call == "set_token" else []
    secret_service.lock()
    with pytest.raises(TokenUnavailableError, match="it is locked") as caught:
        getattr(store, call)(*arguments)
    told = str(caught.value)
    assert "Unlock it" in told
    assert '"encrypted" over "file"' in told
    assert SECRET_SERVICE in told
    secret_service.unlock()
    assert store.get_token() == kept  # neither gone nor replaced
    del caught
    gc.collect()  # a connection that was left open would be warned of now


@pytest.mark.slow
def test_a_keyring_that_was_never_unlocked(
    opened: Open, locked_secret_service: SecretService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BUS, locked_secret_service.variables[BUS])
    store = opened("keyring")
    for call in (store.get_token, store.remove_token, lambda: store.set_token(token("a"))):
        with pytest.raises(TokenUnavailableError, match=r"never unlocked|it is locked") as caught:
            call()
        assert "gnome-keyring-daemon --unlock" in str(caught.value)
        del caught
    gc.collect()


@pytest.mark.slow
def test_a_session_without_a_keyring(
    opened: Open, bare_session: SecretService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BUS, bare_session.variables[BUS])
    with pytest.raises(TokenUnavailableError, match=r"no Secret Service .* answers") as caught:
        opened("keyring").get_token()
    assert "dbus-run-session" in str(caught.value)


def test_no_session_at_all_and_one_that_ended(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BUS, raising=False)
    with pytest.raises(TokenUnavailableError, match=f"no D-Bus session .{BUS}") as caught:
        opened("keyring").get_token()
    assert "dbus-run-session" in str(caught.value)
    monkeypatch.setenv(BUS, "unix:path=/nonexistent")
    with pytest.raises(TokenUnavailableError, match="no Secret Service"):
        opened("keyring").get_token()


@pytest.mark.slow
def test_a_keyring_that_comes_later_is_found(
    opened: Open, secret_service: SecretService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same handle, of a program that started before its user had signed in."""
    monkeypatch.delenv(BUS)
    store = opened("keyring")
    with pytest.raises(TokenUnavailableError):
        store.get_token()
    monkeypatch.setenv(BUS, secret_service.variables[BUS])
    kept = token("a")
    store.set_token(kept)
    assert store.get_token() == kept
