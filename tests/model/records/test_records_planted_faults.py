"""The explorer of stores of records sees what it is for: each planted fault breaks an invariant."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import pytest

from flex_tokenstore.records import Kind, _content, _lease, _where
from flex_tokenstore.records._lease import Lease
from flex_tokenstore.records._policy import Policy
from flex_tokenstore.records._where import Where

from ..shipped import Fault
from .configs import locks, saves
from .explore import Broken, Config, Count, Explorer
from .mutants import mutant


def kinds(*names: str) -> frozenset[str]:
    return frozenset(names)


class Case(NamedTuple):
    """A planted fault, what it breaks, and where that shows."""

    name: str
    invariant: str
    config: Config
    faults: tuple[Fault, ...]


def case(name: str, invariant: str, config: Config, *faults: Fault) -> Any:
    marks = pytest.mark.slow if config in LARGE else ()
    return pytest.param(Case(name, invariant, config, faults), id=name, marks=marks)


TWO = saves("two save", "versions", "token", 0)
LOST = saves("two save", "versions", "token", 1, kinds("lost"))
COPIED = saves("two save", "versions", "corrupt", 0)
MOVED = saves("two save", "moves", "corrupt", 0)
ANYTHING = saves("both replace anything", "moves", "token", 0)
WAITER = locks("a waiter", "record", 0, 5)
AGAIN = locks("one after the other", "record", 1, 4, kinds("outage"))
RELEASED = locks("one after the other", "record", 0, 3)
OWN = locks("one after the other", "own", 1, 4, kinds("outage"))
# Without the fault all of a configuration is explored; these take seconds.
HASHES = locks("twice each", "record, hashes", 1, 4, kinds("outage"))
THREE = locks("three", "record", 0, 4)
SLOW = locks("a waiter", "record", 0, 5, slow=True)
TOLD = locks("one each", "record and clock", 0, 7, slow=True)
LATE = locks("one after the other", "record", 1, 2, kinds("late"))
LARGE = (HASHES, THREE, SLOW, TOLD, LATE, AGAIN)
CLOCK = locks("one each", "record and clock", 0, 9)

POLICY = [
    case(
        "the wrong version is written over",
        "lost",
        TWO,
        mutant(
            Policy,
            "put",
            (
                "version = ANY_VERSION if blind and found.token else found.record.version",
                "version = (yield from self._read()).record.version",
            ),
        ),
    ),
    case(
        "the expected revision is not compared",
        "lost",
        TWO,
        mutant(Policy, "_check", ("if expected not in (ANY_REVISION, found.revision)", "if False")),
    ),
    case(
        "a conflict is taken for a success",
        "result",
        TWO,
        mutant(Policy, "put", ("if not answer.changed", "if True")),
    ),
    case(
        "own content after a lost answer is a conflict",
        "result",
        LOST,
        mutant(Policy, "put", ("if answer.again", "if False")),
    ),
    case(
        "after a lost answer anything is a success",
        "result",
        LOST,
        mutant(Policy, "put", ("if found.record.data == data", "if True")),
    ),
    case(
        "a lost answer is not asked for again",
        "result",
        LOST,
        Fault(_where, "_MOVES", (Kind.WRONG_SERVER, Kind.SILENT)),
    ),
    case(
        "nobody says that it was asked for twice",
        "result",
        LOST,
        mutant(Where, "call", ("again = again or kind is not Kind.WRONG_SERVER", "again = False")),
    ),
    case(
        "a wrong server is not left",
        "result",
        saves("two save", "versions", "token", 1, kinds("moved")),
        Fault(_where, "_MOVES", (Kind.LOST, Kind.SILENT)),
    ),
    case(
        "one move for both",
        "result",
        saves("two save", "versions", "token", 2, kinds("moved", "lost")),
        mutant(Where, "call", ("kind not in moved", "not moved")),
    ),
    case(
        "corrupt content is written over",
        "corrupt",
        COPIED,
        mutant(Policy, "put", ("if found.problem", "if False")),
    ),
    case(
        "corrupt content is copied elsewhere without a look",
        "corrupt",
        saves("two save", "versions", "corrupt", 1, kinds("late")),
        mutant(
            Policy,
            "_put_aside",
            ('yield from self._where.call("write", name, found.record.data, None)', "pass"),
            ("if not (yield from self._is_there(name, found))", "if False"),
        ),
    ),
    case(
        "a copy is not made, and not missed",
        "corrupt",
        COPIED,
        mutant(
            Policy,
            "_put_aside",
            ("return Aside.COPIED\n", "return Aside.COPIED\n"),
            ('yield from self._where.call("write", name, found.record.data, None)', "pass"),
            ("if not (yield from self._is_there(name, found))", "if False"),
        ),
    ),
    case(
        "what another has repaired counts as moved",
        "lost",
        saves("one removes", "moves", "corrupt", 0),
        mutant(
            Policy,
            "_put_aside",
            ("return Aside.MOVED if done else Aside.CHANGED", "return Aside.MOVED"),
        ),
    ),
    case(
        "a lost answer to a move is a conflict",
        "result",
        saves("two save", "moves", "corrupt", 1, kinds("lost")),
        mutant(
            Policy,
            "_put_aside",
            ("return Aside.MOVED if done else Aside.CHANGED", "return Aside.CHANGED"),
        ),
    ),
    case(
        "what was moved is still expected",
        "result",
        MOVED,
        mutant(Policy, "put", ("if aside is Aside.MOVED and expected != ANY_REVISION", "if False")),
    ),
    case(
        "after a move anything may be replaced",
        "lost",
        MOVED,
        mutant(Policy, "put", ("expected = None  #", "expected = ANY_REVISION  #")),
    ),
    case(
        "a copy counts as a move",
        "result",
        COPIED,
        mutant(
            Policy,
            "put",
            ("if aside is not Aside.COPIED", "if aside"),
            ("if aside is Aside.MOVED and", "if"),
        ),
    ),
    case(
        "a newer format is corrupt",
        "left",
        saves("both replace anything", "moves", "newer", 0),
        Fault(_content, "is_newer", lambda data: False),
    ),
    case(
        "a newer format is replaced by who replaces anything",
        "left",
        saves("both replace anything", "versions", "newer", 0),
        mutant(Policy, "_check", ("if found.newer", "if False")),
        mutant(Policy, "put", ("if found.problem", "if False")),
    ),
    case(
        "a foreign token is replaced by who replaces anything",
        "left",
        saves("both replace anything", "versions", "foreign", 0),
        Fault(Policy, "_is_foreign", lambda policy, found: False),
    ),
    case(
        "a foreign token is remembered",
        "left",
        saves("two save", "versions", "foreign", 0),
        mutant(Policy, "get", ("if not self._is_foreign(found)", "if True")),
    ),
    case(
        "what was read first is written over blindly",
        "lost",
        saves("two save", "moves", "token", 0),
        mutant(
            Policy,
            "put",
            (
                "self._overwrites and expected == ANY_REVISION and not turn % UNCOMPARED",
                "self._overwrites and not turn % UNCOMPARED",
            ),
            ("if not nothing", "if turn < 2"),
        ),
    ),
    case(
        "nothing is remembered as what is expected",
        "result",
        saves("one removes at once", "versions", "token", 0),
        mutant(
            Policy,
            "_first_guess",
            (
                "return NOTHING if expected is None and new is not NOTHING else None",
                "return NOTHING",
            ),
        ),
    ),
    case(
        "a removal of what was not looked at",
        "result",
        saves("one removes twice", "no tombstones", "", 0),
        mutant(
            Policy,
            "_first_guess",
            ("known and (new is not NOTHING or seen.found.record.data is not None)", "known"),
        ),
    ),
]

LOCK = [
    case(
        "a lock that is held is taken over",
        "two holders",
        RELEASED,
        mutant(Lease, "_try", ("if not free and", "if False and")),
    ),
    case(
        "the write does not compare",
        "two holders",
        RELEASED,
        mutant(
            Lease,
            "_try",
            ("held = None if answer.changed else", "held ="),
            ("if answer.changed and answer.again", "if False"),
        ),
    ),
    case(
        "own lock after a lost answer is another's",
        "stuck",
        locks("one after the other", "record", 1, 3, kinds("lost")),
        mutant(Lease, "_try", ("if answer.changed and answer.again", "if False")),
    ),
    case(
        "any lock after a lost answer is ours",
        "two holders",
        LATE,
        mutant(
            Lease,
            "_try",
            ("if look.value is not None and _read(look.value, lease).owner == owner", "if True"),
        ),
    ),
    case(
        "a lease is counted from its answer",
        "two holders",
        SLOW,
        mutant(
            Lease,
            "_try",
            (
                "held = None if answer.changed else",
                "sent = time.monotonic()\n        held = None if answer.changed else",
            ),
        ),
    ),
    case(
        "an own lock's lease is counted from its answer",
        "two holders",
        locks("one each", "own", 0, 4, slow=True),
        mutant(
            Lease,
            "_try",
            (
                'answer = yield from self._where.call("acquire", self._key, owner, lease)',
                'answer = yield from self._where.call("acquire", self._key, owner, lease)'
                "; sent = time.monotonic()",
            ),
        ),
    ),
    case(
        "a lease is counted from after the server told its time",
        "two holders",
        TOLD,
        mutant(Lease, "_try", ("data = _encode", "sent = time.monotonic()\n    data = _encode")),
        Fault(_lease, "SURE", 0.0),
    ),
    case(
        "a fail-over brings another clock",
        "two holders",
        locks("one each", "record and clock", 1, 6, kinds("ahead")),
        Fault(_lease, "SURE", 0.0),
    ),
    case(
        "the server's clock does not count",
        "stuck",
        CLOCK,
        mutant(Lease, "_left", ("there.left is None", "True")),
    ),
    case(
        "a server's clock cut to seconds ends a lease early",
        "two holders",
        locks("one each", "record and clock", 0, 6),
        Fault(_lease, "SURE", 0.0),
        Fault(_lease, "TICK", -1.0),
    ),
    case(
        "a lease that was not watched has ended",
        "two holders",
        RELEASED,
        mutant(Lease, "_left", ("self._watched = (seen, now)", "self._watched = (seen, 0.0)")),
    ),
    case(
        "what is watched is not the version",
        "two holders",
        THREE,
        mutant(Lease, "_left", ("seen = (record.version, there.owner)", "seen = 0")),
    ),
    case(
        "a lease is watched anew at each look",
        "stuck",
        WAITER,
        mutant(Lease, "_left", ("if self._watched[0] != seen", "if True")),
    ),
    case(
        "a lease never ends",
        "stuck",
        WAITER,
        mutant(Lease, "_left", ("return left if", "return 1.0 if")),
    ),
    case(
        "one owner for all turns of a program",
        "two holders",
        locks("one after the other", "own", 1, 4, kinds("outage")),
        mutant(
            Lease,
            "take",
            ("self._try(secrets.token_hex(16), lease)", "self._try(secrets.name, lease)"),
        ),
        Fault(Lease, "_release_doubted", lambda lease: iter(())),
    ),
    case(
        "one owner for all turns where versions are hashes",
        "two holders",
        HASHES,
        mutant(
            Lease,
            "take",
            ("self._try(secrets.token_hex(16), lease)", "self._try(secrets.name, lease)"),
        ),
    ),
    case(
        "who does not know whether it holds its own lock waits",
        "stuck",
        OWN,
        Fault(Lease, "_release_doubted", lambda lease: iter(())),
    ),
    case(
        "who does not know whether it holds the record waits",
        "stuck",
        AGAIN,
        mutant(Lease, "_doubt", ("doubted.append(owner)", "pass")),
    ),
    case(
        "a cancelled one forgets its doubt",
        "stuck",
        locks("one after the other", "record", 1, 3, kinds("struck")),
        mutant(Lease, "_doubt", ("except BaseException", "except Exception")),
    ),
    case(
        "a release does nothing",
        "stuck",
        RELEASED,
        mutant(
            Lease,
            "release",
            ("yield from self._where.call(primitive, self._key, last)", "yield from ()"),
        ),
    ),
    case(
        "an own lock is released by nobody",
        "stuck",
        locks("one after the other", "own", 0, 3),
        mutant(
            Lease,
            "release",
            ("if self._native and time.monotonic() >= held.ends", "if self._native"),
        ),
    ),
    case(
        "a late holder deletes another's lock",
        "two holders",
        locks("a waiter", "record", 0, 5),
        mutant(
            Lease,
            "release",
            (
                '("delete", held.version)',
                '("delete", (yield from self._where.call("read", self._key)).value.version)',
            ),
        ),
    ),
    case(
        "a waiter does not pause",
        "spins",
        WAITER,
        mutant(
            Lease, "_pause", ("yield Sleep(min(left, self._patience.pause()))", "yield from ()")
        ),
    ),
    case(
        "a wait for a release takes no time",
        "spins",
        locks("a waiter", "own and wakes", 0, 4),
        mutant(Lease, "_pause", ("look = min(left, LOOK, self._where.timeout / 2)", "look = 0.0")),
    ),
    case(
        "a lock that is free is not taken",
        "stuck",
        RELEASED,
        mutant(
            _lease, "_read", ('return _Found("", 0.0, None)', 'return _Found("?", lease, None)')
        ),
    ),
]


@cache
def explored(config: Config) -> Count:
    """Without the fault all is well."""
    return Explorer(config).run()


@pytest.mark.parametrize("case", [*POLICY, *LOCK])
@pytest.mark.sample(6)
def test_a_planted_fault_is_found(case: Case) -> None:
    explored(case.config)
    with pytest.raises(Broken) as broken:
        Explorer(case.config, *case.faults).run()
    assert broken.value.invariant == case.invariant, broken.value
