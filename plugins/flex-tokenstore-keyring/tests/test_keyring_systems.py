"""Windows and macOS: keyring's own code over their limits, which are worse than those of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keyring.errors import KeyringLocked, PasswordSetError

import keyring_fakes
from flex_tokenstore import (
    TokenPermissionError,
    TokenUnavailableError,
    open_store,
)
from keyring_fakes import FOLDER, Folder, macos_config, windows_config
from tests.support.handles import IDENTITY, OTHER, token

KEY = IDENTITY.key
SYSTEMS = {"Windows": windows_config, "macOS": macos_config}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "items"))


@pytest.mark.each_value
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("size", [1, 200, 3000])
def test_a_token_is_kept_replaced_and_removed(system: str, size: int) -> None:
    with open_store(SYSTEMS[system](), IDENTITY) as store:
        assert store.get_token() is None
        for name in "abc":
            given = token(name * size)
            store.set_token(given)
            assert store.get_token() == given
        store.remove_token()
        assert store.get_token() is None
    assert Folder().names() == []


def test_windows_keeps_no_copy_of_an_older_token() -> None:
    """keyring copies what it overwrites to ``user@service``; here nothing is overwritten."""
    with open_store(windows_config(), IDENTITY) as store:
        for name in "abcd":
            store.set_token(token(name * 2000))
        names = Folder().names()
    assert not [name for name in names if "@" in name]
    slots = {name.removeprefix(f"flex-tokenstore/{KEY}/")[0] for name in names}
    assert len(slots) == 1


def test_two_identities_do_not_touch_each_other_on_windows() -> None:
    """In the Credential Manager two users of one service name share one item."""
    config = windows_config()
    with open_store(config, IDENTITY) as store, open_store(config, OTHER) as other:
        mine, theirs = token("mine"), token("theirs", OTHER)
        for _ in range(2):
            store.set_token(mine)
            other.set_token(theirs)
        assert store.get_token() == mine
        store.remove_token()
        assert other.get_token() == theirs
    assert {name.split("/")[1] for name in Folder().names()} == {OTHER.key}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_removal_that_is_killed_brings_nothing_old_back(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    for dies in range(20):
        with open_store(SYSTEMS[system](), IDENTITY) as store:
            kept = token("kept" * 150)
            store.set_token(token("old" * 150))
            store.set_token(kept)
            real, left = Folder.drop, [dies]

            def drop(folder: Folder, name: str, real: Any = real, left: list[int] = left) -> bool:
                if left[0] == 0:
                    raise Killed
                left[0] -= 1
                return bool(real(folder, name))

            ended = False
            with monkeypatch.context() as patch:
                patch.setattr(Folder, "drop", drop)
                try:
                    store.remove_token()
                    ended = True
                except Killed:
                    pass
            assert store.get_token() in (None, *(() if ended else (kept,)))
            store.remove_token()
            if ended:
                return
    pytest.fail("it never came to its end")


def failing(module: Any, name: str, error: Exception) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        raise error

    return call


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (5, "may not use it", TokenPermissionError),
        (1312, "no credentials of its own|has no credentials|session", TokenUnavailableError),
        (1783, "larger than it takes", TokenUnavailableError),
        (87, "error 87", TokenUnavailableError),
    ],
)
def test_errors_of_windows_are_told(
    code: int, words: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = keyring_fakes.install_windows()
    error = keyring_fakes.WindowsError_(code, "CredWrite", "SENTINEL")
    with open_store(windows_config(), IDENTITY) as store:
        monkeypatch.setattr(module.win32cred, "CredWrite", failing(module, "CredWrite", error))
        with pytest.raises(kind, match=words) as caught:
            store.set_token(token("a"))
    assert "SENTINEL" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (-128, "it is locked", TokenUnavailableError),
        (-25308, "security unlock-keychain", TokenUnavailableError),
        (-25293, "Keychain Access", TokenPermissionError),
        (-25307, "no default keychain", TokenUnavailableError),
        (-34018, "not signed", TokenPermissionError),
        (-50, "PasswordSetError|KeyringError", TokenUnavailableError),
    ],
)
@pytest.mark.each_value
@pytest.mark.parametrize("call", ["set", "get"])
def test_errors_of_macos_are_told(
    status: int, words: str, kind: type[Exception], call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = keyring_fakes.install_macos()
    cls = module.api.KeychainDenied if status == -128 else module.api.Error
    name = f"{'set' if call == 'set' else 'find'}_generic_password"
    with open_store(macos_config(), IDENTITY) as store:
        store.set_token(token("a"))
        monkeypatch.setattr(module.api, name, failing(module, name, cls(status, "SENTINEL")))
        calls = {"set": lambda: store.set_token(token("b")), "get": store.get_token}
        with pytest.raises(kind, match=words) as caught:
            calls[call]()
    assert "SENTINEL" not in str(caught.value)


def test_a_failed_save_leaves_the_old_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where keyring deletes an item before it adds it again."""
    module = keyring_fakes.install_macos()
    with open_store(macos_config(), IDENTITY) as store:
        old = token("a")
        store.set_token(old)
        for error in (KeyringLocked("no"), PasswordSetError("no"), OSError(5, "no")):
            with monkeypatch.context() as patch:
                patch.setattr(module.Keyring, "set_password", failing(module, "", error))
                with pytest.raises(TokenUnavailableError):
                    store.set_token(token("b"))
            assert store.get_token() == old
