"""The world outside the processes: stores, locks, the authorization server, time. Plain data."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from .values import LIFETIME, Corrupt, Error, Granted, Rec

UNREAD = "nothing yet"
FAILED = "an error"
MINUTE = 60.0
ServerKind = Literal["rotating", "fixed", "family", "same-access", "same-refresh", "same-both"]
"""What the authorization server does with a refresh token: a new one each time, and the old one is
dead; none; a new one, and the use of an old one revokes all that came of the same sign-in. Or it
repeats the last access token, refresh token, or both, as one with a cache in front of it does."""


class Violation(AssertionError):
    """An invariant that does not hold; the message begins with its name."""


class Slot(NamedTuple):
    """What the store holds for one identity, and its lock. ``holder`` -1: nobody knows of it."""

    owner: str
    stored: Rec | Corrupt | None
    holder: int | None = None
    end: float | None = None
    rogue: bool = False
    """Saved by a process that had lost the lock and could not know."""


class Lost(NamedTuple):
    """A token request whose answer nobody waits for any more; the server may act on it yet."""

    owner: str
    refresh: str | None


class Tab(NamedTuple):
    """What one call has cost so far."""

    task: str
    requests: int = 0
    secrets: int = 0
    refused: frozenset[str] = frozenset()
    """Access tokens that the API answered with 401."""


class Told(NamedTuple):
    """A call ended with the API's 401."""

    session: int
    endpoint: str
    access: str
    at: float


class Flying(NamedTuple):
    """A token request between its sending and its receipt; ``stage``: sent, answered."""

    task: str
    session: int
    refresh: str | None
    stage: str
    answer: Any


class Proc(NamedTuple):
    """A process: its local state, and what the invariants need to remember of it."""

    kind: int
    local: int
    alive: bool = True
    hold: str = "no"
    """no, yes, lost (the lease ended while it held)."""
    read: Any = UNREAD
    """What its last read of the store gave."""
    request: Flying | None = None
    late: tuple[str, Any] | None = None
    """An answer that has not reached it yet, and the task that waits for it."""
    refused: frozenset[tuple[int, str]] = frozenset()
    """Access tokens that the API answered with 401, by session."""
    failed: frozenset[int] = frozenset()
    """Sessions whose last refresh failed: what the API refused serves on, having no better."""
    save_failed: Rec | None = None
    granted: str | None = None
    """The refresh token that the server gave to the flight under way."""
    conflict: bool = False
    """A save of that flight met with a conflict."""
    prepared: bool = False
    """The store said, under this hold of the lock, that it could save."""
    tabs: tuple[Tab, ...] = ()
    """Of calls that have cost something, by task."""
    behind: frozenset[tuple[str, str]] = frozenset()
    """Tasks whose flight had landed when the API refused this access token to another task: they
    do not know of that, and may send it once."""
    told: tuple[Told, ...] = ()
    """The last such end of a call, for each session and endpoint."""

    def tab(self, task: str) -> Tab:
        return next((tab for tab in self.tabs if tab.task == task), Tab(task))

    def with_tab(self, tab: Tab) -> Proc:
        return self._replace(tabs=tuple(sorted((*self.without(tab.task), tab), key=_task_of)))

    def without(self, task: str) -> tuple[Tab, ...]:
        return tuple(tab for tab in self.tabs if tab.task != task)


def _task_of(tab: Tab) -> str:
    return tab.task


