"""Stores that the program registers itself, for where no metadata of distributions is."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from ..errors import StoreLoadError
from .discovery import BUILT_IN, OURS, Candidate
from .names import problem_of_store_name

# Changed by setdefault only, which is one step: no lock that a fork could leave held.
_registered: dict[str, type] = {}


def register_store(name: str, cls: type) -> None:
    """Registers a store of this program by its name, where no entry point can do it.

    A frozen program (PyInstaller, cx_Freeze, Nuitka) has the modules of a plugin but usually not
    the metadata that names its entry point. Call this where the program begins, once for each
    store: a child process needs it too. Then the name works as if the plugin were installed, in
    arguments and in environment variables.

    The rules are those of entry points: built-in names are reserved, a name that two classes claim
    cannot be used, and ``FLEX_TOKENSTORE_ALLOW`` and ``FLEX_TOKENSTORE_BLOCK`` hold for it. The
    same name with the same class once more does nothing, and an entry point that names the same
    class is no clash.

    Args:
        name: The store's name: lower-case letters, digits and single dashes.
        cls: The store's class, the one that an entry point would name.

    Raises:
        TypeError: ``name`` is not a string, or ``cls`` is not a class.
        StoreLoadError: The name is reserved, taken or not a valid one, or the class is not a store.
    """
    from .._plugin.hooks import check_class

    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {type(name).__name__}")
    if not isinstance(cls, type):
        raise TypeError(f"cls must be the class of a store, got {type(cls).__name__}")
    if name.lower() in BUILT_IN:
        raise StoreLoadError(f"{name!r} is the name of a store of {OURS}", store=name)
    if problem := problem_of_store_name(name):
        raise StoreLoadError(f"{name!r:.80} {problem}", store=name)
    check_class(cls, name)
    first = _registered.setdefault(name, cls)
    if first is not cls:
        raise StoreLoadError(
            f"this program registers two classes as token store {name!r}: "
            f"{_called(first)} and {_called(cls)}. Choose another name for one",
            store=name,
        )


def with_registered(found: list[Candidate]) -> list[Candidate]:
    """The entry points, and after them what the program has registered itself."""
    return [
        *found,
        *(
            Candidate(name, _called(cls), "", "", "", cls=cls)
            for name, cls in tuple(_registered.items())
            if not _is_installed(name, cls, found)
        ),
    ]


def _is_installed(name: str, cls: type, found: Iterable[Candidate]) -> bool:
    """Whether a sound entry point of that name names that class. It imports nothing."""
    return any(
        each.name == name and not each.problem and _loaded(each.value) is cls for each in found
    )


def _loaded(value: str) -> object:
    """What ``package.module:Class`` names, if that module was imported."""
    module, _, attribute = value.partition(":")
    found: object = sys.modules.get(module)
    for part in attribute.split("."):
        # Not getattr: a module's own __getattr__ may import whatever it likes.
        found = getattr(found, "__dict__", {}).get(part)
    return found


def _called(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"
