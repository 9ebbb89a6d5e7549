"""A program that only looks sees modes as they are; any other has them tightened."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from flex_tokenstore import Token, TokenIdentity, file_store, open_store
from flex_tokenstore.embedding import only_looking

IDENTITY = TokenIdentity("https://api.example.com", "a-client", "integ")
ANSWER = {"access_token": "a", "token_type": "bearer", "expires_in": 3600}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_token_file_that_is_open_stays_open_while_one_only_looks(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    with open_store(file_store(path=str(path)), IDENTITY) as store:
        store.set_token(Token.issued(ANSWER, identity_key=IDENTITY.key, obtained_at=0))
        path.chmod(0o644)
        with only_looking():
            assert store.get_token() is not None
            store.prepare_save()
            assert mode(path) == 0o644
        assert store.get_token() is not None
    assert mode(path) == 0o600


def test_the_default_folder_too() -> None:
    with open_store("file", IDENTITY) as store:
        store.set_token(Token.issued(ANSWER, identity_key=IDENTITY.key, obtained_at=0))
        folder = Path(store.place).parent
        folder.chmod(0o755)
        with only_looking():
            store.prepare_save()
            assert mode(folder) == 0o755
        store.prepare_save()
    assert mode(folder) == 0o700
