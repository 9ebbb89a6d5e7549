"""How a broken store says which test must catch it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

C = TypeVar("C", bound=type)


class Beast(NamedTuple):
    """A store that is wrong in one way."""

    store: Any
    test: str
    """Name of the contract's test that must fail, with its parameters."""
    swift: bool
    """That test is done at once; the others wait, for a lease or so."""


ZOO: list[Beast] = []


def caught_by(
    test: str, *, kind: str = "sync", case: str = "", swift: bool = True
) -> Callable[[C], C]:
    """Puts the class into the zoo.

    Args:
        test: The contract's test that must fail.
        kind: ``"sync"`` or ``"async"``.
        case: The test's other parameter.
        swift: False if that test waits for something.
    """

    def add(cls: C) -> C:
        ZOO.append(Beast(cls, f"{test}[{'-'.join(filter(None, (kind, case)))}]", swift))
        return cls

    return add


def fill_the_zoo() -> None:
    """Imports all modules of broken stores."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name.startswith("broken_"):
            importlib.import_module(f"{package}.{module.name}")
