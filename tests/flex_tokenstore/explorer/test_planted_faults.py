"""The explorer sees what it is for: each fault planted in the shipped flow breaks an invariant."""

from __future__ import annotations

import pytest

from .configs import (
    AGAIN,
    CALL,
    CALL_AND_REVOKE,
    OTHER,
    REVOKE,
    THREE_CALLERS,
    TWICE,
    TWO_CALLERS,
    TWO_ENDPOINTS,
    TWO_IDENTITIES,
    config,
)
from .explore import Broken, Explorer
from .lines import SCENES, Copy, strike_everywhere
from .model import Config
from .shipped import Edit
from .world import Violation

pytestmark = (
    pytest.mark.slow
)  # whether the explorer sees what it should; the default suite explores

ONE_REFUSED = config("1 session", (CALL,), stored="refused", budget=0)


def faults(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


def pair(lock: str = "lease", *kinds: str, compare: bool = True, stored: str = "expired") -> Config:
    return config(
        "2 sessions", (CALL, CALL), lock=lock, compare=compare, stored=stored, faults=faults(*kinds)
    )


def breaks(invariant: str, config: Config, *edits: Edit, clean: bool = True) -> None:
    """That the faults break this invariant.

    ``clean``: also that without them it holds; not where the full part shows it at some length.
    """
    if clean:
        Explorer(config).run()
    with pytest.raises(Broken) as broken:
        Explorer(config, edits).run()
    assert broken.value.invariant == invariant, broken.value
    assert broken.value.moves


def test_no_second_read_after_the_lock_breaks_i2() -> None:
    breaks(
        "I2",
        pair("file", compare=False),
        Edit(
            "_flow", "(yield from _renew(state, early))", "(yield from _renew(state, early, found))"
        ),
        Edit("_flow", "def _renew(state: State, early: bool)", "def _renew(state, early, found)"),
        Edit("_flow", "        found = yield from _read_locked(state)\n", ""),
    )


def test_a_save_after_the_release_breaks_i2() -> None:
    old = "    outcome = yield from _save(\n"
    new = "    yield from _do(state, Unlock())\n" + old
    breaks("I2", pair("file", compare=False), Edit("_flow", old, new))


def test_a_save_without_expected_breaks_i2() -> None:
    indent = " " * 12
    old = f"{indent}reply = yield from _do(state, Save(token, expected))"
    new = f"{indent}reply = yield from _do(state, Save(token, ANY_REVISION))"
    breaks("I2", pair("lease", "jump"), Edit("_flow", old, new))


def test_adopting_a_refused_token_breaks_i6() -> None:
    old = " and token.access_token not in self.refused\n"
    breaks("I6", ONE_REFUSED, Edit("_state", old, "\n"))


def test_adopting_another_identitys_token_breaks_i4() -> None:
    both = config("2 identities", (TWO_IDENTITIES,), budget=0)
    breaks("I4", both, Edit("_state", "token.identity_key == self.identity_key and ", ""))


def test_dropping_the_old_refresh_token_breaks_i2() -> None:
    fixed = config("2 sessions", (CALL, CALL), "fixed", budget=0)
    old = 'if refresh is not None and not answer.get("refresh_token"):'
    breaks("I2", fixed, Edit("_flow", old, "if False:"))


def test_deleting_the_stored_token_when_it_is_rejected_breaks_i2() -> None:
    old = "            state.dead.add(refresh)\n"
    new = old + "            yield from _do(state, Remove(ANY_REVISION))\n"
    breaks("I2", pair(stored="dead"), Edit("_flow", old, new))


def test_taking_unavailable_for_empty_breaks_i7() -> None:
    old = "        raise reply.error\n    return Found(reply.value)\n"
    new = "        return Found(None)\n    return Found(reply.value)\n"
    breaks("I7", pair("lease", "error"), Edit("_flow", old, new))


def test_no_shared_outcome_for_those_who_wait_breaks_step_2() -> None:
    one = config("2 callers", (TWO_CALLERS,), budget=0)
    old = "return outcome if self._state.share(outcome, own=flight.owner is self) else None"
    breaks("step 2", one, Edit("_session_base", old, "return None"))


def test_asking_again_for_what_another_call_was_refused_breaks_step_2() -> None:
    one = config("2 endpoints at once", (TWO_ENDPOINTS,), "family", api="refuses all", budget=0)
    old = "if not outcome.final and outcome.token.access_token in tried:"
    new = "if not outcome.final and outcome.token.access_token in self._state.refused:"
    breaks("step 2", one, Edit("_session_base", old, new))


def test_signing_in_though_a_refresh_token_is_stored_breaks_i3() -> None:
    old = "for token in (pending, stored):"
    breaks("I3", pair(), Edit("_state", old, "for token in (pending,):"))


# What the explorer found, planted again.


def test_stopping_an_abandoned_flight_after_its_request_breaks_i6() -> None:
    twice = config("1 session", (CALL,), compare=False, faults=faults("cancel", "jump"), budget=2)
    breaks("I6", twice, Edit("_gate", "before, self.sent = self.sent, True", "before = False"))


def test_keeping_the_token_of_an_outage_for_ever_breaks_i7() -> None:
    memory = config("1 session", (AGAIN,), memory=True, faults=faults("error"))
    breaks(
        "I7",
        memory,
        Edit("_flow", "state.failure = state.own = None", "state.failure = None"),
        Edit(
            "_state",
            "self.unsaved = self.own = None\n        return",
            "self.unsaved = None\n        return",
        ),
    )


def test_no_way_on_with_a_working_token_in_an_outage_breaks_i5() -> None:
    memory = config(
        "1 session",
        (CALL,),
        memory=True,
        stored="aging",
        faults=faults("error", "refuse"),
        budget=2,
    )
    old = (
        "    except Exception:  # noqa: BLE001 - as above\n        return _carry_on(state, early)\n"
    )
    breaks("I5", memory, Edit("_flow", old, "    finally:\n        pass\n"))


def test_a_revocation_beyond_its_lease_breaks_i1() -> None:
    alone = config("revoke", (REVOKE,), faults=faults("jump"))
    old = "    if state.lease_is_short():\n        raise GrantError("
    breaks("I1", alone, Edit("_flow", old, "    if False:\n        raise GrantError("))


def test_losing_the_pair_of_a_failed_revocation_breaks_i6() -> None:
    alone = config("revoke", (REVOKE,), faults=faults("error", "loss"), budget=2)
    old = "        state.keep_unsaved(fresh, expected, unsaved)\n"
    breaks("I6", alone, Edit("_flow", old, "        pass\n"))


def test_leaving_a_revoked_token_in_the_store_is_seen() -> None:
    alone = config("revoke", (REVOKE,), faults=faults("done"))
    old = "reply = yield from _do(state, Remove(unsaved.token.revision))"
    breaks("revoke", alone, Edit("_flow", old, "pass"))


def test_a_request_beyond_the_lease_breaks_i1() -> None:
    old = "        if state.lease_is_short():\n            yield from _do(state, Unlock())"
    new = "        if False:\n            yield from _do(state, Unlock())"
    breaks("I1", pair("lease", "late"), Edit("_flow", old, new))


def test_a_save_beyond_the_lease_without_compare_and_set_breaks_i2() -> None:
    old = "if compare or not state.lease_is_over():"
    breaks("I2", pair("lease", "jump", compare=False), Edit("_flow", old, "if True:"))


def test_moving_corrupt_content_aside_beyond_the_lease_breaks_i2() -> None:
    old = "        return found  # another may hold the lock by the time it is moved\n"
    beside = pair("lease", "late", compare=False, stored="corrupt")
    breaks("I2", beside, Edit("_flow", old, "        pass\n"), clean=False)


def test_an_older_outcome_in_the_place_of_what_is_known_breaks_step_2() -> None:
    one = config("2 callers and revoke", (THREE_CALLERS,), budget=0)
    breaks("step 2", one, Edit("_state", " and not own:", ":"), clean=False)


def test_the_error_of_anothers_revocation_breaks_step_2() -> None:
    one = config("call and revoke", (CALL_AND_REVOKE,), faults=faults("error"))
    old = "        if flight.private:\n            return None\n"
    breaks("step 2", one, Edit("_session_base", old, ""))


# What other people's users met.

BELIEF = Edit("_state", "self.believed[endpoint] = monotonic + BELIEVED", "pass")


def test_no_bound_on_the_tokens_that_one_call_obtains_breaks_i5() -> None:
    repeats = config("1 session", (CALL,), "same-access", stored="refused", budget=0)
    breaks(
        "I5",
        repeats,
        Edit(
            "_budget",
            "if outcome.final or again or access in self.refused:",
            "if False:",
        ),
        Edit("_budget", "            self._final\n            or ", "            "),
        Edit("_budget", "len(self._tried) == MOST_TOKENS", "False"),
    )


def test_no_new_trust_in_a_refresh_token_that_a_sign_in_brings_breaks_i3() -> None:
    again = config("1 session", (AGAIN,), "same-refresh", stored="dead", budget=0)
    breaks("I3", again, Edit("_flow", "state.renew_trust(token)", "pass"))


def test_a_request_that_does_not_end_at_its_limit_breaks_i1() -> None:
    old, new = "        if now < self._end:\n", "        if True:\n"
    breaks("I1", pair("lease", "time-out"), Edit("deadline", old, new))


def test_a_request_whose_token_cannot_be_saved_breaks_i6() -> None:
    denied = config("1 session", (CALL,), denied=True, budget=0)
    old = "        yield from _must(state, Prepare(found.revision))\n        if state.lease"
    breaks("I6", denied, Edit("_flow", old, "        if state.lease"))


def test_a_refresh_that_the_programs_end_takes_along_breaks_i6() -> None:
    ends = config("1 session", (CALL,), faults=faults("end"))
    breaks("I6", ends, Edit("_attend", "    hide(work)\n", ""))


def test_a_refresh_that_the_end_of_its_callers_stops_breaks_i6() -> None:
    ends = config("1 session", (CALL,), faults=faults("end"))
    breaks(
        "I6", ends, Edit("_attend", "            if not flight.sent:\n", "            if True:\n")
    )


def struck(invariant: str, *edits: Edit) -> None:
    """That the faults break this invariant where an exception strikes the waiting thread."""

    def strike() -> None:
        for scene in SCENES:
            strike_everywhere(Copy(edits), scene)

    with pytest.raises(Violation, match=rf"^{invariant}\b"):
        strike()


def test_a_refresh_in_a_thread_that_ends_with_the_program_breaks_i6() -> None:
    old = '"flex-tokenstore-renewal", daemon=False'
    new = '"flex-tokenstore-renewal", daemon=threading.current_thread().daemon'
    struck("I6", Edit("_session", old, new))


def test_a_wait_on_a_lock_that_all_share_breaks_i5() -> None:
    given = "        self._given.setdefault("
    future = "        if not self._future.done():\n            self._future.set_result(None)\n"
    wait = (
        "        try:\n            self._future.result(seconds)\n"
        "        except TimeoutError:\n            pass\n        return self.done()\n"
    )
    struck(
        "I5",
        Edit("_promise", "import threading\n", "import threading, concurrent.futures\n"),
        Edit(
            "_promise",
            "        self._wakers: dict",
            "        self._future = concurrent.futures.Future()\n        self._wakers: dict",
        ),
        Edit("_promise", given, f"{future}{given}"),
        Edit("_promise", "        sleeper = threading.Lock()\n", wait),
    )


def test_no_belief_in_an_endpoints_401_breaks_i5() -> None:
    refused = config("1 session, twice", (TWICE,), api="refuses all", budget=0)
    breaks("I5", refused, BELIEF)


def test_no_bound_on_the_sign_ins_that_401s_cause_breaks_i5() -> None:
    hunted = config("1 session", (OTHER,), api="refuses all", stored="hunted", budget=0)
    old = "if by_api and len(sign_ins) >= MOST_SIGN_INS:"
    breaks("I5", hunted, Edit("_flow", old, "if False:"))


def test_a_bound_that_other_programs_do_not_know_of_breaks_i5() -> None:
    hunted = config("1 session", (OTHER,), api="refuses all", stored="hunted", budget=0)
    old = "*(at for token in tokens if token for at in token.sign_ins)"
    breaks("I5", hunted, Edit("_state", old, ""))


def test_a_fault_that_cannot_be_planted_is_an_error() -> None:
    with pytest.raises(AssertionError, match="cannot be planted"):
        Explorer(ONE_REFUSED, (Edit("_flow", "this is not in the source", ""),))


def test_a_failing_schedule_can_be_read_and_replayed() -> None:
    old = "for token in (pending, stored):"
    edit = Edit("_state", old, "for token in (pending,):")
    with pytest.raises(Broken) as broken:
        Explorer(pair(), (edit,)).run()
    assert "P0 caller0 begin call" in str(broken.value)
    with pytest.raises(Broken) as again:
        Explorer(pair(), (edit,)).replay(broken.value.moves)
    assert again.value.invariant == "I3"
    assert again.value.moves == broken.value.moves
