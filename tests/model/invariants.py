"""I1 to I8, each as what must hold when one thing happens.

- I1: one holder of the lock waits for a token response, and nobody sends a request that may outlast
  its lease.
- I2: a save never replaces a newer token, and nothing is removed to repair it.
- I3: the secret is sent only if no refresh token is stored or pending, or the server rejected it.
- I4: no identity uses or overwrites the token of another.
- I5: each call ends, with a token that still works if there is one, at a bounded cost.
- I6: no token that the server issued is lost, and after any fault the next call has a token.
- I7: a store that could not be read is not taken for an empty one, nor an unsaved token for saved.
- I8: a session that only reads the store takes no lock, sends nothing and changes nothing.
- step 2: a caller that waited for a refresh takes its token, and nothing older.
- revoke: a token that was revoked is not stored any more.

What I5 bounds is stated in numbers: what one call may cost in token requests and in sendings of the
client secret, and how many sign-ins 401s of the API may cause in a minute.
"""

from __future__ import annotations

from typing import Any

from flex_tokenstore.errors import (
    GrantError,
    SessionClosedError,
    TokenCorruptError,
    TokenReadOnlyError,
    TokenStoreError,
)

from .process import Doing, Event, Facts, Refused, Send
from .values import LIFETIME, Rec, rec_of, revision_of
from .world import (
    FAILED,
    MINUTE,
    UNREAD,
    Flying,
    Proc,
    Slot,
    Tab,
    Violation,
    World,
    family_of,
    owner_of,
)

# I5 in numbers: what one call may cost. Without faults: a refresh token that is rejected, and then
# one sign-in; or, after a 401, one of each, of which the API takes what comes.
MOST_REQUESTS, MOST_SECRETS = 2, 1
# Where the API takes no token, or the server repeats one that the API refused: the first token is
# had in that way, another by a refresh and another by a sign-in; then its 401 is believed.
MOST_REQUESTS_REFUSED, MOST_SECRETS_REFUSED = 4, 2
# Each fault costs at most a second try of a request, of no use since its answer was lost, and a
# sign-in in its place.
REQUESTS_PER_FAULT, SECRETS_PER_FAULT = 2, 1
# Of one identity in a minute, that only 401s of the API caused, in all programs of its store;
# and one more for each fault, since nobody knows of the sign-in of a program that died.
MOST_SIGN_INS = 6
WITHOUT_STORE = ", without the store"
MOST_SENDS = 4  # of one call to the API: the first, an adopted, a refreshed, a signed-in token
MARGIN = LIFETIME / 10  # a token that ends so soon is refreshed, whatever its endpoint says


class Most:
    """The most that one call has cost in an exploration; calm: before any fault."""

    def __init__(self) -> None:
        self.requests = self.secrets = self.calm_requests = self.calm_secrets = 0

    def count(self, tab: Tab, faults: int, *, repeats: bool) -> None:
        """A call has asked for one more token.

        Args:
            tab: What it has cost.
            faults: How many there were so far.
            repeats: There may be no token that the API takes.
        """
        self.requests = max(self.requests, tab.requests)
        self.secrets = max(self.secrets, tab.secrets)
        if not faults:
            self.calm_requests = max(self.calm_requests, tab.requests)
            self.calm_secrets = max(self.calm_secrets, tab.secrets)
        requests = MOST_REQUESTS_REFUSED if repeats else MOST_REQUESTS
        secrets = MOST_SECRETS_REFUSED if repeats else MOST_SECRETS
        requests += faults * REQUESTS_PER_FAULT
        secrets += faults * SECRETS_PER_FAULT
        _must(tab.requests <= requests, f"I5: one call costs {tab.requests} token requests")
        _must(tab.secrets <= secrets, f"I5: one call sends the secret {tab.secrets} times")


# What such a session may ask for.
READS = ("load", "pause", "unlock")


def at_step(facts: Facts, step: str) -> None:
    """A flow asks for this step."""
    _must(not facts.read_only or step in READS, f"I8: a {step} of a session that only reads")


