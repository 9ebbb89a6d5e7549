"""The contract for each broken store and for the correct ones; run by ``test_zoo.py``.

Its name is not that of a test module: most of these tests fail, as they should.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from flex_tokenstore import TokenIdentity
from flex_tokenstore.testing import TokenStoreContract

from .beasts import ZOO, fill_the_zoo
from .forty_lines import FortyLineStore
from .full import FullStore, TwinStore

fill_the_zoo()


class FileContract(TokenStoreContract):
    """For stores made from the forty lines."""

    store: ClassVar[Any] = FortyLineStore

    @pytest.fixture
    def store_config(self, tmp_path: Path) -> dict[str, Any]:
        return {"name": self.store, "folder": str(tmp_path)}

    @pytest.fixture
    def outage(self, tmp_path: Path) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            tokens = list(tmp_path.glob("*.json*"))
            for path in tokens:
                path.rename(path.with_name(f"away-{path.name}"))
                path.mkdir()
            yield
            for path in tokens:
                path.rmdir()
                path.with_name(f"away-{path.name}").rename(path)

        return broken

    @pytest.fixture
    def plant(self, tmp_path: Path) -> Callable[[TokenIdentity, bytes], None]:
        return lambda identity, content: _write(tmp_path / f"{identity.key}.json", content)


class SqliteContract(TokenStoreContract):
    """For stores made from the full one."""

    store: ClassVar[Any] = FullStore
    patience = 6.0

    @pytest.fixture
    def store_config(self, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
        stalls = "hang" in request.node.name
        # As short as it may be where it runs out, as long as many processes need elsewhere.
        timeout = 2.5 if "hangs_does" in request.node.name else 1.0 if stalls else 30.0
        path = str(tmp_path / "tokens.sqlite")
        more = getattr(self.store, "config", {})
        return {"name": self.store, "path": path, "timeout": timeout, **more}

    @pytest.fixture
    def outage(self, tmp_path: Path) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            file, away = tmp_path / "tokens.sqlite", tmp_path / "away"
            file.rename(away)
            file.mkdir()
            yield
            file.rmdir()
            away.rename(file)

        return broken

    @pytest.fixture
    def stall(self, tmp_path: Path) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            with closing(_connect(tmp_path)) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                yield
                connection.execute("ROLLBACK")

        return broken

    @pytest.fixture
    def plant(self, tmp_path: Path) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            with closing(_connect(tmp_path)) as connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS tokens (key TEXT PRIMARY KEY, token TEXT)"
                )
                connection.execute("REPLACE INTO tokens VALUES (?, ?)", (identity.key, content))

        return put


def _connect(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "tokens.sqlite", isolation_level=None, check_same_thread=False)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _contract_of(store: type) -> type:
    base = FileContract if issubclass(store, FortyLineStore) else SqliteContract
    more = getattr(store, "contract", {})
    return type(f"Test{store.__name__}", (base,), {"store": store, "__module__": __name__, **more})


for _store in (FortyLineStore, FullStore, TwinStore, *(beast.store for beast in ZOO)):
    globals()[f"Test{_store.__name__}"] = _contract_of(_store)
