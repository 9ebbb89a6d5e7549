"""Each event appears when it should, and nowhere a secret; through the public interfaces."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from flex_tokenstore import (
    AsyncTokenSession,
    Event,
    GrantError,
    TokenConflictError,
    TokenCorruptError,
    TokenLockTimeoutError,
    TokenSession,
    TokenUnavailableError,
    _flow,
    open_async_store,
    open_store,
    revision_of,
)
from flex_tokenstore._events import EVENT_NAMES

from .fakes import IDENTITY, AsyncServer, DictStore, Server, stored

Kind = Literal["sync", "async"]


class Store(DictStore):
    """Compare-and-set and a lock that another holds for some tries; tells it if corrupt."""

    def __init__(self) -> None:
        super().__init__()
        self.corrupt = False
        self.busy = 0
        self.before_set: Callable[[], None] = lambda: None
        self.after_set: Callable[[], None] = lambda: None
        self.when_busy: Callable[[], None] = lambda: None

    def get_token(self) -> dict[str, Any] | None:
        if self.corrupt:
            raise TokenCorruptError("no token here", revision="junk")
        return super().get_token()

    def set_token(  # type: ignore[override]  # a store may take more
        self, token: dict[str, Any], expected: str | None
    ) -> None:
        before, self.before_set = self.before_set, lambda: None
        before()
        found = None if self.token is None else revision_of(self.token)
        if expected not in (found, "*"):
            raise TokenConflictError("another is stored")
        super().set_token(token)
        self.after_set()

    def remove_token(  # type: ignore[override]  # a store may take more
        self, expected: str | None
    ) -> None:
        self.corrupt = False
        super().remove_token()

    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[None]:
        if self.busy:
            self.busy -= 1
            self.when_busy()
            raise TokenLockTimeoutError("another holds it")
        yield


class World:
    """A store, a server and the events of all sessions on them, sync or async."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.server = Server()
        self.store = Store()
        self.events: list[Event] = []

    def run(self, *calls: str | Callable[[], Any], **options: Any) -> list[Any]:
        """What each call of a new session gives or raises; the session is closed at the end."""
        options.setdefault("on_event", self.events.append)
        return asyncio.run(self._run(calls, options))

    async def _run(
        self, calls: tuple[str | Callable[[], Any], ...], options: dict[str, Any]
    ) -> list[Any]:
        session = await self.open(**options)
        results: list[Any] = []
        for call in (*calls, "close"):
            try:
                if callable(call):
                    call()
                else:
                    results.append(await self.call(session, call))
            except Exception as error:
                results.append(error)
        return results

    async def open(self, **options: Any) -> Any:
        if self.kind == "sync":
            store = open_store(self.store, IDENTITY, host_lock="off")
            return TokenSession(store, self.server, **options)
        handle = await open_async_store(self.store, IDENTITY, host_lock="off")
        return AsyncTokenSession(handle, AsyncServer(self.server), **options)

    async def call(self, session: Any, call: str) -> Any:
        if self.kind == "sync":
            return getattr(session, call)()
        return await getattr(session, "aclose" if call == "close" else call)()

    @property
    def told(self) -> list[str]:
        """Name and reason of each event so far, in order."""
        return [f"{e.name} {e.reason}" if e.reason else e.name for e in self.events]


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(_flow, "SECOND_LOOK", 0.001)
    monkeypatch.setattr(_flow, "SLICE", 0.001)
    return World(request.param)


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


@pytest.mark.parametrize("raised", [ValueError("SENTINEL"), SystemExit(3)])
def test_a_callback_that_raises_is_of_no_consequence(
    world: World, raised: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Event) -> None:
        raise raised

    token, *_ = world.run("token", on_event=fail)
    assert world.store.token == token.to_dict()
    failures = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert failures == [
        f"on_event failed at event {name}: {type(raised).__name__}"
        for name in ("waited", "signed_in", "saved")
    ]


def test_a_callback_that_uses_the_session_is_refused_and_does_not_hang() -> None:
    server = Server()
    refusals: list[tuple[str, str]] = []

    def use(event: Event) -> None:
        for call in (session.token, session.revoke, session.close):
            try:
                call()
            except RuntimeError as error:
                refusals.append((event.name, str(error)[:8]))

    with TokenSession(
        open_store(DictStore(), IDENTITY, host_lock="off"), server, on_event=use
    ) as session:
        session.token()
    assert refusals[:3] == [("waited", "on_event")] * 3
    # By the time of the last events the token is in memory, and using it is no renewal.
    assert refusals.count(("saved", "on_event")) == 2


def test_a_task_that_an_async_callback_starts_may_use_the_session() -> None:
    async def main() -> None:
        world = World("async")
        tasks: list[asyncio.Task[Any]] = []

        def start(event: Event) -> None:
            tasks.append(asyncio.get_running_loop().create_task(session.token()))

        session = await world.open(on_event=start)
        async with session:
            token = await session.token()
            assert set(await asyncio.gather(*tasks)) == {token}
        assert world.server.calls == ["sign_in"]

    asyncio.run(main())


def test_while_a_callback_runs_other_threads_use_the_token_that_still_works() -> None:
    world = World("sync")
    world.store.token = old = stored(world.server, age=3590)
    others: list[Any] = []

    def wait_for_another(event: Event) -> None:
        if event.name == "waited":
            thread = threading.Thread(target=lambda: others.append(session.token()))
            thread.start()
            thread.join(30)

    session = asyncio.run(world.open(on_event=wait_for_another))
    with session:
        session.token()
    assert [token.to_dict() for token in others] == [old]


async def _coroutine(event: Event) -> None:
    """Not what is wanted."""


class _AsyncCallable:
    async def __call__(self, event: Event) -> None:
        """Not what is wanted either."""


@pytest.mark.parametrize("wrong", [_coroutine, _AsyncCallable(), "print"])
def test_what_is_no_plain_function_is_refused(world: World, wrong: Any) -> None:
    with pytest.raises(TypeError, match="on_event takes a"):
        asyncio.run(world.open(on_event=wrong))


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


def test_an_error_that_cannot_be_shown_is_of_no_consequence(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Unprintable(TokenUnavailableError):
        def __str__(self) -> str:
            raise ValueError("SENTINEL")

    world.store.set_errors = [Unprintable()]
    token, *_ = world.run("token", on_event=None)
    assert world.store.token == token.to_dict()
    failures = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert failures == ["the report failed at event save_failed: ValueError"]
