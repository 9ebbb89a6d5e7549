"""Connections break in ways that are no outage: the next call must do what it is for."""

from __future__ import annotations

import pytest

from flex_tokenstore import TokenConflictError, TokenPermissionError, TokenUnavailableError

from ._bench import Bench, ContractFixtures, FailOver, needed, within
from ._proxy import FaultProxy, How
from ._tokens import new_token, same

_TRIES = 2  # saves, of which one may fail: the store learns from the error


class NetworkTests(ContractFixtures):
    """Through the fixture ``proxy``, for stores on a server that they reach by TCP."""

    @pytest.mark.parametrize("how", ["reset", "close"])
    def test_a_connection_that_was_cut_is_replaced(
        self, bench: Bench, proxy: FaultProxy | None, how: How
    ) -> None:
        """A server closes connections that were idle, and all of them when it is restarted."""
        proxy = self._used(bench, proxy)
        token = new_token(bench.identity)
        bench.handle.set(token)
        proxy.cut(how)
        assert same(within(self.patience, bench.handle.get), token)
        proxy.cut(how)
        within(
            self.patience, lambda: bench.handle.set(new_token(bench.identity, 2), token.revision)
        )

    def test_a_connection_that_was_forgotten_is_replaced(
        self, bench: Bench, proxy: FaultProxy | None
    ) -> None:
        """A firewall or load balancer drops what was idle, and tells neither side."""
        proxy = self._used(bench, proxy)
        token = new_token(bench.identity)
        bench.handle.set(token)
        proxy.forget()
        found = within(self.patience, bench.handle.get)
        assert same(found, token), "a read that got no reply is to be tried once more"

    def test_a_save_whose_reply_was_lost_is_no_conflict(
        self, bench: Bench, proxy: FaultProxy | None
    ) -> None:
        """Whoever repeats it finds the token stored, which is that of this save."""
        proxy = self._used(bench, proxy)
        old, new = new_token(bench.identity, "old"), new_token(bench.identity, "lost-reply")
        bench.handle.set(old)
        proxy.lose_reply(b"access-lost-reply")
        try:
            within(self.patience, lambda: bench.handle.set(new, old.revision))
        except TokenConflictError:
            pytest.fail(
                "it repeated its own save, found the token stored, and called it a conflict"
            )
        except TokenUnavailableError:
            self._need_lost(proxy)
            found = within(self.patience, bench.handle.get)
            assert same(found, old) or same(found, new), "neither the old nor the new token"
        else:
            self._need_lost(proxy)
            assert same(bench.handle.get(), new), "the save was reported as done, and was not"

    def test_a_reply_that_was_cut_is_no_token(self, bench: Bench, proxy: FaultProxy | None) -> None:
        """Neither corrupt content nor an empty store."""
        proxy = self._used(bench, proxy)
        token = new_token(bench.identity, filling="x" * 2000)
        bench.handle.set(token)
        proxy.cut_reply(b"")  # whatever is asked next
        try:
            found = within(self.patience, bench.handle.get)
        except TokenUnavailableError:
            found = within(self.patience, bench.handle.get)
        self._need_lost(proxy)
        assert same(found, token)

    def test_a_slow_reply_is_waited_for(self, bench: Bench, proxy: FaultProxy | None) -> None:
        proxy = self._used(bench, proxy)
        token = new_token(bench.identity)
        bench.handle.set(token)
        with proxy.slow(0.1):
            assert same(within(self.patience, bench.handle.get), token)

    def test_a_primary_that_moved_is_found(
        self, bench: Bench, proxy: FaultProxy | None, fail_over: FailOver | None
    ) -> None:
        """Behind one address; the old server lives on, and refuses writes."""
        proxy = self._used(bench, proxy)
        token = new_token(bench.identity, "before")
        bench.handle.set(token)
        proxy.switch(*needed(fail_over, "fail_over")())
        after = new_token(bench.identity, "after")
        for tries_left in reversed(range(_TRIES)):
            try:
                within(self.patience, lambda: bench.handle.set(after, token.revision))
                break
            except (TokenUnavailableError, TokenPermissionError):
                if not tries_left:
                    pytest.fail(
                        "it stays with a server that refuses writes since the primary moved"
                    )
        assert same(within(self.patience, bench.handle.get), after)

    @staticmethod
    def _used(bench: Bench, proxy: FaultProxy | None) -> FaultProxy:
        """The proxy; a connection through it is open."""
        proxy = needed(proxy, "server_address")
        bench.handle.get()
        if not proxy.accepted:
            pytest.fail("store_config must let the store connect to proxy.address")
        return proxy

    @staticmethod
    def _need_lost(proxy: FaultProxy) -> None:
        if not proxy.lost:
            pytest.skip("the proxy cannot read the store's requests: they are encrypted or encoded")
