"""What tracing and error trackers keep of the arguments of a driver's calls."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest


class Recorder:
    """Wraps methods of drivers and keeps all that such a library could show of each call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._paused = False
        self.calls = 0
        self.texts: list[str] = []

    def watch(self, owner: Any, name: str) -> None:
        """Records each call of this method or function, a coroutine function or not."""
        original = getattr(owner, name)

        def record(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
            if self._paused:
                return
            self.calls += 1
            if isinstance(owner, type):
                arguments = arguments[1:]  # not the object itself, which may be half made
            self.texts.extend(forms_of((arguments, keywords)))

        if inspect.iscoroutinefunction(original):

            @functools.wraps(original)
            async def recorded_async(*arguments: Any, **keywords: Any) -> Any:
                record(arguments, keywords)
                return await original(*arguments, **keywords)

            self._monkeypatch.setattr(owner, name, recorded_async)
            return

        @functools.wraps(original)
        def recorded(*arguments: Any, **keywords: Any) -> Any:
            record(arguments, keywords)
            return original(*arguments, **keywords)

        self._monkeypatch.setattr(owner, name, recorded)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Records nothing meanwhile: the test itself uses the driver."""
        self._paused = True
        yield
        self._paused = False

    def shows(self, secret: str) -> list[str]:
        """The texts with this secret in one of the forms in which it may be sent."""
        forms = (secret, secret.encode().hex(), secret.encode().hex().upper())
        return [text[:300] for text in self.texts if any(form in text for form in forms)]


def forms_of(value: Any) -> Iterator[str]:
    """All that is kept of one argument."""
    # OpenTelemetry: str of all parameters; Sentry: repr of each, bytes decoded, strings as they
    # are unless their class says otherwise; Datadog: bytes decoded, str of anything else.
    yield repr(value)
    yield str(value)
    yield f"{value}"
    yield json.dumps(_plain(value), default=repr)
    sentry = getattr(type(value), "__sentry_repr__", None)
    if sentry is not None:
        yield sentry(value)
    elif isinstance(value, (bytes, bytearray)):
        yield bytes(value).decode("utf-8", "replace")
    elif isinstance(value, str):
        yield "".join(value)
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from forms_of(part)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from forms_of(part)


def _plain(value: Any) -> Any:
    """As JSON that a serializer of such a library makes."""
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    return repr(value)
