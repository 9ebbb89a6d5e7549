"""Each event appears when it should, and nowhere a secret; through the public interfaces."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest

from flex_tokenstore import Event, GrantError
from flex_tokenstore._events.event import EVENT_NAMES
from tests.support.event_world import World
from tests.support.fakes import IDENTITY, stored


def first_sign_in(world: World) -> None:
    world.run("token", "token", "peek")


def expired(world: World) -> None:
    world.store.token = stored(world.server, age=4000)
    world.run("token", "token")


def another_programs_token(world: World) -> None:
    world.store.token = stored(world.server)
    world.run("token")


def rejected(world: World) -> None:
    world.store.token = stored(world.server, age=4000)
    world.server.live.clear()
    world.run("token")


def no_refresh_token(world: World) -> None:
    world.store.token = stored(world.server, age=4000)
    del world.store.token["refresh_token"]
    world.run("token")


def failed(world: World) -> None:
    world.store.token = stored(world.server, age=4000)
    world.server.failures = [GrantError("500", reason="transient"), GrantError("no")]
    world.run("token", "token", "token")


def not_sent(world: World) -> None:
    error = GrantError("no secret")
    error.sent = False
    world.server.failures = [error]
    world.run("token")


def failed_within_the_margin(world: World) -> None:
    world.store.token = stored(world.server, age=3590)
    world.server.failures = [GrantError("no")]
    world.run("token", "token")


def save_failed(world: World) -> None:
    world.store.set_errors = [OSError("disk full")]
    world.run("token", "token")


def saved_but_reported_an_error(world: World) -> None:
    def lose_the_answer() -> None:
        world.store.after_set = lambda: None
        raise OSError("connection lost")

    world.store.after_set = lose_the_answer
    world.run("token")


def replaced_meanwhile(world: World) -> None:
    world.store.set_errors = [OSError("disk full")]

    def replace() -> None:
        world.store.token = stored(world.server)

    world.run("token", replace)


def removed_meanwhile(world: World) -> None:
    def remove() -> None:
        world.store.token = None

    world.store.token = stored(world.server, age=4000)
    world.store.before_set = remove
    world.run("token")


def renewed_meanwhile(world: World) -> None:
    def renew() -> None:
        world.store.token = stored(world.server)

    world.store.token = stored(world.server, age=4000)
    world.store.before_set = renew
    world.run("token")


def corrupt(world: World) -> None:
    world.store.corrupt = True
    world.run("token")


def revoked(world: World) -> None:
    world.store.token = stored(world.server)
    world.run("revoke", "revoke")


def removed(world: World) -> None:
    world.store.token = stored(world.server)
    world.run("remove")


def unavailable(world: World) -> None:
    world.store.get_error = ConnectionError("refused")
    world.run("token", on_store_error="memory")


def unavailable_and_refused(world: World) -> None:
    world.store.get_error = ConnectionError("refused")
    world.server.failures = [GrantError("no")]
    world.run("token", on_store_error="memory")


def lock_held(world: World) -> None:
    world.store.busy = 2
    world.run("token")


def lock_held_until_renewed(world: World) -> None:
    def renew() -> None:
        world.store.token = world.store.token or stored(world.server)

    world.store.busy = 1000
    world.store.when_busy = renew
    world.run("token")


def lock_not_had(world: World) -> None:
    world.store.busy = 1000
    world.run("token", lock_timeout=0.0)


LOCK = "waited lock"
SCENARIOS: list[tuple[Callable[[World], None], list[str]]] = [
    (first_sign_in, [LOCK, "signed_in empty", "saved"]),
    (expired, [LOCK, "refreshed", "saved"]),
    (another_programs_token, ["adopted"]),
    (rejected, [LOCK, "refresh_rejected rejected", "signed_in rejected", "saved"]),
    (no_refresh_token, [LOCK, "signed_in no_refresh_token", "saved"]),
    (
        failed,
        [
            LOCK,
            "request_failed transient",
            "request_failed failed",
            "renewal_failed",
        ],
    ),
    (not_sent, [LOCK, "request_failed not_sent", "renewal_failed"]),
    (
        failed_within_the_margin,
        ["adopted", LOCK, "request_failed failed", "renewal_postponed"],
    ),
    (save_failed, [LOCK, "signed_in empty", "save_failed", "saved again"]),
    (saved_but_reported_an_error, [LOCK, "signed_in empty", "save_failed", "saved after_all"]),
    (replaced_meanwhile, [LOCK, "signed_in empty", "save_failed", "discarded replaced"]),
    (removed_meanwhile, [LOCK, "refreshed", "conflict", "discarded removed"]),
    (renewed_meanwhile, [LOCK, "refreshed", "conflict", "adopted"]),
    (corrupt, [LOCK, "quarantined", "signed_in empty", "saved"]),
    (revoked, [LOCK, "revoked", "removed revoke", LOCK]),
    (removed, [LOCK, "removed remove"]),
    (unavailable, ["store_unavailable", "signed_in store_unavailable"]),
    (
        unavailable_and_refused,
        ["store_unavailable", "request_failed failed", "renewal_failed"],
    ),
    (lock_held, [LOCK, "signed_in empty", "saved"]),
    (lock_held_until_renewed, ["adopted", "waited adopted"]),
    (lock_not_had, ["waited timeout", "renewal_failed"]),
]


@pytest.mark.parametrize(
    ("scenario", "expected"), SCENARIOS, ids=[scenario.__name__ for scenario, _ in SCENARIOS]
)
def test_each_event_appears_when_it_should(
    world: World,
    scenario: Callable[[World], None],
    expected: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    scenario(world)
    assert world.told == expected
    records = [r for r in caplog.records if hasattr(r, "flex_tokenstore")]
    assert [r.flex_tokenstore for r in records] == [e.to_dict() for e in world.events]
    for event in world.events:
        assert (event.store, event.identity_key) == ("Store", IDENTITY.key)
        asked = event.name in ("refreshed", "signed_in", "refresh_rejected", "request_failed")
        assert (event.grant_type is not None) is asked
        assert event.secret_sent is (
            event.grant_type == "client_credentials" and event.reason != "not_sent"
        )
        assert (event.seconds is not None) is (asked or event.name in ("waited", "save_failed"))
    shown = repr([vars(record) for record in caplog.records]) + caplog.text + repr(world.events)
    assert "SENTINEL" not in shown
    sent = [event for event in world.events if event.grant_type and event.reason != "not_sent"]
    assert len(sent) == len([call for call in world.server.calls if call != "revoke"]) - (
        scenario is not_sent
    )


def test_the_scenarios_cover_every_event() -> None:
    assert {told.split()[0] for _, expected in SCENARIOS for told in expected} == set(EVENT_NAMES)


def test_an_event_names_token_and_duration(world: World) -> None:
    token, *_ = world.run("token")
    signed_in = world.events[1]
    assert signed_in.digest == token.digest
    assert signed_in.seconds is not None
    assert 0 <= signed_in.seconds < 60
    assert "Store" in signed_in.place


def test_a_strangers_error_is_told_by_its_type_alone(world: World) -> None:
    world.store.token = stored(world.server, age=4000)
    world.server.failures = [RuntimeError("sent refresh-1-SENTINEL")]
    world.run("token")
    assert [event.error_type for event in world.events] == [None, "RuntimeError", "RuntimeError"]
    assert "SENTINEL" not in repr(world.events)


def test_what_happened_is_told_before_the_next_thing_happens(world: World) -> None:
    """But for the time between a token's arrival and its save."""
    seen: list[list[str]] = []
    world.server.before = lambda: seen.append(world.told)
    world.store.before_set = lambda: seen.append(world.told)
    first_sign_in(world)
    assert seen == [[LOCK], [LOCK]]


