"""The log of requests that ``FLEX_INTEGRATION_LOG`` asks for. Nothing imports it otherwise."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from . import quiet
from .reporting import logger
from .request_event import RequestEvent

LEVELS = {"info": logging.INFO, "debug": logging.DEBUG}
_FORMAT = "%(asctime)s %(name)s %(levelname)s %(message)s"


class _ToStderr(logging.StreamHandler[Any]):
    """Writes to standard error what no handler of the program's writes anyway."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Looks at each record: a program may configure its logging at any time."""
        if not self._is_handled(record):
            # Not the one of the start: tests and servers replace it.
            self.stream = sys.stderr
            super().emit(record)

    def _is_handled(self, record: logging.LogRecord) -> bool:
        found: logging.Logger | None = logger
        while found is not None:
            if any(each is not self and record.levelno >= each.level for each in found.handlers):
                return True
            found = found.parent if found.propagate else None
        return False


def start(level: str) -> None:
    """Has requests logged from now on, once for each process.

    Args:
        level: ``"info"`` or ``"debug"``.
    """
    logger.setLevel(LEVELS[level])
    if not any(isinstance(each, _ToStderr) for each in logger.handlers):
        logger.addHandler(_ToStderr())
    quiet.told_elsewhere = True


def log(event: RequestEvent, facts: Mapping[str, Any]) -> None:
    """Writes one event."""
    if not logger.isEnabledFor(logging.INFO):
        return
    text = _text(event)
    if logger.isEnabledFor(logging.DEBUG):
        text += _facts(event, facts)
    logger.info("%s", text, extra={"flex_integration_sdk": {**asdict(event), **facts}})


def _text(event: RequestEvent) -> str:
    names = f" ({', '.join(event.parameters)})" if event.parameters else ""
    came = event.error if event.status is None else event.status
    parts = [f"{event.method} {event.path}{names}: {came} in {event.seconds * 1000:.0f} ms"]
    if event.request_id is not None:
        parts.append(f"request id {event.request_id}")
    if event.attempt > 1:
        parts.append(f"attempt {event.attempt}")
    if event.retry_in is not None:
        parts.append(f"repeated in {event.retry_in:.1f} s")
    return ", ".join(parts)


def _facts(event: RequestEvent, facts: Mapping[str, Any]) -> str:
    sent, received = facts.get("sent_bytes"), facts.get("received_bytes")
    parts = [f"host {event.host}", f"{facts.get('connection', 'no')} connection"]
    for way, size in (("sent", sent), ("received", received)):
        names = ", ".join(facts.get(f"{way}_headers", ()))
        if names or size is not None:
            bytes_ = "" if size is None else f" {size} bytes"
            parts.append(f"{way}{bytes_}{f' with headers {names}' if names else ''}")
    return f" [{'; '.join(parts)}]"
