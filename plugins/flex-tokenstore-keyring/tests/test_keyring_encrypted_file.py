"""keyrings.alt's EncryptedKeyring: one encrypted file, which it rewrites as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flex_tokenstore import TokenUnavailableError, open_store
from tests.support.handles import IDENTITY, OTHER, token

if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("keyrings.alt.file")
pytest.importorskip("Crypto")

# keyrings.alt is older than the Pythons that warn of what it uses.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BACKEND = "keyrings.alt.file.EncryptedKeyring"
CONFIG: dict[str, Any] = {"name": "keyring", "backend": BACKEND}


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    # keyring sets this property, so that nobody is asked.
    monkeypatch.setenv("KEYRING_PROPERTY_KEYRING_KEY", "a passphrase")
    return tmp_path / "data" / "python_keyring" / "crypted_pass.cfg"


@pytest.mark.sample(1)
@pytest.mark.parametrize("chunk", [None, 256])
def test_a_token_is_kept_replaced_and_removed(chunk: int | None, file: Path) -> None:
    with open_store({**CONFIG, "chunk": chunk}, IDENTITY) as store:
        assert store.get_token() is None
        for name in "abc":
            given = token(name)
            store.set_token(given)
            assert store.get_token() == given
            kept = file.read_bytes()
            assert b"SENTINEL" not in kept
            assert b"access_token" not in kept
        assert BACKEND in store.place
        store.remove_token()
        assert store.get_token() is None


@pytest.mark.slow
def test_two_identities_are_in_one_file(file: Path) -> None:
    with open_store(CONFIG, IDENTITY) as store, open_store(CONFIG, OTHER) as other:
        mine, theirs = token("mine"), token("theirs", OTHER)
        store.set_token(mine)
        other.set_token(theirs)
        assert store.get_token() == mine
        store.remove_token()
        assert other.get_token() == theirs


def test_a_wrong_passphrase_is_no_empty_store(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(CONFIG, IDENTITY) as store:
        kept = token("a")
        store.set_token(kept)
        before = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setenv("KEYRING_PROPERTY_KEYRING_KEY", "another")
        with open_store(CONFIG, IDENTITY) as store:
            for call in (store.get_token, store.remove_token, lambda: store.set_token(kept)):
                with pytest.raises(TokenUnavailableError, match="passphrase is wrong"):
                    call()
    assert file.read_bytes() == before
    with open_store(CONFIG, IDENTITY) as store:
        assert store.get_token() == kept


@pytest.mark.sample(1)
@pytest.mark.parametrize("damage", [b"not an ini file", b"\xff\xfe\x00", None])
def test_a_damaged_file_is_no_empty_store(damage: bytes | None, file: Path) -> None:
    with open_store(CONFIG, IDENTITY) as store:
        store.set_token(token("a"))
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
        with pytest.raises(TokenUnavailableError, match="cannot be read"):
            store.get_token()


def test_nobody_is_there_to_answer(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(prompt: str) -> str:
        raise EOFError

    monkeypatch.delenv("KEYRING_PROPERTY_KEYRING_KEY")
    monkeypatch.setattr("getpass.getpass", ask)
    words = "KEYRING_PROPERTY_KEYRING_KEY"
    with open_store(CONFIG, IDENTITY) as store, pytest.raises(TokenUnavailableError, match=words):
        store.set_token(token("a"))
