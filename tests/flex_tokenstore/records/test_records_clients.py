"""The base's clients: replaced when they are old, shared by threads, and each closed once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import StoreOptionsError, TokenUnavailableError
from flex_tokenstore.records import Kind, RemoteOptions
from flex_tokenstore.records._clients import Clients
from tests.support.fakes import IDENTITY

from .service import Coroutines, Fails, Failure, Program, Service, ServiceOptions, in_threads

Open = Callable[..., Program]


def closed(service: Service) -> list[int]:
    return [client.closed for client in service.clients]


def test_one_client_serves_all_calls_and_is_closed_once(
    open_program: Open, service: Service
) -> None:
    program = open_program()
    assert service.clients == []  # nothing is opened before the first call
    for _ in range(3):
        program.get()
    program.close()
    program.close()
    assert closed(service) == [1]


def test_an_idle_client_is_replaced(open_program: Open, service: Service) -> None:
    program = open_program()
    program.get()
    program.store._calls._clients._idle = -1.0  # more time than that has passed
    program.get()
    assert closed(service) == [1, 0]


def test_a_file_that_changes_replaces_the_client(
    open_program: Open, service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("a")
    program = open_program(paths=(str(file),))
    program.get()
    program.get()
    file.write_text("longer")
    program.get()
    assert closed(service) == [1, 0]
    file.unlink()
    program.get()
    assert closed(service) == [1, 1, 0]


def test_a_file_that_changes_while_the_client_is_made_replaces_it(
    open_program: Open, service: Service, tmp_path: Path
) -> None:
    """The client may have been made with what the file held before."""
    file = tmp_path / "password"
    file.write_text("a")
    program = open_program(paths=(str(file),), connecting=lambda: file.write_text("longer"))
    program.get()
    program.get()
    assert closed(service) == [1, 0]


@pytest.mark.parametrize("idle", [False, True])
def test_the_old_client_is_used_while_a_file_that_has_changed_cannot_be(
    open_program: Open, service: Service, tmp_path: Path, idle: bool
) -> None:
    file = tmp_path / "password"
    file.write_text("a")

    def connecting() -> None:
        if not file.exists() or not file.read_text():
            raise RemoteOptions.wrong("password_file", "is empty")

    program = open_program(paths=(str(file),), connecting=connecting)
    program.get()
    if idle:
        program.store._calls._clients._idle = -1.0  # more time than that has passed
    file.write_text("")
    program.get()
    file.unlink()
    program.get()
    assert closed(service) == [0]
    service.plan = {"read": [Fails(Failure(Kind.LOST))]}
    with pytest.raises(TokenUnavailableError, match=r"option password_file .* is empty"):
        program.get()  # there is no old one any more
    assert closed(service) == [1]
    file.write_text("longer")
    program.get()
    assert closed(service) == [1, 0]


def test_a_file_that_can_be_used_again_replaces_the_client(
    open_program: Open, service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("a")

    def connecting() -> None:
        if not file.read_text():
            raise RemoteOptions.wrong("password_file", "is empty")

    program = open_program(paths=(str(file),), connecting=connecting)
    program.get()
    file.write_text("")
    program.get()
    file.write_text("longer")
    program.get()
    assert closed(service) == [1, 0]


@pytest.mark.parametrize("wrong", ["url", "password_file"])
def test_an_option_that_cannot_be_used_is_told_unless_a_file_has_changed(
    service: Service, tmp_path: Path, wrong: str
) -> None:
    def connecting() -> None:
        if service.clients:
            raise RemoteOptions.wrong(wrong, "is wrong")

    file = tmp_path / "password"
    program = Program("sync", service, paths=(str(file),), connecting=connecting)
    program.get()
    if wrong == "url":
        file.write_text("a")
    else:
        program.store._calls._clients._idle = -1.0
    with pytest.raises((StoreOptionsError, TokenUnavailableError), match="is wrong"):
        program.get()


@pytest.mark.parametrize(
    ("error", "moves"),
    [
        (Failure(Kind.LOST), True),
        (Failure(Kind.WRONG_SERVER), True),
        (Failure(Kind.UNAVAILABLE), True),
        (TimeoutError(), True),
        (EOFError(), True),
        (Failure(Kind.BUSY), False),
        (Failure(Kind.DENIED), False),
        (KeyboardInterrupt(), True),
        (TypeError("a bug"), True),
    ],
    ids=lambda value: getattr(getattr(value, "kind", None), "name", type(value).__name__),
)
def test_whose_answer_may_still_come_is_not_used_again(
    open_program: Open, service: Service, error: BaseException, moves: bool
) -> None:
    program = open_program()
    service.plan = {"read": [Fails(error)]}
    with contextlib.suppress(TokenUnavailableError, KeyboardInterrupt, TypeError):
        program.get()
    program.get()
    assert closed(service) == ([1, 0] if moves else [0])


def test_a_cancelled_call_takes_its_client_along() -> None:
    service = Service()

    async def main() -> None:
        store = Coroutines(ServiceOptions(service), IDENTITY)
        await store.get_token()
        task = asyncio.create_task(store.get_token())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.get_token()
        assert closed(service) == [1, 0]
        await store.close()

    asyncio.run(main())


def test_a_call_whose_loop_is_gone_ends_without_one() -> None:
    service = Service()
    store = Coroutines(ServiceOptions(service), IDENTITY)
    steps: Any = store.get_token()
    loop = asyncio.new_event_loop()
    asyncio.events._set_running_loop(loop)
    try:
        steps.send(None)
        steps.send(None)
    finally:
        asyncio.events._set_running_loop(None)
        loop.close()
    steps.close()


def test_the_server_is_moved_away_from_twice(open_program: Open, service: Service) -> None:
    """It has died, and its name still leads to a former primary."""
    program = open_program()
    service.plan = {"read": [Fails(Failure(Kind.LOST)), Fails(Failure(Kind.WRONG_SERVER))]}
    assert program.get() is None
    assert closed(service) == [1, 1, 0]


def test_what_is_lost_at_its_time_limit_is_not_asked_again(service: Service) -> None:
    program = Program("sync", service, timeout=0.0)
    service.plan = {"read": [Fails(Failure(Kind.LOST))]}
    with pytest.raises(TokenUnavailableError):
        program.get()
    assert service.calls == ["read"]


def test_a_busy_server_is_asked_again_after_pauses(open_program: Open, service: Service) -> None:
    program = open_program()
    service.plan = {"read": [Fails(Failure(Kind.BUSY))]}
    assert program.get() is None
    service.plan = {"read": [Fails(Failure(Kind.BUSY)) for _ in range(9)]}
    program.store._where.timeout = 0.1
    with pytest.raises(TokenUnavailableError, match="it is BUSY"):
        program.get()


def test_calls_that_run_keep_their_client_open_when_the_store_is_closed(service: Service) -> None:
    program = Program("sync", service)
    inside, go_on = threading.Event(), threading.Event()

    def before(name: str) -> None:
        inside.set()
        assert go_on.wait(60)
        assert closed(service) == [0]

    service.before = before
    thread = threading.Thread(target=program.get)
    thread.start()
    assert inside.wait(60)
    program.close()
    program.close()
    assert closed(service) == [0]
    go_on.set()
    thread.join()
    assert closed(service) == [1]


def test_a_client_that_is_retired_before_its_call_begins_is_not_used() -> None:
    clients = Clients((), 60.0)
    held, spare = clients.add(None, "made", clients.stamp())
    assert spare is None
    assert clients.find(None) == (held, None)
    assert clients.take(None) is held  # by another thread
    assert not held.begin("call")
    assert clients.if_left(held) is None  # it is closed once
    assert clients.find(None) == (None, None)


def test_two_who_connect_at_once_use_one_client(service: Service) -> None:
    both = threading.Barrier(2, timeout=60)
    program = Program("sync", service, connecting=both.wait)
    in_threads(2, program.get)
    assert sorted(closed(service)) == [0, 1]
    program.close()
    assert closed(service) == [1, 1]


def test_a_forked_child_has_clients_of_its_own(
    open_program: Open, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = open_program()
    program.get()
    pid = os.getpid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: pid + 1_000_000)
        program.get()
        program.close()
    assert closed(service) == [0, 1]


def test_each_loop_has_a_client_and_a_closed_loops_is_left() -> None:
    service = Service()
    left = []

    class Store(Coroutines):
        def abandon(self, client: Any) -> None:
            left.append(client.number)

    store = Store(ServiceOptions(service), IDENTITY)
    for _ in range(2):
        asyncio.run(store.get_token())
    assert left == [0]
    asyncio.run(store.close())
    assert left == [0, 1]
    assert closed(service) == [0, 0]


def test_another_loop_that_runs_closes_its_own_client() -> None:
    service = Service()
    store = Coroutines(ServiceOptions(service), IDENTITY)
    ready, end = threading.Event(), threading.Event()

    async def other() -> None:
        await store.get_token()
        ready.set()
        while not end.is_set():
            await asyncio.sleep(0.001)
        while service.clients[0].closed == 0:
            await asyncio.sleep(0.001)

    thread = threading.Thread(target=lambda: asyncio.run(other()))
    thread.start()
    assert ready.wait(60)
    asyncio.run(store.close())
    end.set()
    thread.join()
    assert closed(service) == [1]
