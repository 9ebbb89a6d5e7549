"""What is explored: the quick part in each test run, the full one once in CI.

Both have servers that rotate refresh tokens or not, and such that repeat a token; an API that takes
every good token, or none, at one endpoint or at all; stores that refuse each save.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from .model import ALL_FAULTS, Api, Config
from .process import Spec
from .world import ServerKind

SERVERS: tuple[ServerKind, ...] = ("rotating", "fixed", "family")
REPEATING: tuple[ServerKind, ...] = ("same-access", "same-refresh", "same-both")
REFUSING: tuple[Api, ...] = ("refuses one", "refuses all")
LOCKS = ("lease", "file")

CALL = Spec()
AGAIN = Spec(callers=((0, ("call", "expire", "call")),))
TWICE = Spec(callers=((0, ("call", "call")),))
OTHER = Spec(callers=((0, ("other", "call", "other")),))
TWO_ENDPOINTS = Spec(callers=((0, ("call",)), (0, ("other",))))
REVOKE = Spec(callers=((0, ("revoke",)),))
REMOVE = Spec(callers=((0, ("remove",)),))
# They use what others renew, also if told to go on without the store.
READER = Spec(read_only=True)
READERS = Spec(callers=((0, ("call",)), (0, ("revoke",)), (0, ("remove",))), read_only=True)
TWO_CALLERS = Spec(callers=((0, ("call",)), (0, ("call",))))
CALL_AND_REVOKE = Spec(callers=((0, ("call",)), (0, ("revoke",))))
THREE_CALLERS = Spec(callers=((0, ("call",)), (0, ("call",)), (0, ("revoke",))))
TWO_SESSIONS = Spec(callers=((0, ("call",)), (1, ("call",))), owners=("me", "me"))
TWO_IDENTITIES = Spec(callers=((0, ("call",)), (1, ("call",))), owners=("me", "you"))


def config(
    what: str,
    specs: tuple[Spec, ...],
    server: ServerKind = "rotating",
    lock: str = "lease",
    *,
    compare: bool = True,
    stored: str = "expired",
    memory: bool = False,
    api: Api = "takes",
    prepares: bool = False,
    denied: bool = False,
    faults: frozenset[str] = ALL_FAULTS,
    budget: int = 1,
) -> Config:
    """A configuration with a name that tells it."""
    parts = [what, server, lock, "compare-and-set" if compare else "plain", stored]
    parts += ["memory"] * memory + [f"API {api}"] * (api != "takes")
    parts += ["prepares"] * prepares + ["denied"] * denied + [f"{budget} of {len(faults)} faults"]
    specs = tuple(
        spec._replace(compare_and_set=compare, memory=memory, prepares=prepares or denied)
        for spec in specs
    )
    return Config(
        ", ".join(parts), specs, server, lock == "lease", stored, api, denied, faults, budget
    )


def quick() -> Iterator[Config]:
    """Some of each kind."""
    pair = (CALL, CALL)
    yield config("2 sessions", pair)
    some = frozenset({"crash", "loss"})
    yield config("revoke beside a session", (REVOKE, CALL), "family", "file", faults=some)
    yield config("2 sessions", pair, "family", compare=False, faults=some)
    few = frozenset({"crash", "loss", "cancel"})
    yield config("2 callers of one session", (TWO_CALLERS,), faults=few)
    for repeating in REPEATING:
        yield config("1 session, twice", (TWICE,), repeating, stored="refused", faults=few)
    for api in REFUSING:
        yield config("3 calls of 2 endpoints", (OTHER,), api=api, budget=0)
    yield config("3 calls of 2 endpoints", (OTHER,), api="refuses all", stored="hunted", budget=0)
    yield config("2 endpoints at once", (TWO_ENDPOINTS,), api="refuses one", budget=0)
    yield config("2 sessions", pair, denied=True, stored="aging", budget=0)
    yield config("2 sessions", pair, prepares=True, faults=frozenset({"deny", "cancel", "end"}))
    few = frozenset({"error"})
    yield config("a reader", (CALL, READER), memory=True, stored="aging", faults=few)
    yield config("a reader that revokes", (READERS,), budget=0)
    for compare, stored in ((True, "expired"), (False, "nothing")):
        yield config(
            "3 sessions", (CALL,) * 3, compare=compare, stored=stored, faults=frozenset(), budget=0
        )


def _reading() -> Iterator[Config]:
    """A session that renews, and one that only reads."""
    some = frozenset({"crash", "error", "cancel"})
    for stored in ("expired", "refused", "corrupt"):
        memory = stored == "expired"
        yield config("a reader", (CALL, READER), stored=stored, memory=memory, faults=some)
    for api in REFUSING:
        yield config("a reader of an API", (CALL, READER), api=api, stored="refused", budget=0)


def full() -> Iterator[Config]:
    """All kinds with all servers, locks and stores."""
    worlds: list[tuple[ServerKind, str, bool]] = list(product(SERVERS, LOCKS, (True, False)))
    for server, lock, compare in worlds:
        if server == "fixed" and (lock == "lease") != compare:
            continue  # where nothing rotates, less can be lost: two of its four worlds will do
        where: dict[str, Any] = {"server": server, "lock": lock, "compare": compare}
        for stored in ("expired", "nothing", "aging", "refused", "dead", "corrupt"):
            yield config("2 sessions", (CALL, CALL), stored=stored, **where)
        yield config("2 sessions", (CALL, CALL), stored="expired", memory=True, **where)
        for stored in ("expired", "nothing", "aging", "dead"):
            yield config(
                "3 sessions", (CALL,) * 3, stored=stored, faults=frozenset(), budget=0, **where
            )
    some: tuple[ServerKind, ServerKind] = ("rotating", "family")
    for server, compare in product(some, (True, False)):
        where = {"server": server, "lock": "lease", "compare": compare}
        for memory in (False, True):
            yield config("1 session, twice", (AGAIN,), budget=2, memory=memory, **where)
        yield config("revoke beside a session", (REVOKE, CALL), **where)
        yield config("remove beside a session", (REMOVE, CALL), **where)
        yield config("call and revoke in one session", (CALL_AND_REVOKE,), **where)
        yield config("2 sessions of one process", (TWO_SESSIONS,), **where)
    yield from _repeating()
    yield from _refusing()
    yield from _reading()
    for lock in LOCKS:
        yield config("2 callers beside a session", (TWO_CALLERS, CALL), lock=lock)
        yield config("2 callers of one session", (TWO_CALLERS,), lock=lock, budget=2)
        yield config("2 identities of one process", (TWO_IDENTITIES,), lock=lock)
        yield config("2 callers and revoke in one session", (THREE_CALLERS,), lock=lock, budget=0)
        yield config("2 revocations", (REVOKE, REVOKE), lock=lock, stored="aging")


def _repeating() -> Iterator[Config]:
    """Servers that give a token again which they gave before."""
    some_locks = (("lease", True), ("file", False))
    for server, (lock, compare) in product(REPEATING, some_locks):
        where: dict[str, Any] = {"lock": lock, "compare": compare}
        for stored in ("expired", "refused", "dead"):
            yield config("1 session, twice", (TWICE,), server, stored=stored, **where)
        yield config("1 session, twice", (AGAIN,), server, stored="nothing", **where)
        yield config("1 session, twice", (AGAIN,), server, memory=True, **where)
        some = frozenset({"crash", "cancel", "end", "loss"})
        yield config("2 sessions", (CALL, CALL), server, stored="refused", faults=some, **where)
        yield config("3 sessions", (CALL,) * 3, server, stored="refused", budget=0, **where)


def _refusing() -> Iterator[Config]:
    """An API that takes no token, everywhere or at one endpoint; a store that takes none."""
    for api, stored in product(REFUSING, ("expired", "refused", "hunted")):
        yield config("3 calls of 2 endpoints", (OTHER,), api=api, stored=stored)
        yield config("3 calls of 2 endpoints", (OTHER,), api=api, stored=stored, memory=True)
    few = frozenset({"crash", "error", "loss"})
    yield config("2 endpoints at once", (TWO_ENDPOINTS,), "family", api="refuses one", faults=few)
    yield config("2 sessions of one process", (TWO_SESSIONS,), api="refuses one")
    # Without faults, and with few sign-ins left: else there are millions of states.
    calm: dict[str, Any] = {"api": "refuses all", "faults": frozenset(), "budget": 0}
    yield config("2 endpoints at once", (TWO_ENDPOINTS,), "family", **calm)
    yield config("2 sessions of one process", (TWO_SESSIONS,), **calm)
    yield config("2 sessions", (CALL, CALL), lock="file", stored="refused", **calm)
    for lock in LOCKS:
        yield config("2 sessions", (CALL, CALL), lock=lock, stored="hunted", **calm)
    yield config("a call beside 3", (CALL, OTHER), api="refuses one", budget=0)
    for lock, memory in product(LOCKS, (False, True)):
        where: dict[str, Any] = {"lock": lock, "memory": memory}
        for stored in ("expired", "nothing", "aging", "dead"):
            yield config("2 sessions", (CALL, CALL), denied=True, stored=stored, budget=0, **where)
        yield config("2 sessions", (CALL, CALL), prepares=True, **where)
        yield config("1 session, twice", (AGAIN,), prepares=True, budget=2, **where)
