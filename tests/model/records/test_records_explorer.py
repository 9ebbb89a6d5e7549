"""What the base of stores of records promises holds in all interleavings of a few programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .configs import CONTENTS, LOCKS, LOSSES, OFFLINE, RULES, SAVES, locks, saves
from .explore import Config, Explorer
from .mutants import mutant
from .program import Machine

Record = Callable[[str, object], None]
CLOCKS = frozenset({"ahead", "back", "doze"})


def quick() -> Iterator[Config]:
    yield saves("two save", "versions", "corrupt", 1, frozenset({"lost", "late", "crash"}))
    yield saves("one removes", "moves", "token")
    yield saves("two begin", "no tombstones", "")
    yield saves("one removes", "hashes", "newer")
    yield locks("a waiter", "record", 0, 5)
    yield locks("one each", "record", 1, 2, LOSSES)
    yield locks("one after the other", "own", 1, 2, frozenset({"outage", "late"}))
    yield locks("one each", "record and clock", 1, 6, CLOCKS)
    yield locks("a waiter", "own", 1, 4, frozenset({"late"}))
    yield locks("a waiter", "own and wakes", 0, 5)


def full() -> Iterator[Config]:
    for programs in SAVES:
        for rules in RULES:
            for content in CONTENTS:
                yield saves(programs, rules, content)
    for rules in ("versions", "moves"):
        for content in ("token", "corrupt"):
            yield saves("two save", rules, content, 2)
            yield saves("one removes", rules, content, 2, OFFLINE)
    for rules in LOCKS:
        yield locks("one each", rules, 1, 4)
        yield locks("one each", rules, 2, 2)
        yield locks("a waiter", rules, 1, 4, frozenset({"crash", "outage", "late"}))
        yield locks("one after the other", rules, 1, 2)
        yield locks("two waiters", rules, 0, 4)
        yield locks("one each", rules, 0, 4, slow=True)
    for programs in ("one each", "a waiter"):
        yield locks(programs, "record and clock", 1, 6, CLOCKS)


def explore(config: Config, record: Record) -> None:
    count = Explorer(config).run(2_000_000)
    assert count.ends > 0
    record("explored", count.states)


@pytest.mark.parametrize("config", list(quick()), ids=lambda config: config.name)
def test_what_is_promised_holds(config: Config, record_property: Record) -> None:
    explore(config, record_property)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("config", list(full()), ids=lambda config: config.name)
def test_what_is_promised_holds_everywhere(config: Config, record_property: Record) -> None:
    explore(config, record_property)


def test_a_fault_that_cannot_be_planted_is_an_error() -> None:
    with pytest.raises(AssertionError, match="0 times, not once"):
        mutant(Machine, "step", ("this is not there", ""))
