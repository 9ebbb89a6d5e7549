"""The explorer sees what it is for: each fault planted in the shipped flow breaks an invariant."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from collections.abc import Generator
from typing import Any

import pytest

from flex_integration_sdk._transport.deadline import Watch
from flex_tokenstore import ANY_REVISION
from flex_tokenstore._concurrency.promise import Promise
from flex_tokenstore._concurrency.spawn import spawn
from flex_tokenstore._session import attend, sync
from flex_tokenstore._session.base import SessionBase
from flex_tokenstore._session.budget import Budget
from flex_tokenstore._session.flow import (
    backoff,
    held_token,
    obtaining,
    reading,
    refresh_tokens,
    refusals,
    replica,
    requesting,
    revoking,
    saving,
    sign_ins,
    unsaved_token,
)
from flex_tokenstore._session.flow.reading import Found
from flex_tokenstore._session.flow.state import Outcome, State
from flex_tokenstore._session.flow.steps import Remove, Save, Step, Unlock, do
from flex_tokenstore._session.single_flight import Flight
from flex_tokenstore.errors import TokenStoreError

from .configs import (
    AGAIN,
    CALL,
    CALL_AND_REVOKE,
    OTHER,
    READER,
    READERS,
    REVOKE,
    THREE_CALLERS,
    TWICE,
    TWO_CALLERS,
    TWO_ENDPOINTS,
    TWO_IDENTITIES,
    config,
)
from .explore import Broken, Explorer
from .lines import SCENES, shorter_waits, strike_everywhere
from .model import Config
from .shipped import Fault
from .world import Violation

pytestmark = (
    pytest.mark.slow
)  # whether the explorer sees what it should; the default suite explores

ONE_REFUSED = config("1 session", (CALL,), stored="refused", budget=0)


Steps = Generator[Step, Any, Any]


def nothing(*_: Any, **__: Any) -> None:
    """In the place of a function that does something."""


def no_steps(*_: Any) -> Steps:
    """In the place of a part of the flow."""
    yield from ()


def always(*_: Any, **__: Any) -> bool:
    return True


def never(*_: Any, **__: Any) -> bool:
    return False


def faults(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


def pair(lock: str = "lease", *kinds: str, compare: bool = True, stored: str = "expired") -> Config:
    return config(
        "2 sessions", (CALL, CALL), lock=lock, compare=compare, stored=stored, faults=faults(*kinds)
    )


def breaks(invariant: str, config: Config, *planted: Fault, clean: bool = True) -> None:
    """That the faults break this invariant.

    ``clean``: also that without them it holds; not where the full part shows it at some length.
    """
    if clean:
        Explorer(config).run()
    with pytest.raises(Broken) as broken:
        Explorer(config, planted).run()
    assert broken.value.invariant == invariant, broken.value
    assert broken.value.moves


def test_no_second_read_after_the_lock_breaks_i2() -> None:
    shipped, last = reading.load, dict[int, Found]()

    def load(state: State) -> Steps:
        last[id(state)] = yield from shipped(state)
        return last[id(state)]

    def read_locked(state: State) -> Steps:
        yield from no_steps()
        return last[id(state)]

    breaks(
        "I2",
        pair("file", compare=False),
        Fault(reading, "load", load),
        Fault(reading, "read_locked", read_locked),
    )


def test_a_save_after_the_release_breaks_i2() -> None:
    shipped = saving.save

    def save(state: State, *rest: Any) -> Steps:
        yield from do(state, Unlock())
        return (yield from shipped(state, *rest))

    breaks("I2", pair("file", compare=False), Fault(saving, "save", save))


def test_a_save_without_expected_breaks_i2() -> None:
    def save(token: Any, expected: str | None) -> Save:
        return Save(token, ANY_REVISION)

    breaks("I2", pair("lease", "jump"), Fault(saving, "Save", save))


ADOPT_A_REFUSED_TOKEN = Fault(held_token, "is_acceptable", held_token.is_ours)


def test_adopting_a_refused_token_breaks_i6() -> None:
    breaks("I6", ONE_REFUSED, ADOPT_A_REFUSED_TOKEN, Fault(SessionBase, "_came_too_soon", never))


def test_adopting_a_refused_token_again_and_again_breaks_i5() -> None:
    breaks("I5", ONE_REFUSED, ADOPT_A_REFUSED_TOKEN)


def test_adopting_another_identitys_token_breaks_i4() -> None:
    both = config("2 identities", (TWO_IDENTITIES,), budget=0)
    breaks("I4", both, Fault(held_token, "is_ours", always))


def test_dropping_the_old_refresh_token_breaks_i2() -> None:
    fixed = config("2 sessions", (CALL, CALL), "fixed", budget=0)
    breaks("I2", fixed, Fault(requesting, "_with_refresh_token", lambda answer, refresh: answer))


def test_deleting_the_stored_token_when_it_is_rejected_breaks_i2() -> None:
    shipped = requesting.request

    def request(state: State, *rest: Any) -> Steps:
        token = yield from shipped(state, *rest)
        if token is None:
            yield from do(state, Remove(ANY_REVISION))
        return token

    breaks("I2", pair(stored="dead"), Fault(requesting, "request", request))


def test_taking_unavailable_for_empty_breaks_i7() -> None:
    shipped = reading.load

    def load(state: State) -> Steps:
        try:
            return (yield from shipped(state))
        except TokenStoreError:
            return Found(None)

    breaks("I7", pair("lease", "error"), Fault(reading, "load", load))


def test_no_shared_outcome_for_those_who_wait_breaks_step_2() -> None:
    one = config("2 callers", (TWO_CALLERS,), budget=0)
    breaks("step 2", one, Fault(SessionBase, "_takes", never))


def test_asking_again_for_what_another_call_was_refused_breaks_step_2() -> None:
    one = config("2 endpoints at once", (TWO_ENDPOINTS,), "family", api="refuses all", budget=0)

    def came_too_soon(session: SessionBase, outcome: Outcome, tried: Any) -> bool:
        return not outcome.final and outcome.token.access_token in session._state.refused

    breaks("step 2", one, Fault(SessionBase, "_came_too_soon", came_too_soon))


def choose_only_what_is_unsaved() -> Fault:
    shipped = refresh_tokens.choose
    return Fault(refresh_tokens, "choose", lambda state, stored: shipped(state, None))


def test_signing_in_though_a_refresh_token_is_stored_breaks_i3() -> None:
    breaks("I3", pair(), choose_only_what_is_unsaved())


# What the explorer found, planted again.


def test_stopping_an_abandoned_flight_after_its_request_breaks_i6() -> None:
    twice = config("1 session", (CALL,), compare=False, faults=faults("cancel", "jump"), budget=2)
    shipped = Flight.stops_before

    def stops_before(flight: Flight, step: Step) -> bool:
        stops = shipped(flight, step)
        flight.sent = False
        return stops

    breaks("I6", twice, Fault(Flight, "stops_before", stops_before))


def test_keeping_the_token_of_an_outage_for_ever_breaks_i7() -> None:
    memory = config("1 session", (AGAIN,), memory=True, faults=faults("error"))
    breaks("I7", memory, Fault(unsaved_token, "forget_own", nothing))


def test_no_way_on_with_a_working_token_in_an_outage_breaks_i5() -> None:
    memory = config(
        "1 session",
        (CALL,),
        memory=True,
        stored="aging",
        faults=faults("error", "refuse"),
        budget=2,
    )

    def obtain_without_store(state: State, early: bool) -> Steps:
        backoff.check_failure(state)
        return (yield from obtaining._renew_without_store(state))

    breaks("I5", memory, Fault(obtaining, "_obtain_without_store", obtain_without_store))


NO_LOOK_AT_THE_LEASE = Fault(State, "lease_is_short", never)


def test_a_revocation_beyond_its_lease_breaks_i1() -> None:
    alone = config("revoke", (REVOKE,), faults=faults("jump"))
    breaks("I1", alone, NO_LOOK_AT_THE_LEASE)


def test_losing_the_pair_of_a_failed_revocation_breaks_i6() -> None:
    alone = config("revoke", (REVOKE,), faults=faults("error", "loss"), budget=2)
    breaks("I6", alone, Fault(unsaved_token, "keep", nothing))


def test_leaving_a_revoked_token_in_the_store_is_seen() -> None:
    alone = config("revoke", (REVOKE,), faults=faults("done"))

    def remove_revoked(state: State, stored: Any) -> Steps:
        return (yield from do(state, Remove(Found(stored).revision)))

    breaks("revoke", alone, Fault(revoking, "_remove_revoked", remove_revoked))


def test_a_request_beyond_the_lease_breaks_i1() -> None:
    breaks("I1", pair("lease", "late"), NO_LOOK_AT_THE_LEASE)


def test_a_save_beyond_the_lease_without_compare_and_set_breaks_i2() -> None:
    breaks("I2", pair("lease", "jump", compare=False), Fault(State, "may_write", always))


def test_moving_corrupt_content_aside_beyond_the_lease_breaks_i2() -> None:
    beside = pair("lease", "late", compare=False, stored="corrupt")
    breaks("I2", beside, Fault(State, "may_move_aside", always), clean=False)


def test_an_older_outcome_in_the_place_of_what_is_known_breaks_step_2() -> None:
    one = config("2 callers and revoke", (THREE_CALLERS,), budget=0)
    shipped = SessionBase._takes

    def takes(session: SessionBase, outcome: Outcome, *, own: bool) -> bool:
        return shipped(session, outcome, own=False)

    breaks("step 2", one, Fault(SessionBase, "_takes", takes), clean=False)


def test_the_error_of_anothers_revocation_breaks_step_2() -> None:
    one = config("call and revoke", (CALL_AND_REVOKE,), faults=faults("error"))
    shipped = SessionBase._is_personal

    def is_personal(session: SessionBase, flight: Flight, leads: bool) -> bool:
        return shipped(session, flight, leads) and not flight.private

    breaks("step 2", one, Fault(SessionBase, "_is_personal", is_personal))


# What other people's users met.


def test_no_bound_on_the_tokens_that_one_call_obtains_breaks_i5() -> None:
    repeats = config("1 session", (CALL,), "same-access", stored="refused", budget=0)

    def is_hopeless(budget: Budget, monotonic: float) -> bool:
        return "signed_in" in budget._tried or refusals.refreshes_in_vain(budget._state, monotonic)

    breaks(
        "I5",
        repeats,
        Fault(Budget, "_is_of_no_use", never),
        Fault(Budget, "_is_hopeless", is_hopeless),
    )


def test_no_new_trust_in_a_refresh_token_that_a_sign_in_brings_breaks_i3() -> None:
    again = config("1 session", (AGAIN,), "same-refresh", stored="dead", budget=0)
    breaks("I3", again, Fault(refresh_tokens, "renew_trust", nothing))


def test_a_request_that_does_not_end_at_its_limit_breaks_i1() -> None:
    breaks("I1", pair("lease", "time-out"), Fault(Watch, "over", never))


def test_a_request_whose_token_cannot_be_saved_breaks_i6() -> None:
    denied = config("1 session", (CALL,), denied=True, budget=0)
    breaks("I6", denied, Fault(obtaining, "_check_that_it_can_be_saved", no_steps))


def test_a_refresh_that_the_programs_end_takes_along_breaks_i6() -> None:
    ends = config("1 session", (CALL,), faults=faults("end"))
    breaks("I6", ends, Fault(attend, "hide", nothing))


def test_a_refresh_that_the_end_of_its_callers_stops_breaks_i6() -> None:
    ends = config("1 session", (CALL,), faults=faults("end"))
    breaks("I6", ends, Fault(attend, "may_stop", always))


def struck(invariant: str, *planted: Fault) -> None:
    """That the faults break this invariant where an exception strikes the waiting thread."""

    def strike() -> None:
        for scene in SCENES:
            strike_everywhere(scene)

    with shorter_waits(planted), pytest.raises(Violation, match=rf"^{invariant}\b"):
        strike()


def test_a_refresh_in_a_thread_that_ends_with_the_program_breaks_i6() -> None:
    def spawn_alike(target: Any, name: str, *, daemon: bool) -> None:
        spawn(target, name, daemon=threading.current_thread().daemon)

    struck("I6", Fault(sync, "spawn", spawn_alike))


class _OneLock(Promise):
    """Its methods are those of a promise whose waiters share a lock."""

    _future: concurrent.futures.Future[None]

    def made(self) -> None:
        self._given, self._wakers = {}, {}
        self._future = concurrent.futures.Future()

    def given(self, value: Any, error: BaseException | None = None) -> None:
        if not self._future.done():
            self._future.set_result(None)
        self._given.setdefault("given", (value, error))
        for wake in list(self._wakers.values()):
            wake()

    def waited(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            self._future.result(seconds)
        return self.done()


def test_a_wait_on_a_lock_that_all_share_breaks_i5() -> None:
    struck(
        "I5",
        Fault(Promise, "__init__", _OneLock.made),
        Fault(Promise, "give", _OneLock.given),
        Fault(Promise, "wait", _OneLock.waited),
    )


def test_no_belief_in_an_endpoints_401_breaks_i5() -> None:
    refused = config("1 session, twice", (TWICE,), api="refuses all", budget=0)
    breaks("I5", refused, Fault(refusals, "believe", nothing))


def test_no_bound_on_the_sign_ins_that_401s_cause_breaks_i5() -> None:
    hunted = config("1 session", (OTHER,), api="refuses all", stored="hunted", budget=0)
    breaks("I5", hunted, Fault(sign_ins, "_are_used_up", never))


def test_a_bound_that_other_programs_do_not_know_of_breaks_i5() -> None:
    hunted = config("1 session", (OTHER,), api="refuses all", stored="hunted", budget=0)

    def known_sign_ins(state: State, tokens: Any) -> set[float]:
        return set(state.sign_ins)

    breaks("I5", hunted, Fault(sign_ins, "_known", known_sign_ins))


def test_a_failing_schedule_can_be_read_and_replayed() -> None:
    fault = choose_only_what_is_unsaved()
    with pytest.raises(Broken) as broken:
        Explorer(pair(), (fault,)).run()
    assert "P0 caller0 begin call" in str(broken.value)
    with pytest.raises(Broken) as again:
        Explorer(pair(), (fault,)).replay(broken.value.moves)
    assert again.value.invariant == "I3"
    assert again.value.moves == broken.value.moves


def test_a_reader_that_renews_breaks_i8() -> None:
    def watch(state: State, found: Found, early: bool) -> Steps:
        return (yield from obtaining._renew(state, early))

    reader = config("a reader", (READER,), faults=faults())
    breaks("I8", reader, Fault(replica, "watch", watch))


def test_a_reader_that_goes_on_without_the_store_breaks_i8() -> None:
    def watch(state: State, found: Found, early: bool) -> Steps:
        return (yield from obtaining._obtain_without_store(state, early))

    reader = config("a reader", (READER,), memory=True, faults=faults("error"))
    breaks("I8", reader, Fault(replica, "watch", watch))


def test_a_reader_that_revokes_or_removes_breaks_i8() -> None:
    breaks("I8", config("a reader", (READERS,), budget=0), Fault(replica, "refuse", nothing))
