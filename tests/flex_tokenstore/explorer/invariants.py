"""I1 to I7 of the design, each as what must hold when one thing happens."""

from __future__ import annotations

from typing import Any

from flex_tokenstore.errors import TokenStoreError

from .process import Event, Facts, Send
from .values import Corrupt, Rec, rec_of
from .world import FAILED, UNREAD, Proc, Violation, World, owner_of


def at_request(world: World, index: int, facts: Facts, refresh: str | None, limit: float) -> None:
    """A token request is about to be sent."""
    proc = world.procs[index]
    _one_holder(world, index, proc, facts)
    if proc.hold != "no" and facts.lease_end is not None:
        left = facts.lease_end - facts.monotonic
        _must(left >= limit, f"I1: a request that takes {limit} s is sent, {left} s before its end")
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
    world: World, index: int, facts: Facts, rec: Rec, before: Any, compare_and_set: bool
) -> None:
    """A save is about to replace ``before`` by ``rec``."""
    proc = world.procs[index]
    _must(rec.owner == facts.owner, "I4: another identity's token is saved")
    if isinstance(before, Rec):
        _must(before.owner == facts.owner, "I4: another identity's token is overwritten")
    if not compare_and_set:
        if proc.hold != "no" and facts.lease_end is not None:
            over = facts.monotonic >= facts.lease_end
            _must(not over, "I2: a save without compare-and-set after the lease has ended")
        if proc.hold == "lost":
            return  # holds only while the lock holds
    same = before == proc.read or (isinstance(before, Corrupt) and proc.read == before)
    _must(same, f"I2: {rec} replaces {before}, but {proc.read} was read")
    if isinstance(before, Rec) and before.refresh in world.live:
        kept = rec.refresh in world.live
        _must(kept, f"I2: {rec} replaces {before}, whose refresh token lives")


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


def at_end(proc: Proc, facts: Facts, event: Event) -> None:
    """A flight or a call has ended."""
    result = event.result
    if event.kind == "flight" and event.op == "obtain" and not isinstance(result, Exception):
        rec = rec_of(result.token)
        if rec == proc.save_failed:
            _must(not facts.saved, f"I7: {rec} could not be saved, but counts as saved")
    if event.kind == "call" and isinstance(result, Exception):
        _must(isinstance(result, TokenStoreError), f"I5: a call ends with {result!r}")
    if event.kind == "again":
        future = result
        error = future.exception()
        if error is None and hasattr(future.result(), "origin"):
            rec = rec_of(future.result().token)
            usable = rec.owner == facts.owner and (event.session, rec.access) not in proc.refused
            _must(not usable, f"step 2: a caller waited for {rec} and asks for a token again")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)


