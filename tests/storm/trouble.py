"""A store's server fails while one process renews the token and the others wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .conftest import Scene
from .crowd import Crowd, Figures, one_token

PROCESSES, THREADS = 4, 4
RECOVERY = 45.0  # seconds; a lease, and time-outs of a machine that is busy
FAILURE_WINDOW = 5.0  # seconds for which a failure is remembered


LOST_WITH_THE_SERVER = Figures(2, 1, 1)


def nothing() -> None:
    """No relief is needed."""


class Trouble(NamedTuple):
    """What happens to the server, and when."""

    start: Callable[[], Any]
    """Begins while the token request is unanswered."""
    end: Callable[[], Any] = nothing
    """Called when each caller has an answer."""
    answer_after: float = 0.7
    """Seconds that the authorization server takes for the token request."""
    request_timeout: float = 2.0
    """Seconds; a lease lasts twice that and 5 s more."""
    late: int = 0
    """Processes that come when ``start`` is over, and know of no trouble."""


def brief(start: Callable[[], Any], answer_after: float) -> Trouble:
    """One that is over, unless the machine is busy, before the token request is answered.

    Others come meanwhile: they find the server up, and whoever renews still waiting.
    """
    return Trouble(start, answer_after=answer_after, request_timeout=answer_after + 2.5, late=1)


def play_trouble(
    played: Scene, kind: str, trouble: Trouble, worst: Figures = LOST_WITH_THE_SERVER
) -> tuple[int, Figures]:
    """How many of the callers succeeded in the trouble, and what the server saw in all.

    Args:
        played: The scene.
        kind: ``threads`` or ``tasks``.
        trouble: What happens.
        worst: The most that the server may see of each kind. By default the token was lost
            with the store's server, and one signs in for all.
    """
    played.sign_in()
    callers = {kind: THREADS, "request_timeout": trouble.request_timeout}
    with played.crowd(PROCESSES + trouble.late, **callers) as workers:
        one_token(workers.call(), len(workers) * THREADS)
        played.sandbox.expire()
        played.sandbox.fault("delay", target="token", seconds=trouble.answer_after)
        workers[0].tell("call")
        played.watch.wait_for("refresh_token")
        Crowd(workers[1:PROCESSES]).ask("call", tell=True)
        trouble.start()
        Crowd(workers[PROCESSES:]).ask("call", tell=True)
        results = [result for worker in workers for result in worker.results()]
        typed_at_worst(results)
        trouble.end()
        recovered(Crowd(workers[1:]))  # whoever has the new token may be idle
        failed_at = recovered(workers)
        figures = played.watch.figures()
        good = sum(result["ok"] for result in results)
        print(f"{good} of {len(results)} rode through; {figures}")
        assert all(seen <= most for seen, most in zip(figures, worst, strict=True)), figures
        assert played.watch.peak() <= worst.refreshes
        # Whoever had a token that could not be saved may have used it up to here: it was good.
        time.sleep(max(0.0, failed_at + FAILURE_WINDOW - time.monotonic()))
        played.sandbox.expire()
        one_token(workers.call(), len(workers) * THREADS)
        assert played.watch.figures() == (1, 0, 0)
        played.still_lives()
        return good, figures


def recovered(workers: Crowd) -> float:
    """All succeed by themselves, none with a token that is still to be saved; since when."""
    since = time.monotonic()
    deadline = since + RECOVERY
    while True:
        results = workers.call()
        typed_at_worst(results)
        if all(result["ok"] and result["saved"] for result in results):
            return since
        since = time.monotonic()
        assert since < deadline, results
        time.sleep(0.2)


def typed_at_worst(results: list[dict[str, Any]]) -> None:
    """Whoever failed got an error of ours."""
    assert all(result["ok"] or result["typed"] for result in results), results
