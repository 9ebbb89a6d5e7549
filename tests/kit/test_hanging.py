"""A store that hangs does not hang the kit, and the test that fails names the step."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore.testing import _workers
from flex_tokenstore.testing._handles import Setup
from flex_tokenstore.testing._hanging import interrupted
from flex_tokenstore.testing._tokens import new_identity, new_token
from flex_tokenstore.testing._workers import Worker, WorkerError

from . import hanging

LIMIT = 1.0  # seconds
IDENTITY = new_identity()
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@contextmanager
def worker(store: type, **options: Any) -> Iterator[Worker]:
    child = Worker(Setup({"name": store, **options}), IDENTITY)
    try:
        yield child.ready()
    finally:
        child.close()


def test_a_child_that_hangs_is_ended_in_time_and_the_step_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_workers, "ANSWER_WITHIN", LIMIT)
    with worker(hanging.HangsWhenRead) as child:
        began = time.monotonic()
        with pytest.raises(WorkerError, match="'get' did not return within 1 s"):
            child.call("get")
        assert time.monotonic() - began < LIMIT + 3
    # The child itself says in which line it was.
    assert "in get_token" in capfd.readouterr().err


def test_a_forked_child_that_hangs_is_ended_in_time_and_the_step_is_named() -> None:
    token = new_token(IDENTITY).to_dict()
    with worker(hanging.HangsInAFork) as child:
        began = time.monotonic()
        with pytest.raises(WorkerError, match="a forked child hung: its set_token") as caught:
            child.call("fork", token, LIMIT)
        assert time.monotonic() - began < LIMIT + 3
        assert token["access_token"] not in str(caught.value)
        child.call("get")  # the child's parent goes on


def test_what_a_child_has_started_is_ended_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_workers, "ANSWER_WITHIN", LIMIT)
    monkeypatch.setattr(_workers, "_LATE", 0.5)
    with (
        worker(hanging.ForksAHelper, folder=str(tmp_path)) as child,
        # Else the kit would wait for the end of the pipe.
        pytest.raises(WorkerError, match="'get' did not return"),
    ):
        child.call("get")
    helper = int((tmp_path / "helper").read_text())
    deadline = time.monotonic() + 5
    while is_running(helper) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(helper)


def test_a_killed_child_leaves_what_it_has_started_until_it_is_closed() -> None:
    with worker(hanging.Healthy) as child:
        bystander = child.call("fork_a_bystander")
        child.kill()
        assert is_running(bystander)
    deadline = time.monotonic() + 5
    while is_running(bystander) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(bystander)


def test_a_call_that_hangs_in_the_test_itself_is_interrupted() -> None:
    def hang() -> None:
        threading.Event().wait(hanging.NAP)

    began = time.monotonic()
    before = signal.getsignal(signal.SIGALRM)
    message = r"within 0\.2 s.*in .*hang"
    with paused_timer(), pytest.raises(pytest.fail.Exception, match=message), interrupted(0.2):
        hang()
    assert time.monotonic() - began < 5
    assert signal.getsignal(signal.SIGALRM) == before


@contextmanager
def paused_timer() -> Iterator[None]:
    """pytest-timeout may use the same signal."""
    handler, timer = signal.getsignal(signal.SIGALRM), signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        if Path("/proc").is_dir():
            return False
        return _can_be_signalled(pid)
    return state != "Z"  # nobody may have waited for it yet


def _can_be_signalled(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