def at_request(world: World, index: int, facts: Facts, refresh: str | None, limit: float) -> None:
    """A token request is about to be sent."""
    proc = world.procs[index]
    _one_holder(world, index, proc, facts)
    alone = _goes_on_alone(world, proc, facts)
    if proc.hold != "no" and facts.lease_end is not None and not alone:
        left = facts.lease_end - facts.monotonic
        _must(
            left >= limit,
            f"I1: a request that takes {limit} s is sent {left} s before the lease ends",
        )
    _must(
        not world.denied or proc.prepared or facts.memory,
        "I6: a token is asked for that cannot be saved",
    )
    if proc.read == FAILED or proc.read == UNREAD:
        _must(facts.memory, "I7: a token is asked for though the store could not be read")
    if refresh is None:
        _secret(world, proc, facts)
    else:
        _must(owner_of(refresh) == facts.owner, "I4: another identity's refresh token is sent")


def _goes_on_alone(world: World, proc: Proc, facts: Facts) -> bool:
    """``on_store_error="memory"``: with a token of its own, since the store is of no use."""
    return facts.memory and (proc.read == FAILED or world.denied)


def _one_holder(world: World, index: int, proc: Proc, facts: Facts) -> None:
    if proc.hold == "no":
        _must(facts.memory, "I1: a token is asked for without the lock")
        return
    if _goes_on_alone(world, proc, facts):
        return
    _must(proc.request is None, "I1: two requests of one process are under way")
    for other, rival in enumerate(world.procs):
        if other != index and rival.alive and rival.request is not None:
            both = proc.hold == "yes" and rival.hold == "yes"
            _must(not both, "I1: two holders await a token answer")


def _secret(world: World, proc: Proc, facts: Facts) -> None:
    read = proc.read
    if isinstance(read, Rec):
        used_up = facts.unsaved is not None and facts.unsaved[1] == revision_of(read)
        tried = used_up or read.refresh is None or read.refresh in world.rejected
        _must(
            tried or (facts.memory and (proc.hold == "no" or world.denied)),
            f"I3: the secret is sent though {read} is stored and was not rejected",
        )
    for pending in (facts.unsaved[0] if facts.unsaved else None, facts.own):
        if pending is not None and pending.refresh is not None:
            if pending is facts.own and not (facts.memory and read == FAILED):
                continue
            _must(
                pending.refresh in world.rejected,
                f"I3: the secret is sent though {pending} is pending",
            )


def at_sign_in(world: World, proc: Proc, session: int, facts: Facts, faults: int) -> World:
    """The secret is about to be sent; counts it if only 401s of the API are the cause.

    ``faults``: so many so far. What a program did that died, or could not save, nobody knows.
    """
    unsaved = facts.unsaved[0] if facts.unsaved else None
    pending = unsaved or (facts.own if proc.read == FAILED else proc.read)
    if not isinstance(pending, Rec) or (session, pending.access) not in proc.refused:
        return world
    # Without the store a program cannot know of the sign-ins of others, nor they of its own.
    whose = facts.owner + WITHOUT_STORE * (proc.read == FAILED)
    sign_ins = (*world.sign_ins, (whose, world.now))
    recent = [at for owner, at in sign_ins if owner == whose and world.now - at < MINUTE]
    _must(
        len(recent) <= MOST_SIGN_INS + faults,
        f"I5: 401s of the API alone cause {len(recent)} sign-ins in a minute",
    )
    return world._replace(sign_ins=sign_ins)


def at_save(
    world: World, index: int, facts: Facts, rec: Rec, slot: Slot, compare_and_set: bool
) -> None:
    """A save is about to replace what is stored by ``rec``."""
    before, rogue = slot.stored, slot.rogue
    proc = world.procs[index]
    _must(rec.owner == facts.owner, "I4: another identity's token is saved")
    if isinstance(before, Rec):
        _must(before.owner == facts.owner, "I4: another identity's token is overwritten")
        if not compare_and_set:
            _lock_holds(proc, facts)
        if compare_and_set or (proc.hold == "yes" and not rogue):
            same = isinstance(proc.read, Rec) and revision_of(before) == revision_of(proc.read)
            _must(same, f"I2: {rec} replaces {before}, but {proc.read} was read")
            kept = before.refresh not in world.live or rec.refresh in world.live
            _must(kept, f"I2: {rec} replaces {before}, whose refresh token lives")


