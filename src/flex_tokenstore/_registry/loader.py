"""Importing the class of one store, whatever its module does."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from .._host.platform import UnsupportedPythonError
from .._version import __version__
from ..errors import StoreLoadError, fresh_copy
from .discovery import BUILT_IN, OURS, Candidate

# Which distribution a class came from, for messages about it.
# By id: a stranger's class may not be hashable.
# The class is kept with it, since the id of a class that is gone is used again.
_owners: dict[int, tuple[type, str]] = {}

# A failed load is kept: a module that was half imported would fail differently next time.
_failed: dict[tuple[str, str, str], StoreLoadError] = {}


def built_in(name: str) -> Candidate:
    """A built-in store, without a scan; it works without installed metadata too."""
    return Candidate(name, BUILT_IN[name], OURS, __version__, "")


def load(candidate: Candidate) -> type:
    """The class that the entry point names.

    Raises:
        StoreLoadError: It cannot be imported or is not a class; its cause is what the plugin
            raised.
    """
    if candidate.cls is not None:
        return candidate.cls
    key = (candidate.name, candidate.distribution, candidate.value)
    if key not in _failed:
        try:
            found = _resolve(*candidate.value.split(":", 1))
            _owners[id(found)] = found, candidate.distribution
            return found
        except KeyboardInterrupt:
            # The user's, not the plugin's: the next import may succeed.
            raise
        except BaseException as error:  # noqa: BLE001 - see below
            from .._values.foreign_errors import stand_in

            # What a plugin does while it is imported, sys.exit() included, is its own problem.
            _failed[key] = StoreLoadError(
                f"token store {candidate.name!r} of {candidate.distribution} cannot be loaded: "
                f"{_reason(error, candidate.value)}",
                store=candidate.name,
            )
            _failed[key].__cause__ = stand_in(error)
    kept = _failed[key]
    raise fresh_copy(kept) from kept.__cause__


def distribution_of(cls: object) -> str:
    """The distribution whose entry point named the class; "" for any other class."""
    found = _owners.get(id(cls))
    return found[1] if found is not None and found[0] is cls else ""


def missing_module(error: BaseException | None, value: str) -> str | None:
    """The module that is not installed, if that is why ``package.module:Class`` failed."""
    own = value.partition(":")[0] + "."
    for _ in range(20):  # an exception chain may be a circle
        if error is None:
            return None
        if isinstance(error, ModuleNotFoundError) and error.name:
            # The plugin's own module is missing then, not something that it depends on.
            return None if own.startswith(error.name + ".") else error.name
        if not isinstance(error, ImportError):
            return None
        error = error.__cause__ or error.__context__
    return None


class _NoClassError(Exception):
    """What the entry point names is missing in its module, or is not a class."""


def _resolve(module: str, attribute: str) -> type:
    found: Any = import_module(module)
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise _NoClassError(f"module {module!r} has no {attribute!r}") from None
    if not isinstance(found, type):
        kind = "a module" if isinstance(found, ModuleType) else f"of type {type(found).__name__}"
        raise _NoClassError(
            f"{module}:{attribute} is not a class but {kind}; the entry point must name the class "
            "of the store"
        )
    return found


def _reason(error: BaseException, value: str) -> str:
    module = value.partition(":")[0]
    missing = missing_module(error, value)
    if missing is not None:
        return (
            f"it needs the module {missing!r}, which is not installed; the plugin's own "
            "instructions tell how to install it"
        )
    if isinstance(error, (_NoClassError, UnsupportedPythonError)):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"its module {module!r} does not exist"
    if isinstance(error, SyntaxError):
        return f"importing {module} raised {type(error).__name__} at line {error.lineno}"
    # Not what it says: a plugin may read a secret from the environment.
    return f"importing {module} raised {type(error).__name__}"
