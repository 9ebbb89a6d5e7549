"""Planted faults: the shipped function with a part of its text replaced."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import Any

from ..shipped import Fault


def mutant(owner: Any, name: str, *changes: tuple[str, str]) -> Fault:
    """The function ``name`` of a class or module, with other text in it.

    Args:
        owner: Where the shipped code looks for it.
        name: Of the function.
        changes: Text that it has once, and what is in its place.
    """
    shipped = vars(owner)[name]
    function = inspect.unwrap(shipped)
    text = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        if text.count(old) != 1:
            raise AssertionError(f"{name} has {old!r} {text.count(old)} times, not once")
        text = text.replace(old, new)
    module = sys.modules[function.__module__]
    found: dict[str, Any] = {}
    exec(compile(text, f"<mutant of {name}>", "exec"), vars(module), found)
    return Fault(owner, name, found[name])
