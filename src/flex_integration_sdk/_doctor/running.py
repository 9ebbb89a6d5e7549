"""Runs one check: within its time limit, and whatever it raises becomes a finding."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Thread

from flex_integration_sdk.errors import FlexError
from flex_tokenstore import TokenStoreError
from flex_tokenstore.embedding import only_looking, stand_in

from .checks import Check
from .finding import Finding, Outcome, SkipCheck, error, warning
from .ground import Ground
from .remedies import remedy_for, remedy_for_warning

# Events of a session which the checks that make one tell as findings.
_TOLD = ("refresh_rejected", "renewal_postponed", "save_failed")
_LOGGERS = ("flex_tokenstore", "flex_integration_sdk")


def run(check: Check, ground: Ground) -> Iterator[Finding]:
    """The findings of one check, each as soon as it is there."""
    limit = ground.timeout + check.extra
    with _warnings() as noted:
        for found in _within(limit, check, ground):
            outcome = found._replace(remedy=ground.in_file_words(found.remedy))
            if outcome.status == "error":
                ground.failed.add(check.id)
            yield _finding(check, outcome)
    for text in dict.fromkeys(noted):
        if ground.file_problem and ground.file_problem in text:
            continue  # told by the check of the file
        yield _finding(check, warning(text, remedy_for_warning(text)))


def _finding(check: Check, outcome: Outcome) -> Finding:
    return Finding(check.id, outcome.status, _sentence(outcome.message), _sentence(outcome.remedy))


def _sentence(text: str) -> str:
    """With its full stop, which messages of exceptions do not have."""
    return f"{text}." if text and text[-1] not in ".?!" else text


def _within(limit: float, check: Check, ground: Ground) -> Iterator[Outcome]:
    box: SimpleQueue[Outcome | None] = SimpleQueue()

    def work() -> None:
        try:
            with only_looking():
                for outcome in _outcomes(check, ground):
                    box.put(outcome)
        except BaseException as failed:  # noqa: BLE001 - else nobody would learn that it has ended
            box.put(_unexpected(failed))
        box.put(None)

    # A daemon: a hanging network file system must not hold up the end of the program.
    Thread(target=copy_context().run, args=(work,), name=f"doctor-{check.id}", daemon=True).start()
    deadline = time.monotonic() + limit
    while True:
        try:
            outcome = box.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            ground.give_up(check.id)
            yield error(
                f"This check did not end within {limit:g} s.",
                "Find out what it waits for: a server or a network file system that does not "
                "answer. To wait longer, use --timeout SECONDS",
            )
            return
        if outcome is None:
            return
        yield outcome


def _outcomes(check: Check, ground: Ground) -> Iterator[Outcome]:
    try:
        yield from check.look(ground)
    except SkipCheck as skipped:
        yield Outcome("skipped", str(skipped))
    except (FlexError, TokenStoreError) as failed:
        remedy = remedy_for(failed, ground)
        yield error(_cause(str(failed), remedy), remedy)
    except BaseException as failed:  # noqa: BLE001 - also what a plugin raises to end the program
        yield _unexpected(failed)


def _cause(message: str, remedy: str) -> str:
    """The message without the advice at its end, if the remedy says that too."""
    for found in re.finditer(": ", message):
        advice = message[found.end() :].rstrip(".")
        if advice and remedy.lower().startswith(advice.lower()):
            return message[: found.start()]
    return message


def _unexpected(failed: BaseException) -> Outcome:
    """Without the text of the exception, which may hold a secret."""
    shown = stand_in(failed)
    where = f" ({shown})" if str(shown) else ""
    return error(
        f"This check failed by a {type(failed).__name__}{where}.",
        "Report it with the output of `flex-sdk doctor --json`; the other findings do not depend "
        "on it",
    )


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What our loggers warn of in the block, in any thread: checks run one after the other."""
    noted: list[str] = []
    handler = _Collector(noted)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False  # told once, as a finding
    try:
        yield noted
    finally:
        for logger, propagates in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagates


class _Collector(logging.Handler):
    def __init__(self, noted: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._noted = noted

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "flex_tokenstore", {}).get("name") in _TOLD:
            return
        self._noted.append(record.getMessage())
