"""The store passes the contract of a token store, in sync and in asyncio programs.

When you change the backend, replace ``path``, ``outage``, ``stall``, ``plant`` and the last test.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flex_tokenstore import TokenCorruptError, TokenIdentity, open_store
from flex_tokenstore.testing import TokenStoreContract

Fault = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


class TestSkeletonStore(TokenStoreContract):
    """Inherits the tests; the fixtures say how to reach and how to break the backend."""

    @pytest.fixture
    def store_config(self, path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
        # Short where the backend hangs, as long as a crowd of processes needs elsewhere.
        timeout = 1.0 if "hang" in request.node.name else 30.0
        return {"name": "skeleton", "path": str(path), "timeout": timeout}

    @pytest.fixture
    def outage(self, path: Path) -> Fault:
        """While it is entered, a folder is where the file should be."""

        @contextmanager
        def broken() -> Iterator[None]:
            away = path.rename(path.with_suffix(".away"))
            path.mkdir()
            yield
            path.rmdir()
            away.rename(path)

        return broken

    @pytest.fixture
    def stall(self, path: Path) -> Fault:
        """While it is entered, another program holds the lock of the file."""

        @contextmanager
        def broken() -> Iterator[None]:
            with closing(sqlite3.connect(f"{path}.lock", isolation_level=None)) as lock:
                lock.execute("BEGIN EXCLUSIVE")
                yield

        return broken

    @pytest.fixture
    def plant(self, path: Path) -> Callable[[TokenIdentity, bytes], None]:
        """Writes content into the entry of an identity, which no store wrote."""

        def put(identity: TokenIdentity, content: bytes) -> None:
            tokens = json.loads(path.read_bytes()) if path.exists() else {}
            try:
                tokens[identity.key] = json.loads(content)
            except ValueError:
                tokens[identity.key] = content.decode(errors="replace")
            path.write_text(json.dumps(tokens), encoding="utf-8")

        return put


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]"])
def test_a_file_that_another_program_wrote_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    identity = TokenIdentity("https://api.example.com", "my-client", "integ")
    with open_store({"name": "skeleton", "path": str(path)}, identity) as store:
        for call in (store.get_token, store.remove_token):
            with pytest.raises(TokenCorruptError, match="move it away"):
                call()
    assert path.read_bytes() == content
