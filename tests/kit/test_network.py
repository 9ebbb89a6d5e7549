"""The proxy breaks connections as it says; the kit finds the stores that cannot live with it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flex_tokenstore.testing import FaultProxy

from .network_suite import STORES
from .remote import NoSecondTry, Server, TcpStore, running
from .zoo.test_zoo import run

SUITE = "tests/kit/network_suite.py"
LINE = b"request\n"


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """Before a server that echoes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                while data := connection.recv(1000):
                    connection.sendall(data)

        def accept() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        with FaultProxy(*listener.getsockname()) as proxy:
            yield proxy
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[socket.socket]:
    """A connection through it, used once."""
    with connected(proxy) as client:
        assert asked(client) == LINE
        yield client


def connected(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(proxy.address, 5)


def asked(client: socket.socket, line: bytes = LINE) -> bytes:
    client.sendall(line)
    return client.recv(1000)


def is_silent(client: socket.socket) -> bool:
    client.settimeout(0.15)
    try:
        asked(client)
    except TimeoutError:
        return True
    return False


def test_it_passes_bytes_on_and_counts_connections(proxy: FaultProxy) -> None:
    with connected(proxy) as one, connected(proxy) as two:
        assert asked(one, b"1") == b"1"
        assert asked(two, b"x" * 500) == b"x" * 500
        assert proxy.accepted == 2


def test_a_reset_is_a_reset(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.cut("reset")
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_close_is_an_end(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.cut("close")
    assert client.recv(1) == b""


def test_what_is_forgotten_is_silent_and_new_connections_work(
    proxy: FaultProxy, client: socket.socket
) -> None:
    proxy.forget()
    assert is_silent(client)
    with connected(proxy) as another:
        assert asked(another) == LINE


def test_while_it_is_down_connections_are_refused(proxy: FaultProxy, client: socket.socket) -> None:
    with proxy.down():
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                connected(proxy)
    with connected(proxy) as another:
        assert asked(another) == LINE


def test_while_it_is_silent_nothing_is_answered(proxy: FaultProxy, client: socket.socket) -> None:
    with proxy.silent():
        assert is_silent(client)
        with connected(proxy) as another:
            assert is_silent(another)
    with connected(proxy) as another:
        assert asked(another) == LINE


def test_a_slow_reply_takes_its_time(proxy: FaultProxy, client: socket.socket) -> None:
    with proxy.slow(0.1):
        began = time.monotonic()
        assert asked(client) == LINE
        assert time.monotonic() - began >= 0.1


def test_a_reply_is_lost_to_the_request_that_is_meant(
    proxy: FaultProxy, client: socket.socket
) -> None:
    proxy.lose_reply(b"this one")
    assert asked(client, b"another") == b"another"
    with pytest.raises(ConnectionResetError):
        asked(client, b"not another but this one")
    assert proxy.lost == 1
    with connected(proxy) as second:
        assert asked(second, b"this one") == b"this one"


def test_half_of_a_reply_comes_back(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.cut_reply(b"12")
    assert asked(client, b"1234567890") == b"12345"
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_it_is_pointed_at_another_server(proxy: FaultProxy, client: socket.socket) -> None:
    with running(Server({})) as server:
        proxy.switch(*server.address)
        assert asked(client) == LINE  # an open connection stays
        with connected(proxy) as another:
            assert asked(another, b'{"do": "get", "key": "k"}\n') == b'{"token": null}\n'


def test_a_server_that_is_not_there_resets(proxy: FaultProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    proxy.switch("127.0.0.1", port)
    with pytest.raises(OSError, match="reset"), connected(proxy) as client:
        asked(client)


CAUGHT = {
    "NoSecondTry": "test_a_connection_that_was_cut_is_replaced[sync-reset]",
    "ConflictsWithItself": "test_a_save_whose_reply_was_lost_is_no_conflict[sync]",
    "StaysWithTheOldServer": "test_a_primary_that_moved_is_found[sync]",
    "TakesHalfAReply": "test_a_reply_that_was_cut_is_no_token[sync]",
}


def test_the_kit_finds_who_cannot_live_with_a_network(tmp_path: Path) -> None:
    assert {store.__name__ for store in STORES} == {TcpStore.__name__, *CAUGHT}
    broken = {f"Test{store}::{test}" for store, test in CAUGHT.items()}
    correct = {f"Test{TcpStore.__name__}::{test}" for test in CAUGHT.values()}
    outcome = run(tmp_path, *(f"{SUITE}::{name}" for name in (*broken, *correct)))
    assert outcome.failed == broken
    assert outcome.passed == correct


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_store_that_can_passes_the_fast_kit(tmp_path: Path) -> None:
    outcome = run(tmp_path, "-m", "not slow", f"{SUITE}::TestTcpStore")
    assert not outcome.failed
    assert len(outcome.passed) > 150


@pytest.mark.slow
def test_a_connection_that_was_forgotten_is_found_by_the_kit(tmp_path: Path) -> None:
    outcome = run(tmp_path, "-k", "forgotten", SUITE)
    assert not {name for name in outcome.failed if name.startswith("TestTcpStore::")}
    assert f"Test{NoSecondTry.__name__}" in {name.partition("::")[0] for name in outcome.failed}
