"""How a check is run: whatever it does, there is a finding, in time, and without a secret."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from flex_integration_sdk._doctor.checks import Look, check
from flex_integration_sdk._doctor.finding import Finding, Outcome, SkipCheck, ok
from flex_integration_sdk._doctor.ground import Ground
from flex_integration_sdk._doctor.running import run
from flex_tokenstore import TokenUnavailableError

SECRET = "a-secret-that-nobody-may-see"


@pytest.fixture
def ground() -> Ground:
    return Ground(
        {"client_secret": SECRET},
        default_store="memory",
        with_options=None,
        online=False,
        timeout=10,
    )


def found(look: Look, ground: Ground, id: str = "topic.thing") -> list[Finding]:
    return list(run(check(id)(look), ground))


def raising(error: BaseException) -> Callable[[Ground], Iterator[Outcome]]:
    def look(ground: Ground) -> Iterator[Outcome]:
        yield ok("before")
        raise error

    return look


def test_what_a_check_yields_is_a_finding_with_its_id(ground: Ground) -> None:
    assert found(lambda _: iter([ok("it is there")]), ground) == [
        Finding("topic.thing", "ok", "it is there.")
    ]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, RecursionError])
def test_an_unexpected_exception_is_a_finding_without_its_text(
    ground: Ground, kind: type[BaseException]
) -> None:
    before, failed = found(raising(kind(SECRET)), ground)
    assert before.message == "before."
    assert failed.status == "error"
    assert kind.__name__ in failed.message
    assert failed.remedy
    assert SECRET not in repr(failed)


def test_an_error_of_a_store_keeps_its_message_and_gets_a_remedy(ground: Ground) -> None:
    _, failed = found(
        raising(TokenUnavailableError("redis at h:1 does not answer", store="redis")), ground
    )
    assert failed.message == "redis at h:1 does not answer."
    assert failed.remedy.startswith("Make the token store 'redis' reachable")


def test_a_missing_ground_is_skipped_with_the_reason(ground: Ground) -> None:
    assert found(raising(SkipCheck("There is none.")), ground)[1:] == [
        Finding("topic.thing", "skipped", "There is none.")
    ]


def test_a_check_that_hangs_ends_in_time_and_those_on_the_same_thing_are_skipped(
    ground: Ground,
) -> None:
    ground.timeout = 0.01
    go_on = threading.Event()

    def hangs(ground: Ground) -> Iterator[Outcome]:
        go_on.wait(60)
        yield ok("never seen")

    def uses_store(ground: Ground) -> Iterator[Outcome]:
        yield ok(ground.store.name)

    try:
        (late,) = found(hangs, ground, "store.read")
        (next_one,) = found(uses_store, ground, "store.save")
    finally:
        go_on.set()
    assert late.status == "error"
    assert "did not end within 0.01 s" in late.message
    assert next_one == Finding(
        "store.save", "skipped", "The token store did not answer in time; see store.read."
    )


def test_what_our_loggers_warn_of_is_a_finding_once(ground: Ground) -> None:
    def warns(ground: Ground) -> Iterator[Outcome]:
        for _ in range(2):
            logging.getLogger("flex_tokenstore.file").warning("%s was open", "/a/folder")
        yield ok("done")

    done, warned = found(warns, ground)
    assert done.status == "ok"
    assert (warned.status, warned.message) == ("warning", "/a/folder was open.")
    assert not [
        handler
        for handler in logging.getLogger("flex_tokenstore").handlers
        if type(handler).__module__.startswith("flex_integration_sdk._doctor")
    ]


def test_the_ground_shows_no_argument(ground: Ground) -> None:
    assert SECRET not in repr(ground)
