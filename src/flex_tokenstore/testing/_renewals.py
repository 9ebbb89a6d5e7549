"""The refresh storm: however many need a token at once, the server is asked once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ._bench import Bench, ContractFixtures
from ._storm import AuthorizationServer, storm
from ._workers import Worker

_EXPIRED = 4000.0  # seconds ago


class RenewalTests(ContractFixtures):
    """With ``TokenSession`` and ``AsyncTokenSession``, as programs use the store."""

    @pytest.fixture
    def authorization_server(self) -> Iterator[AuthorizationServer]:
        """A model authorization server on loopback."""
        server = AuthorizationServer()
        yield server
        server.close()

    def test_a_storm_on_one_handle_is_one_request(
        self, bench: Bench, authorization_server: AuthorizationServer
    ) -> None:
        bench.handle.set(authorization_server.issue(bench.identity, age=_EXPIRED))
        digests = storm([bench.handle], authorization_server.address, 32)
        _check_storm(authorization_server, digests, 32)

    def test_a_storm_on_many_handles_is_one_request(
        self, bench: Bench, authorization_server: AuthorizationServer
    ) -> None:
        bench.second().set(authorization_server.issue(bench.identity, age=_EXPIRED))
        handles = [bench.open() for _ in range(6)]
        digests = storm(handles, authorization_server.address, 24)
        _check_storm(authorization_server, digests, 24)

    def test_a_storm_in_two_processes_is_one_request(
        self, bench: Bench, authorization_server: AuthorizationServer
    ) -> None:
        workers = bench.workers(2)
        bench.handle.set(authorization_server.issue(bench.identity, age=_EXPIRED))
        _check_storm(authorization_server, _storm_in(workers, authorization_server, 8), 16)

    def test_a_storm_on_an_empty_store_is_one_sign_in(
        self, bench: Bench, authorization_server: AuthorizationServer
    ) -> None:
        workers = bench.workers(2)
        digests = _storm_in(workers, authorization_server, 8)
        assert authorization_server.requests == ["sign_in"]
        assert len(digests) == 16
        assert len(set(digests)) == 1

    @pytest.mark.slow
    @pytest.mark.timeout(300)
    def test_a_storm_of_64_in_16_processes_is_one_request(
        self, bench: Bench, authorization_server: AuthorizationServer
    ) -> None:
        workers = bench.workers(16)
        bench.handle.set(authorization_server.issue(bench.identity, age=_EXPIRED))
        _check_storm(authorization_server, _storm_in(workers, authorization_server, 4), 64)


def _storm_in(workers: list[Worker], server: AuthorizationServer, callers: int) -> list[str]:
    for worker in workers:
        worker.send("storm", server.address, callers)
    return [digest for worker in workers for digest in worker.receive()]


def _check_storm(server: AuthorizationServer, digests: list[str], callers: int) -> None:
    assert server.requests == ["refresh"], "exactly one token request was expected"
    assert len(digests) == callers
    assert len(set(digests)) == 1
