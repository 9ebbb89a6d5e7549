"""A token is checked once on its way in, and once on its way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import Token, TokenIdentity, file_store, memory_store, open_store
from flex_tokenstore._values import token as module

IDENTITY = TokenIdentity("https://api.example.test", "a-client")
CONFIGS: dict[str, Callable[[Path], Any]] = {
    "memory": lambda folder: memory_store(),
    "file": lambda folder: file_store(path=str(folder / "token")),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_token_is_checked_once_each_way(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[object] = []
    real: Callable[[object, bool], str] = vars(module)["problem_of"]

    def counted(data: object, wrapped: bool) -> str:
        checks.append(data)
        return real(data, wrapped)

    monkeypatch.setattr(module, "problem_of", counted)
    with open_store(CONFIGS[name](tmp_path), IDENTITY) as store:
        answer = {"access_token": "a", "refresh_token": "r", "expires_in": 60}
        token = Token.issued(answer, identity_key=IDENTITY.key, obtained_at=1.0)
        store.set_token(token)
        assert len(checks) == 1  # as it was made
        assert store.get_token() == token
        assert len(checks) == 2
        # What a program does with its copy does not come back.
        token.to_dict()["flex_tokenstore"]["identity"] = "another"
        assert store.get_token() == token
