"""I1 to I7 of the design, each as what must hold when one thing happens."""

from __future__ import annotations

from typing import Any

from flex_tokenstore.errors import TokenStoreError

from .process import Event, Facts, Send
from .values import Rec, rec_of
from .world import FAILED, UNREAD, Proc, Slot, Violation, World, family_of, owner_of


def at_request(world: World, index: int, facts: Facts, refresh: str | None, limit: float) -> None:
    """A token request is about to be sent."""
    proc = world.procs[index]
    _one_holder(world, index, proc, facts)
    alone = facts.memory and proc.read == FAILED
    if proc.hold != "no" and facts.lease_end is not None and not alone:
        left = facts.lease_end - facts.monotonic
        _must(
            left >= limit,
            f"I1: a request that takes {limit} s is sent {left} s before the lease ends",
        )
    if proc.read == FAILED or proc.read == UNREAD:
        _must(facts.memory, "I7: a token is asked for though the store could not be read")
    if refresh is None:
        _secret(world, proc, facts)
    else:
        _must(owner_of(refresh) == facts.owner, "I4: another identity's refresh token is sent")


def _one_holder(world: World, index: int, proc: Proc, facts: Facts) -> None:
    if proc.hold == "no":
        _must(facts.memory, "I1: a token is asked for without the lock")
        return
    if facts.memory and proc.read == FAILED:
        return
    _must(proc.request is None, "I1: two requests of one process are under way")
    for other, rival in enumerate(world.procs):
        if other != index and rival.alive and rival.request is not None:
            both = proc.hold == "yes" and rival.hold == "yes"
            _must(not both, "I1: two holders await a token answer")


def _secret(world: World, proc: Proc, facts: Facts) -> None:
    read = proc.read
    if isinstance(read, Rec):
        tried = read.refresh is None or read.refresh in world.rejected
        _must(
            tried or (facts.memory and proc.hold == "no"),
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
            _must(before == proc.read, f"I2: {rec} replaces {before}, but {proc.read} was read")
            kept = before.refresh not in world.live or rec.refresh in world.live
            _must(kept, f"I2: {rec} replaces {before}, whose refresh token lives")


def _lock_holds(proc: Proc, facts: Facts) -> None:
    """Without compare-and-set only the lock keeps a newer token from being overwritten."""
    _must(proc.hold != "no", "I2: a save without compare-and-set and without the lock")
    over = facts.lease_end is not None and facts.monotonic >= facts.lease_end
    _must(not over, "I2: a save without compare-and-set though the lease is known to be over")


def at_remove(flow: str, before: Any) -> None:
    """What is stored is about to be removed."""
    if flow not in ("revoke", "remove"):
        _must(not isinstance(before, Rec), f"I2: {before} is removed by way of repair")


def at_send(proc: Proc, session: int, facts: Facts, send: Send) -> None:
    """A caller is about to send a token to the API."""
    _must(send.rec.owner == facts.owner, "I4: another identity's token is sent")
    _must(
        (session, send.rec.access) not in proc.refused,
        f"I5: {send.rec} was refused and is given to a call again",
    )


def at_end(world: World, proc: Proc, facts: Facts, event: Event) -> None:
    """A flight or a call has ended."""
    if event.kind == "flight":
        _nothing_lost(world, proc, facts, event)
        if event.op == "obtain":
            _at_obtained(proc, facts, event.result)
        elif event.op == "revoke" and not isinstance(event.result, Exception):
            _at_revoked(world, proc, facts)
    elif event.kind == "call" and isinstance(event.result, Exception):
        typed = isinstance(event.result, TokenStoreError)
        _must(typed, f"I5: a call ends with {event.result!r}")
    elif event.kind == "again" and event.op == "call":
        _at_second_wait(proc, facts, event)


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


def _at_obtained(proc: Proc, facts: Facts, result: Any) -> None:
    if isinstance(result, TokenStoreError):
        _must(not facts.alive, f"I5: a call ends with {result!r} though {facts.held} still works")
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
    future = event.result
    if future.exception() is None and hasattr(future.result(), "origin"):
        rec = rec_of(future.result().token)
        usable = rec.owner == facts.owner and (event.session, rec.access) not in proc.refused
        _must(not usable, f"step 2: a caller waited for {rec} and asks for a token again")


def at_recovered(world: World, facts: Facts) -> None:
    """All is well again, and a call was made."""
    if facts.held is not None and facts.held == world.slot(facts.owner).stored:
        _must(facts.saved, f"I7: {facts.held} is stored, but does not count as saved")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)
