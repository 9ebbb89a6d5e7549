"""What a signal handler of the program raised within a request: no failure of that request.

A program may end a call by ``signal.alarm`` and a handler that raises ``TimeoutError``. The HTTP
library takes that for its own, and whoever repeats calls would repeat it.
"""

from __future__ import annotations

from types import CodeType
from typing import Any

from .http_errors import chain


def raised_by_handler(error: Exception) -> BaseException | None:
    """The exception of a handler, if ``error`` is one or was made from one; None: no handler's.

    Its traceback begins with the handler: the frames before it are the HTTP library's, with a token
    in them.
    """
    codes = _codes()
    for each in chain(error):
        frames = each.__traceback__
        while frames is not None and frames.tb_frame.f_code not in codes:
            frames = frames.tb_next
        if frames is not None:
            # What was handled when the signal came is the library's, too.
            each.__context__ = None
            return each.with_traceback(frames)
    return None


def _codes() -> set[CodeType]:
    """The code of each signal handler that is written in Python."""
    import signal

    found = (_code(signal.getsignal(number)) for number in signal.valid_signals())
    return {each for each in found if each is not None}


def _code(handler: Any) -> CodeType | None:
    handler = getattr(handler, "func", handler)  # of functools.partial
    handler = getattr(handler, "__func__", handler)  # of a method
    if not callable(handler):
        return None
    code = getattr(handler, "__code__", None)
    if code is None:
        code = getattr(type(handler).__call__, "__code__", None)  # an object with `__call__`
    return code if isinstance(code, CodeType) else None