def _lock_holds(proc: Proc, facts: Facts) -> None:
    """Without compare-and-set only the lock keeps a newer token from being overwritten."""
    _must(proc.hold != "no", "I2: a change without compare-and-set and without the lock")
    over = facts.lease_end is not None and facts.monotonic >= facts.lease_end
    _must(not over, "I2: a change without compare-and-set though the lease is known to be over")


def at_remove(proc: Proc, facts: Facts, flow: str, before: Any, compare_and_set: bool) -> None:
    """What is stored is about to be removed."""
    if flow in ("revoke", "remove"):
        return
    if not compare_and_set:
        _lock_holds(proc, facts)
    if compare_and_set or proc.hold == "yes":
        _must(not isinstance(before, Rec), f"I2: {before} is removed by way of repair")


def at_hand(proc: Proc, doing: Doing, facts: Facts, send: Send, hopeless: bool) -> None:
    """A caller was given a token to send to the API.

    ``hopeless``: there may be no token that the API takes.
    """
    _must(send.rec.owner == facts.owner, "I4: another identity's token is sent")
    before = proc.tab(doing.name).refused
    _must(send.rec.access not in before, f"I5: one call sends {send.rec} again after a 401")
    believed = any((t.session, t.access) == (doing.session, send.rec.access) for t in proc.told)
    _must(
        hopeless
        or believed
        or doing.session in proc.failed
        or (doing.name, send.rec.access) in proc.behind
        or (doing.session, send.rec.access) not in proc.refused,
        f"I5: {send.rec} was refused and is given to a call again",
    )


def at_refused(tab: Tab) -> None:
    """The API answered 401."""
    tokens = len(tab.refused)
    _must(tokens <= MOST_SENDS, f"I5: one call sends {tokens} tokens that the API refuses")


def at_lost(flying: Flying, late: bool) -> None:
    """A program ends, and nobody waits any more for the answer to this request.

    ``late``: it has waited for longer than a request and a save may take.
    """
    _must(late, f"I6: the program's end gives up a token request ({flying.stage})")


def at_over(world: World, proc: Proc, facts: Facts) -> None:
    """A program has ended, as programs do that nobody kills."""
    granted = proc.granted
    stored = world.slot(facts.owner).stored
    saved = isinstance(stored, Rec) and stored.refresh == granted
    lost = granted in world.live and not saved and not proc.conflict
    _must(not lost, f"I6: the program's end loses {granted}")


def at_end(world: World, proc: Proc, facts: Facts, event: Event, late: bool) -> None:
    """A flight or a call has ended.

    ``late``: its program has waited at its end for longer than a request and a save may take.
    """
    if event.kind == "flight":
        if not late:
            _nothing_lost(world, proc, facts, event)
        if event.op == "obtain":
            _at_obtained(proc, facts, event)
        elif event.op == "revoke" and not isinstance(event.result, Exception):
            _at_revoked(world, proc, facts)
    elif event.kind == "call" and isinstance(event.result, Exception):
        typed = isinstance(event.result, TokenStoreError)
        _must(typed, f"I5: a call ends with {event.result!r}")
    elif event.kind == "again":
        _at_second_wait(proc, facts, event)
    elif event.kind != "call":
        _must(event.kind != "another", f"step 2: a call ends with the error of a {event.op}")
        _must(event.kind != "stale", "step 2: an older outcome replaces what the session holds")


def _nothing_lost(world: World, proc: Proc, facts: Facts, event: Event) -> None:
    granted = proc.granted
    if granted is None or granted not in world.live:
        return
    abandoned = type(event.result).__name__ == "Abandoned"
    _must(not abandoned, f"I6: a flight is abandoned with {granted} in hand")
    stored = world.slot(facts.owner).stored
    kept = [stored, facts.own, facts.unsaved[0] if facts.unsaved else None]
    found = any(isinstance(rec, Rec) and rec.refresh == granted for rec in kept)
    _must(found or proc.conflict or stored is None, f"I6: {granted} lives and nobody has it")