def test_a_second_call_that_met_401_takes_what_the_first_renewed_without_an_event(
    world: World,
) -> None:
    world.store.token = stored(world.server)

    async def main() -> None:
        session = await world.open(on_event=world.events.append)
        calls = [session.new_call(), session.new_call()]
        if world.kind == "sync":
            old = [call.token() for call in calls]
            new = [call.refused(token) for call, token in zip(calls, old, strict=True)]
        else:
            old = [await call.token() for call in calls]
            new = [await call.refused(token) for call, token in zip(calls, old, strict=True)]
        assert new[0] == new[1]
        await world.call(session, "close")

    asyncio.run(main())
    assert world.told == ["adopted", LOCK, "refreshed", "saved"]


def test_who_shares_a_renewal_of_the_same_process_tells_nothing() -> None:
    world = World("sync")
    entered, go = threading.Event(), threading.Event()

    def pause() -> None:
        entered.set()
        assert go.wait(30)

    world.server.before = pause
    others: list[Event] = []
    first = asyncio.run(world.open(on_event=world.events.append))
    second = asyncio.run(world.open(on_event=others.append))
    threads = [threading.Thread(target=session.token) for session in (first, second)]
    threads[0].start()
    assert entered.wait(30)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(30)
    first.close()
    second.close()
    # It shares the outcome, or, if it came too late for that, finds it in the store.
    assert others == [] or [event.name for event in others] == ["adopted"]
    assert world.told == [LOCK, "signed_in empty", "saved"]
