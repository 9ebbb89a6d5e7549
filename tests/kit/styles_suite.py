"""The contract for each correct store of ``styles.py``; run by ``test_styles.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from flex_tokenstore import TokenIdentity
from flex_tokenstore.testing import TokenStoreContract

from . import styles
from .zoo.full import TwinStore
from .zoo.suite import SqliteContract

FILES = (
    *(styles.AsyncOnly, styles.WithSlots, styles.DataClass, styles.FrozenDataClass),
    *(styles.Forwards, styles.Decorated, styles.Generics, styles.OtherMappings),
)
MEMORY = (styles.InMemory, styles.AsyncInMemory, styles.AsyncGenerator, styles.StackLock)
SQLITE = (styles.Heir, styles.HeirWithMixin)
WRAPPERS = (styles.Wrapper, styles.FrozenWrapper)


class FilesContract(TokenStoreContract):
    store: ClassVar[Any]

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "store"
        folder.mkdir()
        return folder

    @pytest.fixture
    def store_config(self, folder: Path) -> Any:
        return {"name": self.store, "folder": str(folder)}

    @pytest.fixture
    def outage(self, folder: Path) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            (folder / "down").touch()
            yield
            (folder / "down").unlink()

        return broken

    @pytest.fixture
    def plant(self, folder: Path) -> Callable[[TokenIdentity, bytes], None]:
        def put(identity: TokenIdentity, content: bytes) -> None:
            (folder / f"{identity.key}.json").write_bytes(content)

        return put


class TestMadeInAFunction(FilesContract):
    shared_by = "handles"  # a class that cannot be pickled

    @pytest.fixture
    def store_config(self, folder: Path) -> Any:
        return {"name": styles.made("this test"), "folder": str(folder)}


class TestMadeAtRunTime(TestMadeInAFunction):
    @pytest.fixture
    def store_config(self, folder: Path) -> Any:
        return {"name": styles.dynamic(), "folder": str(folder)}


class OwnContract(FilesContract):
    one_identity = True
    shared_by = "handles"

    @pytest.fixture
    def store_config(self, folder: Path) -> Any:
        return self.store(str(folder))

    @pytest.fixture
    def plant(self, folder: Path) -> Callable[[TokenIdentity, bytes], None]:
        return lambda identity, content: _write(folder / "mine.json", content)


class MemoryContract(TokenStoreContract):
    shared_by = "handles"
    store: ClassVar[Any]

    @pytest.fixture
    def store_config(self) -> Any:
        return {"name": self.store}


class WrapperContract(SqliteContract):
    @pytest.fixture
    def plant(self) -> None:
        """What is in the inner store is wrapped, and no other program can make it."""

    @pytest.fixture
    def store_config(self, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
        path, hangs = str(tmp_path / "tokens.sqlite"), "hang" in request.node.name
        inner = {"name": TwinStore, "path": path, "timeout": 1.0 if hangs else 30.0}
        return {"name": self.store, "inner": inner}


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _contract_of(store: type, base: type) -> None:
    name = f"Test{store.__name__}"
    globals()[name] = type(name, (base,), {"store": store, "__module__": __name__})


_SUITES: tuple[tuple[tuple[type, ...], type], ...] = (
    (FILES, FilesContract),
    (MEMORY, MemoryContract),
    (SQLITE, SqliteContract),
    (WRAPPERS, WrapperContract),
    ((styles.OwnObject,), OwnContract),
)
for _stores, _base in _SUITES:
    for _store in _stores:
        _contract_of(_store, _base)
