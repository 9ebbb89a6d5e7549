"""What stands on a public signature can be imported from a public module."""

from __future__ import annotations

import ast
import collections.abc
import contextlib
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

import flex_integration_sdk
import flex_tokenstore
import flex_tokenstore.auth
import flex_tokenstore.embedding
import flex_tokenstore.records

PACKAGES = (flex_tokenstore, flex_integration_sdk)
MODULES = (flex_tokenstore.embedding, flex_tokenstore.auth, flex_tokenstore.records)
OURS = ("flex_tokenstore", "flex_integration_sdk")


@cache
def modules() -> list[types.ModuleType]:
    found = []
    for package in PACKAGES:
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "._skeleton" not in info.name and not info.name.endswith("__main__"):
                found.append(importlib.import_module(info.name))
    return [*PACKAGES, *found]


@cache
def names() -> dict[str, Any]:
    """What an annotation may name, also what is imported for types only."""
    found: dict[str, Any] = {**vars(typing), **vars(collections.abc), **vars(contextlib)}
    found |= {name: value for module in modules() for name, value in vars(module).items()}
    return found | {"TracebackType": types.TracebackType, "Any": Any}


@cache
def imported_for_types(module: str) -> dict[str, Any]:
    """What the module imports below ``if TYPE_CHECKING``."""
    source = inspect.getsource(importlib.import_module(module))
    package = importlib.import_module(module).__spec__.parent  # type: ignore[union-attr]
    found: dict[str, Any] = {}
    for block in ast.walk(ast.parse(source)):
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test):
            for line in block.body:
                if isinstance(line, ast.ImportFrom):
                    name = "." * line.level + (line.module or "")
                    where = importlib.import_module(name, package)
                    for alias in line.names:
                        found[alias.asname or alias.name] = getattr(where, alias.name, Any)
    return found


@cache
def public() -> set[int]:
    """By identity, what a public module has under a public name."""
    open_ones = [
        module
        for module in modules()
        if not any(part.startswith("_") for part in module.__name__.split("."))
    ]
    found = {
        id(value)
        for module in open_ones
        for name, value in vars(module).items()
        if not name.startswith("_")
    }
    # By getattr: what is imported when it is first asked for may not have been, yet.
    listed = [(module, name) for module in (*PACKAGES, *MODULES) for name in module.__all__]
    return found | {id(getattr(module, name)) for module, name in listed}


def parts(hint: Any) -> Iterator[type]:
    """The classes of ours that a type is made of."""
    if isinstance(hint, type) and hint.__module__.split(".")[0] in OURS:
        yield hint
    for inner in typing.get_args(hint):
        for each in inner if isinstance(inner, list) else [inner]:
            yield from parts(each)


# Nobody but ``open_store``, ``create_instance`` and their async twins makes one of these.
MADE_BY_US = {"TokenStore", "AsyncTokenStore", "IntegrationSDK", "AsyncIntegrationSDK"}


def functions(thing: Any) -> Iterator[tuple[str, Any]]:
    if inspect.isfunction(thing):
        yield thing.__name__, thing
    elif inspect.isclass(thing):
        for name, value in vars(thing).items():
            value = getattr(value, "fget", None) or getattr(value, "__func__", value)
            init = name == "__init__" and thing.__name__ not in MADE_BY_US
            if inspect.isfunction(value) and (init or not name.startswith("_")):
                yield f"{thing.__name__}.{name}", value


SURFACE = [(module.__name__, name) for module in (*PACKAGES, *MODULES) for name in module.__all__]


@pytest.mark.parametrize(("package", "name"), SURFACE)
def test_the_types_of_a_public_signature_are_public(package: str, name: str) -> None:
    thing = getattr(importlib.import_module(package), name)
    for where, function in functions(thing):
        for argument, text in function.__annotations__.items():
            known = {**names(), **imported_for_types(function.__module__)}
            hint = eval(text, {**known, **function.__globals__}) if isinstance(text, str) else text
            hidden = [part for part in parts(hint) if id(part) not in public()]
            assert not hidden, f"{argument!r} of {where} names {hidden}, which nobody can import"
