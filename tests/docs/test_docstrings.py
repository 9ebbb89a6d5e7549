"""The public docstrings are whole where an editor shows them, on the async side too."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

import flex_integration_sdk
import flex_tokenstore
from flex_integration_sdk import AsyncIntegrationSDK, IntegrationSDK
from flex_tokenstore import (
    AsyncGrants,
    AsyncTokenCall,
    AsyncTokenSession,
    AsyncTokenStore,
    Grants,
    TokenCall,
    TokenSession,
    TokenStore,
    auth,
    embedding,
    hookspecs,
)

TWINS: list[tuple[Any, Any]] = [
    (flex_integration_sdk.create_instance, flex_integration_sdk.create_async_instance),
    (flex_integration_sdk.upload_file, flex_integration_sdk.async_upload_file),
    (flex_tokenstore.open_store, flex_tokenstore.open_async_store),
    (flex_tokenstore.open_store, embedding.async_store),
    (IntegrationSDK, AsyncIntegrationSDK),
    (TokenSession, AsyncTokenSession),
    (TokenStore, AsyncTokenStore),
    (Grants, AsyncGrants),
    (TokenCall, AsyncTokenCall),
]


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """What a class of ours defines in public, without what it inherits from a built-in one."""
    for base in cls.__mro__:
        if base.__module__.startswith("flex_"):
            for name, value in vars(base).items():
                is_ours = isinstance(value, (property, classmethod)) or inspect.isfunction(value)
                if is_ours and not name.startswith("_"):
                    yield name, getattr(value, "__func__", value)


def public() -> dict[str, Any]:
    """Each class, function, method and property that an editor can show, by its name."""
    found: dict[str, Any] = {
        f"hookspecs.{hook}": getattr(hookspecs, hook) for hook in hookspecs.HOOKS
    }
    for package in (flex_tokenstore, flex_integration_sdk, embedding, auth):
        for name in package.__all__:
            value = getattr(package, name)
            if isinstance(value, type):
                found |= {f"{name}.{member}": each for member, each in members(value)}
            if isinstance(value, type) or inspect.isfunction(value):
                found[name] = value
    return found


PUBLIC = public()


def documented(value: Any) -> set[str]:
    """The arguments that the section ``Args`` describes."""
    section = (inspect.getdoc(value) or "").partition("\nArgs:\n")[2].split("\n\n")[0]
    return set(re.findall(r"^    (\w+): ", section, re.MULTILINE))


def described(value: Any) -> set[str]:
    """What the docstring tells beyond its text: its sections, arguments and errors."""
    text = inspect.getdoc(value) or ""
    sections = re.findall(r"^(\w+):$", text, re.MULTILINE)
    return {*sections, *re.findall(r"^    (\w+): ", text, re.MULTILINE)}


def pairs() -> Iterator[tuple[str, Any, Any]]:
    """Each public function and method, and its async twin."""
    for sync, other in TWINS:
        yield sync.__name__, sync, other
        twins = dict(members(other)) if isinstance(other, type) else {}
        for name, method in members(sync) if isinstance(sync, type) else ():
            twin = twins.get(name) or twins.get(f"a{name}")
            assert twin is not None, f"{sync.__name__}.{name} has no async twin"
            yield f"{sync.__name__}.{name}", method, twin


def arguments(value: Any) -> set[str]:
    return {*inspect.signature(value).parameters} - {"self", "cls"}


@pytest.mark.parametrize("name", PUBLIC)
def test_it_has_a_docstring_of_its_own(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert text, f"{name} has no docstring"
    assert not re.match(r"(As|See) (:\w+:|in )", text), f"{name} sends the reader elsewhere: {text}"


@pytest.mark.parametrize("name", [each for each in PUBLIC if not isinstance(PUBLIC[each], type)])
def test_each_argument_of_a_function_is_described(name: str) -> None:
    value = PUBLIC[name]
    if not isinstance(value, property):
        assert arguments(value) <= documented(value), name


@pytest.mark.parametrize(("sync", "other"), TWINS, ids=lambda each: each.__name__)
def test_the_async_twin_describes_the_same_arguments(sync: Any, other: Any) -> None:
    assert documented(sync) == documented(other)
    for name, method in vars(sync).items():
        twin = getattr(other, name, None)
        if inspect.isfunction(method) and twin is not None and not name.startswith("_"):
            assert documented(method) == documented(twin), name
            assert arguments(method) <= documented(twin), name


@pytest.mark.parametrize("pair", [*pairs()], ids=lambda pair: pair[0])
def test_the_async_twin_tells_all_that_the_sync_one_tells(pair: tuple[str, Any, Any]) -> None:
    name, sync, other = pair
    assert described(sync) <= described(other), name
    units = [len(re.findall(r"\bseconds\b", each.__doc__ or "")) for each in (sync, other)]
    assert units[0] == units[1], f"{name}: a unit is missing on one side"


def test_the_twins_of_the_sdk_describe_all_their_arguments() -> None:
    for value in (*TWINS[0], *TWINS[1], *TWINS[2], TokenSession, AsyncTokenSession):
        assert len(documented(value)) >= 3
        assert documented(value) == arguments(value), value.__name__
