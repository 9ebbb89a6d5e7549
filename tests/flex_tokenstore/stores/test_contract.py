"""The built-in stores pass the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import TokenIdentity
from flex_tokenstore.testing import TokenStoreContract


class TestMemory(TokenStoreContract):
    shared_by = "nobody"

    @pytest.fixture
    def store_config(self) -> str:
        return "memory"


@pytest.mark.slow
class TestFallback(TokenStoreContract):
    """It is the store that it has chosen; each of the two kinds of program chooses."""

    shared_by = "nobody"

    @pytest.fixture
    def store_config(self) -> dict[str, Any]:
        return {"name": "fallback", "stores": ["memory", "file"]}


class TestFile(TokenStoreContract):
    """In a folder of the user's, where each identity has a file of its own."""

    @pytest.fixture
    def store_config(self) -> str:
        return "file"


@pytest.mark.one_kind
@pytest.mark.slow
class TestFileAtPath(TokenStoreContract):
    """One file, one identity."""

    one_identity = True

    @pytest.fixture
    def store_config(self, tmp_path: Path) -> dict[str, Any]:
        return {"name": "file", "path": str(tmp_path / "own" / "token.json")}

    @pytest.fixture
    def outage(self, tmp_path: Path) -> Callable[[], Any]:
        file, away = tmp_path / "own" / "token.json", tmp_path / "away"

        @contextmanager
        def broken() -> Iterator[None]:
            if file.exists():
                file.rename(away)
            file.mkdir()  # root may read whatever its mode is, but no folder as a file
            yield
            file.rmdir()
            if away.exists():
                away.rename(file)

        return broken

    @pytest.fixture
    def plant(self, tmp_path: Path) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            folder = tmp_path / "own"
            folder.mkdir(0o700, exist_ok=True)
            (folder / "token.json").write_bytes(content)
            (folder / "token.json").chmod(0o600)

        return put