def _at_obtained(proc: Proc, facts: Facts, event: Event) -> None:
    result = event.result
    if isinstance(result, SessionClosedError):
        return  # the program ends
    if isinstance(result, TokenStoreError):
        refused = facts.held is not None and (event.session, facts.held.access) in proc.refused
        works = facts.alive and not refused
        _must(not works, f"I5: a call ends with {result!r} though {facts.held} still works")
    elif not isinstance(result, Exception):
        rec = rec_of(result.token)
        unsaved = rec == proc.save_failed and facts.saved
        _must(not unsaved, f"I7: {rec} could not be saved, but counts as saved")


def _at_revoked(world: World, proc: Proc, facts: Facts) -> None:
    stored = world.slot(facts.owner).stored
    if isinstance(stored, Rec) and proc.hold != "lost":
        gone = family_of(stored.access) in world.revoked
        _must(not gone, f"revoke: {stored} was revoked and is still stored")


def _at_second_wait(proc: Proc, facts: Facts, event: Event) -> None:
    flight = event.result
    if flight.exception() is None and hasattr(flight.result(), "origin"):
        rec = rec_of(flight.result().token)
        usable = rec.owner == facts.owner and rec.access not in proc.tab(event.task).refused
        _must(not usable, f"step 2: a caller waited for {rec} and asks for a token again")


def at_recovered(world: World, facts: Facts, repeats: bool) -> None:
    """All is well again, and a call was made.

    ``repeats``: the server may have given what is stored once more, while the store was down.
    """
    if repeats and facts.own is not None:
        return
    if facts.held is not None and facts.held == world.slot(facts.owner).stored:
        _must(facts.saved, f"I7: {facts.held} is stored, but does not count as saved")


def at_next_end(
    before: World,
    world: World,
    proc: Proc,
    facts: Facts,
    op: str,
    result: Any,
    tab: Tab,
    repeats: bool,
) -> None:
    """The next call after all else has ended: of ``op``, with ``result``, at the cost of ``tab``.

    ``before``, ``proc``: the world and the process before it.
    """
    cost = f"{tab.requests} token requests and {tab.secrets} secrets"
    stored = before.slot(facts.owner).stored
    # Two where the API takes nothing: for the first token, if the stored one is of no use, and once
    # more after a refresh that does not help.
    _must(tab.secrets <= 1 + repeats, f"I6: the next call costs {cost}")
    for told in proc.told:
        believed = (told.session, told.endpoint) == (0, op) and before.now - told.at < MINUTE
        if believed and isinstance(stored, Rec) and stored.access == told.access:
            age = before.now - stored.obtained_at
            free = tab.requests == 0 or age >= LIFETIME - MARGIN
            _must(free, f"I5: a 401 of this endpoint was believed, and the next call costs {cost}")
    if isinstance(result, Rec):
        return
    if facts.read_only:
        typed = isinstance(result, (TokenReadOnlyError, TokenCorruptError, Refused))
        _must(typed, f"I8: the next call of a session that only reads ends with {result!r}")
        return
    if world.denied and not facts.memory:
        _must(tab.requests == 0, f"I6: what cannot be saved is asked for: {cost}")
    elif isinstance(result, Refused):
        _must(repeats or believes(proc, op, before.now), "I6: the next call ends with a 401")
    else:
        capped = isinstance(result, GrantError) and not result.sent
        known = [owner for owner, _ in world.sign_ins if owner.startswith(facts.owner)]
        enough = len(known) >= MOST_SIGN_INS
        _must(capped and enough, f"I6: the next call ends with {result!r}")


def believes(proc: Proc, op: str, now: float) -> bool:
    """A 401 of this endpoint came so lately that the session of the next call believes it."""
    return any((t.session, t.endpoint) == (0, op) and now - t.at < MINUTE for t in proc.told)


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)
