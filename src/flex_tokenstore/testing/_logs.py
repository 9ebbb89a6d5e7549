"""Which logger shows a token, from where, and what to do about it; never the record itself."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from ._tokens import SENTINEL

_SHOWN = 3  # loggers; a driver may have dozens, one for each of its modules
_NEXT_LEVEL = {"DEBUG": "INFO", "INFO": "WARNING"}


class Leak:
    """A logger that showed a token."""

    def __init__(self, record: logging.LogRecord, what: str) -> None:
        self.logger = record.name
        self.what = what
        self.count = 0
        self._first = record

    def note(self, record: logging.LogRecord) -> None:
        self.count += 1
        if record.levelno > self._first.levelno:
            self._first = record

    def told(self, store: type) -> str:
        """The logger, its level, the line, and the remedy."""
        level, line = self._first.levelname, f"{_file(self._first)}:{self._first.lineno}"
        records = f"{self.count} record{'' if self.count == 1 else 's'}"
        return (
            f"the logger {self.logger!r} shows {self.what} at level {level} ({records}, at {line})"
            + ". "
            + self._remedy(store, level)
        )

    def _remedy(self, store: type, level: str) -> str:
        if _is_of(self._first, store):
            return "The store logs it: log its location instead"
        if level not in _NEXT_LEVEL:
            return (
                "A library logs what it is given. Pass it the token as a memoryview, whose repr "
                "shows nothing, or add a logging.Filter to that logger"
            )
        return (
            "A library logs what it is given. Pass it the token as a memoryview, whose repr shows "
            "nothing; or, in the module of the store, keep that level out: "
            f'logging.getLogger("{self.logger}").setLevel(logging.{_NEXT_LEVEL[level]}). Do not '
            "call logging.disable(), which silences the whole program"
        )


@contextmanager
def all_logged(*secrets: str) -> Iterator[dict[str, Leak]]:
    """Within it everything is logged, and nothing shown; collects the loggers that show a token.

    Its own handler, not pytest's: a driver's debug log would fill the report, tokens included.
    """
    finder = _Finder(secrets)
    root, ours = logging.getLogger(), logging.getLogger("flex_tokenstore")
    handlers, levels = root.handlers[:], [(each, each.level) for each in (root, ours)]
    disabled, call_handlers = logging.root.manager.disable, logging.Logger.callHandlers
    root.handlers[:] = [logging.NullHandler()]
    for logger in (root, ours):
        logger.setLevel(logging.NOTSET + 1)  # a level of its own may be below DEBUG
    logging.disable(logging.NOTSET)
    # Not a handler of the root logger: a logger may keep its records to itself.
    logging.Logger.callHandlers = finder.call(call_handlers)  # type: ignore[method-assign]
    try:
        yield finder.leaks
    finally:
        logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]
        logging.disable(disabled)
        for logger, level in levels:
            logger.setLevel(level)
        root.handlers[:] = handlers


def check_leaks(leaks: dict[str, Leak], store: type) -> None:
    """Fails if a logger showed a token.

    Args:
        leaks: From :func:`all_logged`.
        store: The class of the store.
    """
    told = [leak.told(store) for leak in leaks.values()]
    more = [f"and {len(told) - _SHOWN} more loggers"] if len(told) > _SHOWN else []
    if told:
        # Not an assert: pytest would show the records.
        raise AssertionError("\n".join(told[:_SHOWN] + more))


class _Finder(logging.Handler):
    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self.leaks: dict[str, Leak] = {}
        self._secrets = {SENTINEL: "a token", **dict.fromkeys(secrets, "a Secret option")}

    def call(self, others: Callable[..., None]) -> Any:
        """A method for ``logging.Logger``."""

        def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
            self.emit(record)
            others(logger, record)

        return call_handlers

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:  # its arguments do not fit; logging prints them to standard error then
            text = f"{record.msg!r} {record.args!r}"
        for secret, what in self._secrets.items():
            if secret in text:
                self.leaks.setdefault(record.name, Leak(record, what)).note(record)
                return


def _is_of(record: logging.LogRecord, store: type) -> bool:
    """Made by the package of the store, or by one that it inherits from."""
    files = set()
    for cls in store.__mro__[:-1]:
        try:
            files.add(inspect.getfile(cls))
        except (TypeError, OSError):
            continue  # a built-in class, or one that was made in an interpreter
    packages = {cls.__module__.partition(".")[0] for cls in store.__mro__[:-1]}
    return record.pathname in files or record.name.partition(".")[0] in packages


def _file(record: logging.LogRecord) -> str:
    return "/".join(PurePath(record.pathname).parts[-2:])
