"""Which files of this machine a store uses, by its own attributes or by the framework's lock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flex_tokenstore import TokenIdentity, file_store, open_store
from flex_tokenstore.embedding import LocalFiles, local_files

IDENTITY = TokenIdentity("https://api.example.com", "a-client", "integ")


def files_of(config: Any, **settings: Any) -> LocalFiles:
    with open_store(config, IDENTITY, **settings) as store:
        return local_files(store)


class Own:
    """A program's own store, without a lock."""

    def get_token(self) -> None:
        return None

    def set_token(self, token: Any) -> None:
        raise NotImplementedError

    def remove_token(self) -> None:
        raise NotImplementedError


def test_those_of_the_file_store(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    expected = LocalFiles(path, tmp_path / f"{IDENTITY.key}.lock")
    assert files_of(file_store(path=str(path))) == expected
    assert files_of({"name": "read-only", "inner": file_store(path=str(path))}) == expected


def test_the_lock_of_the_framework_for_a_store_without_one(tmp_path: Path) -> None:
    found = files_of(Own())
    assert found.token is None
    assert found.lock is not None
    assert found.lock.name == f"{IDENTITY.key}.lock"
    assert tmp_path in found.lock.parents
    assert files_of(Own(), host_lock="off") == LocalFiles(None, None)


def test_none_of_a_store_in_memory() -> None:
    assert files_of("memory") == LocalFiles(None, None)
