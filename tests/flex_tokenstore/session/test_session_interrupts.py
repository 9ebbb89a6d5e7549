"""Ctrl-C in the thread that waits for a token, wherever it strikes."""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import flex_tokenstore
from flex_tokenstore import TokenSession, open_store
from tests.support.fakes import IDENTITY, DictStore, Server, stored

PACKAGE = str(Path(flex_tokenstore.__file__).parent)
PLACES = ("_session/sync.py", "_session/single_flight.py", "threading.py")
MOST = 2000  # lines that one call may run through


class Interrupter:
    """Raises KeyboardInterrupt in this thread when the ``number``-th line of ours is reached."""

    def __init__(self, number: int, places: tuple[str, ...] = PLACES) -> None:
        self.left = number
        self.places = places
        self.where = ""

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.endswith(self.places):
            return None
        if is_finalizer(frame):
            return None
        if event == "line" and not leaves_with(frame):
            self.left -= 1
            if self.left == 0:
                self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                self.interrupt()
        return self

    def interrupt(self) -> None:
        raise KeyboardInterrupt


def is_finalizer(frame: FrameType | None) -> bool:
    """Within a ``__del__``, from which Python lets no exception out."""
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def leaves_with(frame: FrameType) -> bool:
    """At the end of a ``with`` block, where the tracer looks and Python looks for no signal.

    It looks after calls and at the ends of loops; a ``with`` block is left by a call.
    """
    code, line = frame.f_code, frame.f_lineno
    if linecache.getline(code.co_filename, line).lstrip()[:5] != "with ":
        return False
    # By position, not by name: each version of Python names its byte codes anew.
    body = min(
        (begin for begin, _, at in code.co_lines() if at is not None and at > line), default=0
    )
    return any(begin == frame.f_lasti > body for begin, _, at in code.co_lines() if at == line)


def interrupted(number: int, work: Callable[[], Any], places: tuple[str, ...] = PLACES) -> str:
    """The line at which ``work`` was interrupted; "" if it was over before.

    In a thread of its own: an exception that a tracer raises while another one is handled stays
    that thread's context for ever.
    """
    interrupter = Interrupter(number, places)
    sys.settrace(interrupter)
    try:
        work()
    except KeyboardInterrupt:
        return interrupter.where
    finally:
        sys.settrace(None)
    return ""


def call_twice(number: int) -> bool:
    """Interrupts one call, then makes another; False if the first was over before."""
    server, store = Server(), DictStore()
    store.token = stored(server, age=4000)
    session = TokenSession(open_store(store, IDENTITY, host_lock="off"), server)
    ended = within(10, lambda: interrupted(number, session.token))
    assert ended is not None
    (where,) = ended
    assert within(10, session.token) is not None, f"a call hangs after Ctrl-C at {where}"
    assert within(10, session.close) is not None, f"closing hangs after Ctrl-C at {where}"
    assert server.calls == ["refresh"], where
    assert store.token is not None
    assert store.token["refresh_token"] in server.live, where
    return bool(where)


def within(seconds: float, work: Callable[[], Any]) -> list[Any] | None:
    """What ``work`` gives, in a list; None if it does not end."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    return found or None


def test_after_ctrl_c_at_any_line_the_next_call_has_the_token_and_nothing_is_lost() -> None:
    number = 1
    while call_twice(number):
        number += 1
        assert number < MOST
    assert number > 20, "the lines of a call are seen"
