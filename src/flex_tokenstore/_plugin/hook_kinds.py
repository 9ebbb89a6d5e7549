"""Hooks of a wrong kind: a lock without its decorator, a generator where a value is returned."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import StoreLoadError

_DECORATORS = ("contextmanager", "asynccontextmanager")


def check_kinds(store: str, functions: Mapping[str, Callable[..., Any]]) -> None:
    """Raises StoreLoadError for a mistake that each call of the hook would fail with.

    Args:
        store: Its name, for messages.
        functions: What implements its hooks, by the hook's name.
    """
    for hook, function in functions.items():
        wrong = _of_lock(function) if hook == "token_lock" else _of_value(hook, function)
        if wrong:
            raise StoreLoadError(f"{hook} of token store {store!r} {wrong}", store=store)


def _of_value(hook: str, function: Callable[..., Any]) -> str:
    if _is_generator(function) or _decorator(function):
        return "has a `yield`: only token_lock has one; return the value"
    if hook == "lock_id" and inspect.iscoroutinefunction(function):
        return "must return a string, got coroutine: make it a plain function, not `async def`"
    return ""


def _of_lock(function: Callable[..., Any]) -> str:
    if _is_generator(function):
        kind = "asynccontextmanager" if inspect.isasyncgenfunction(function) else "contextmanager"
        return f"must return a context manager, got a generator; mark it with @{kind}"
    decorator = _decorator(function)
    if not decorator:
        return ""
    written = inspect.unwrap(function)
    if inspect.isasyncgenfunction(written) and decorator == "contextmanager":
        return "is an `async def`: mark it with @asynccontextmanager, not @contextmanager"
    if inspect.isgeneratorfunction(written) and decorator == "asynccontextmanager":
        return "is a plain `def`: mark it with @contextmanager, not @asynccontextmanager"
    return ""  # a plain function may return a generator of another one


def _is_generator(function: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _decorator(function: Any) -> str:
    """Which of ``contextlib``'s decorators made the function; "" if none."""
    # contextlib's decorators return a function of their own module, whose co_qualname (Python
    # 3.11 and newer) begins with the decorator's name.
    if getattr(function, "__globals__", {}).get("__name__") != "contextlib":
        function = getattr(function, "__func__", function)  # a bound method
        if getattr(function, "__globals__", {}).get("__name__") != "contextlib":
            return ""
    code = getattr(function, "__code__", None)
    maker = getattr(code, "co_qualname", "").partition(".")[0]
    return maker if maker in _DECORATORS and hasattr(function, "__wrapped__") else ""
