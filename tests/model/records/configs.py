"""What is explored."""

from __future__ import annotations

from collections.abc import Iterator

from .explore import Config
from .program import Op
from .service import Rules

GET = Op("get")
LOSSES = frozenset(
    {"lost", "late", "silent", "moved", "down", "outage", "interrupt", "struck", "crash"}
)
OFFLINE = LOSSES - {"late", "silent"}


def put(name: str, expected: str | None = "seen") -> Op:
    return Op("put", name, expected)


def remove(expected: str | None = "seen") -> Op:
    return Op("remove", "", expected)


def take(wait: float = 0.0) -> Op:
    return Op("take", wait=wait)


SAVES = {
    "two save": ((GET, put("a")), (GET, put("b"))),
    "two begin": ((put("a", None), GET), (put("b", None),)),
    "one removes": ((GET, put("a")), (GET, remove())),
    "one saves twice": ((GET, put("a"), put("c", "*")), (GET, put("b"))),
    "one removes at once": ((remove("*"),), (GET, put("a"))),
    "one removes twice": ((put("a", None), remove("*"), remove("*")), (put("b", None),)),
    "both replace anything": ((put("a", "*"), GET), (put("b", "*"), remove("*"))),
}
CONTENTS = ("", "token", "corrupt", "newer", "foreign")
RULES = {
    "versions": Rules(),
    "moves": Rules(moves=True, overwrites=True, tells=True),
    "no tombstones": Rules(tombstones=False),
    "hashes": Rules(hashes=True, moves=True, tells=True),
}


def saves(
    programs: str, rules: str, content: str, budget: int = 1, faults: frozenset[str] | None = None
) -> Config:
    chosen = RULES[rules]
    if faults is None:
        # Where a version of nothing comes back, what is late may be done: no service can tell.
        faults = OFFLINE if chosen.hashes or not chosen.tombstones else LOSSES
    return Config(
        f"{programs}, {rules}, {content or 'nothing'} stored, {budget} faults",
        SAVES[programs],
        chosen,
        content,
        faults,
        budget,
    )


LOCKS = {
    "record": Rules(),
    "record, hashes": Rules(hashes=True),
    "record and clock": Rules(clock=True),
    "own": Rules(native=True),
    "own and wakes": Rules(native=True, wakes=True),
}
HOLDERS = {
    "one each": ((take(),), (take(),)),
    "one after the other": ((take(), take()), (take(),)),
    "a waiter": ((take(),), (take(4.0),)),
    "two waiters": ((take(4.0),), (take(4.0),)),
    "twice each": ((take(), take()), (take(2.0), take())),
    "three": ((take(),), (take(3.0),), (take(3.0),)),
}


def locks(
    programs: str,
    rules: str,
    budget: int = 1,
    horizon: int = 8,
    faults: frozenset[str] = LOSSES,
    slow: bool = False,
) -> Config:
    return Config(
        f"{programs}, {rules}, {budget} faults, {horizon} s{', slow' * slow}",
        HOLDERS[programs],
        LOCKS[rules],
        "",
        faults,
        budget,
        horizon,
        slow,
    )


def all_saves(budget: int) -> Iterator[Config]:
    for programs in SAVES:
        for rules in RULES:
            for content in CONTENTS:
                yield saves(programs, rules, content, budget)