class World(NamedTuple):
    now: float
    slots: tuple[Slot, ...]
    live: frozenset[str]
    """Refresh tokens that the server would take."""
    access: frozenset[tuple[str, float]]
    """Access tokens that the API would take, and when they expire."""
    rejected: frozenset[str]
    """Refresh tokens that were answered with a rejection, or made an access token that was."""
    revoked: frozenset[str]
    """Families that were revoked on demand."""
    issued: int
    down: bool
    budget: int
    procs: tuple[Proc, ...]
    lost: tuple[Lost, ...] = ()
    denied: bool = False
    """The store refuses each save, for good; it can still be read."""
    last: tuple[tuple[str, str, str | None], ...] = ()
    """The last access and refresh token of each owner, for servers that repeat them."""
    sign_ins: tuple[tuple[str, float], ...] = ()
    """Sign-ins of the last minute that only 401s of the API caused: whose, and when."""

    def slot(self, owner: str) -> Slot:
        return next(slot for slot in self.slots if slot.owner == owner)

    def with_slot(self, owner: str, **changes: Any) -> World:
        return self._replace(
            slots=tuple(
                slot._replace(**changes) if slot.owner == owner else slot for slot in self.slots
            )
        )

    def with_proc(self, index: int, **changes: Any) -> World:
        return self.put(index, self.procs[index]._replace(**changes))

    def put(self, index: int, proc: Proc) -> World:
        """The world with ``proc`` in the place of what was there."""
        return self._replace(procs=(*self.procs[:index], proc, *self.procs[index + 1 :]))

    def takes(self, access: str) -> bool:
        return any(name == access and self.now < expires for name, expires in self.access)


def pass_time(world: World, seconds: float) -> World:
    """Time goes on; leases end."""
    now = world.now + seconds
    recent = tuple(each for each in world.sign_ins if now - each[1] < MINUTE)
    world = world._replace(now=now, sign_ins=recent)
    for slot in world.slots:
        if slot.end is not None and slot.end <= now:
            world = world.with_slot(slot.owner, holder=None, end=None)
            holder = slot.holder
            if holder is not None and holder >= 0 and world.procs[holder].alive:
                world = world.with_proc(holder, hold="lost")
    return world


def owner_of(name: str) -> str:
    """The identity that a token's part was issued to."""
    return name.split(":")[0]


def family_of(name: str) -> str:
    """All that came of one sign-in."""
    return name.split(".")[0].split("#")[1]


def grant(
    world: World, server: ServerKind, owner: str, refresh: str | None
) -> tuple[World, Granted | Error]:
    """The server acts on a token request."""
    number = world.issued + 1
    last = next((item for item in world.last if item[0] == owner), None)
    if refresh is None:
        family = str(number)
        if server in ("same-refresh", "same-both") and last is not None and last[2] is not None:
            family = family_of(last[2])
    elif refresh in world.live:
        family = family_of(refresh)
    else:
        world = world._replace(rejected=world.rejected | {refresh})
        if server == "family":
            world = revoke_family(world, family_of(refresh))
        return world, Error("rejected")
    access, fresh = f"{owner}:a#{family}.{number}", f"{owner}:r#{family}.{number}"
    if last is not None and server in ("same-access", "same-both"):
        access = last[1]
    else:
        world = world._replace(access=world.access | {(access, world.now + LIFETIME)})
    world = world._replace(issued=number)
    if refresh is not None and server == "fixed":
        return world, Granted(access, None)
    if last is not None and last[2] is not None and server in ("same-refresh", "same-both"):
        fresh = last[2]
    if server.startswith("same"):
        others = [item for item in world.last if item[0] != owner]
        world = world._replace(last=(*others, (owner, access, fresh)))
    live = (world.live - {refresh}) | {fresh}
    return world._replace(live=live), Granted(access, fresh)


def revoke_family(world: World, family: str) -> World:
    return world._replace(
        live=frozenset(name for name in world.live if family_of(name) != family),
        access=frozenset(item for item in world.access if family_of(item[0]) != family),
    )


def revoke(world: World, rec: Rec) -> tuple[World, Error | None]:
    """The server acts on a revocation (RFC 7009)."""
    if not world.takes(rec.access):
        return world, Error("rejected")
    world = world._replace(revoked=world.revoked | {family_of(rec.access)})
    return revoke_family(world, family_of(rec.access)), None
