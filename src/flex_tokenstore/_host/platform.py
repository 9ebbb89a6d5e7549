"""Checks what this package needs of Python, so that no AttributeError comes later.

Tested are CPython's versions of ``docs/reference.md`` on Linux, macOS and Windows. PyPy and Pyodide
cannot install msgspec; WASI and the like lack what keeps files private and locked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from ..errors import StoreLoadError

_NEEDED = ("msgspec", "pluggy")
# What the file store and the lock files call, by module.
_POSIX = {"os": ("getuid", "geteuid", "fsync", "replace", "lstat"), "fcntl": ("flock",)}
_WINDOWS = {"os": ("fsync", "replace", "lstat"), "msvcrt": ("locking",)}

_SUPPORTED = (
    "Supported is CPython 3.11 and newer on Linux, macOS and Windows; PyPy and Pyodide are not"
)

_checked: list[bool] = []


class UnsupportedPythonError(StoreLoadError):
    """This Python lacks something that is needed."""


def check_modules() -> None:
    """Called before the first store is opened.

    Raises:
        UnsupportedPythonError: A module that this package depends on is not installed.
    """
    if _checked:
        return
    missing = [name for name in _NEEDED if not _is_there(name)]
    if missing:
        raise UnsupportedPythonError(
            f"flex-integration-sdk needs {' and '.join(missing)}, which {_here()} does not have. "
            "Install it again with its dependencies (pip install --force-reinstall "
            f"flex-integration-sdk). {_SUPPORTED}"
        )
    _checked.append(True)


def check_files() -> None:
    """Called before the first file of ours is locked.

    Raises:
        UnsupportedPythonError: This Python cannot keep a token in a file.
    """
    missing = sorted(_lacking(_WINDOWS if os.name == "nt" else _POSIX))
    if missing:
        raise UnsupportedPythonError(
            f"a token cannot be kept in a file, nor a lock file be used: {_here()} does not have "
            f"{', '.join(missing)}. Choose the token store 'memory', or another one and the option "
            f'host_lock="off". {_SUPPORTED}'
        )


def _here() -> str:
    return f"this Python ({sys.implementation.name} on {sys.platform})"


def _is_there(name: str) -> bool:
    try:
        # sys.modules first: find_spec raises ValueError for a module that a program put there.
        return sys.modules.get(name) is not None or find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _lacking(needed: dict[str, tuple[str, ...]]) -> Iterable[str]:
    for module, names in needed.items():
        try:
            found = import_module(module)
        except ImportError:
            yield f"the module {module}"
            continue
        yield from (f"{module}.{name}" for name in names if not hasattr(found, name))
