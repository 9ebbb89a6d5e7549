"""``encrypted_at_rest``: who may say it of himself, and what does not count."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from flex_tokenstore._plugin.at_rest import class_encrypts, object_encrypts
from flex_tokenstore.stores.file import FileStore
from flex_tokenstore.stores.memory import AsyncMemoryStore, MemoryStore
from tests.support.fakes import IDENTITY


class Encrypting:
    encrypted_at_rest = True


class Below(Encrypting):
    """Of the same package: it inherits it."""


class Lowered(Encrypting):
    encrypted_at_rest = False


class OnDisk(MemoryStore):
    """Of another package than its base, and may write anywhere."""


class Asked:
    @property
    def encrypted_at_rest(self) -> bool:
        raise AssertionError("a property of a stranger's was run")


class Truthy:
    encrypted_at_rest = "yes"


@pytest.mark.parametrize("cls", [MemoryStore, AsyncMemoryStore, Encrypting, Below])
def test_it_counts_where_the_class_or_its_own_package_says_it(cls: type) -> None:
    assert class_encrypts(cls)


@pytest.mark.parametrize(
    "cls", [FileStore, Lowered, OnDisk, Asked, Truthy, SimpleNamespace, MagicMock]
)
def test_nothing_else_counts(cls: type) -> None:
    assert not class_encrypts(cls)


def test_an_object_can_lower_it_but_not_raise_it() -> None:
    store = MemoryStore(MemoryStore.Options(), IDENTITY)
    assert object_encrypts(store)
    store.encrypted_at_rest = False  # type: ignore[misc]  # as a store does in its __init__
    assert not object_encrypts(store)
    for never in (SimpleNamespace(encrypted_at_rest=True), MagicMock(), Asked(), Truthy()):
        assert not object_encrypts(never)
