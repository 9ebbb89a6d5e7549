"""All who open the store see the same token, and see it whole."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import pytest

from ._bench import Bench, ContractFixtures, together
from ._handles import KINDS
from ._tokens import new_token, same
from ._work import check_whole, read_tokens, write_tokens

_SIZE = 60_000  # bytes of a token; large enough for a write in several parts
_ROUNDS_OF_KILLS = 8
_FORKED_WITHIN = 15.0  # seconds in which a forked child stores and reads one token


class SharingTests(ContractFixtures):
    """Second handles, second processes, forked children."""

    def test_a_second_handle_sees_each_write(self, bench: Bench) -> None:
        second = bench.second()
        assert second.get() is None
        for number in range(3):  # what was read once may have changed
            token = new_token(bench.identity, number)
            bench.handle.set(token)
            assert same(second.get(), token)
        bench.handle.remove()
        assert second.get() is None

    def test_a_handle_sees_no_write_of_another(self, bench: Bench) -> None:
        if self.shared_by != "nobody":
            pytest.skip("the store shares its storage")
        bench.handle.set(new_token(bench.identity))
        assert bench.open().get() is None, 'it is shared: shared_by = "nobody" is wrong'

    def test_a_token_outlives_its_handle(self, bench: Bench) -> None:
        token = new_token(bench.identity)
        first = bench.second()
        first.set(token)
        first.close()
        assert same(bench.open().get(), token), "the token went when its handle was closed"

    def test_sync_and_async_programs_share_the_token(self, bench: Bench) -> None:
        other = bench.second(next(kind for kind in KINDS if kind != bench.kind))
        token = new_token(bench.identity, 1)
        bench.handle.set(token)
        assert same(other.get(), token)
        second = new_token(bench.identity, 2)
        other.set(second, token.revision)
        assert same(bench.handle.get(), second)
        bench.handle.remove()
        assert other.get() is None
        # Not native_async, which tells how a class is written and not what it can do.
        for ability in ("compare_and_set", "lock", "prepare_save"):
            ours = getattr(bench.abilities, ability)
            theirs = getattr(other.store.abilities, ability)
            assert ours == theirs, f"only one of its two classes has the ability {ability}"

    def test_a_second_process_sees_each_write(self, bench: Bench) -> None:
        worker = bench.worker()
        for number in range(2):
            token = new_token(bench.identity, number)
            bench.handle.set(token)
            assert same(worker.call("get"), token), (
                'a second process does not see it: for a store in memory set shared_by = "handles"'
            )
        token = new_token(bench.identity, "of the second process")
        worker.call("set", token.to_dict())
        assert same(bench.handle.get(), token)
        worker.call("remove")
        assert bench.handle.get() is None

    def test_no_reader_sees_a_torn_token(self, bench: Bench) -> None:
        bench.second()
        readers = [bench.open() for _ in range(2)]
        write_tokens(bench.handle, bench.identity, "first", 1, _SIZE)
        writing = True

        def write() -> None:
            nonlocal writing
            try:
                write_tokens(bench.handle, bench.identity, "w", 40, _SIZE)
            finally:
                writing = False

        def read(number: int) -> None:
            while writing:
                check_whole(readers[number].get())

        together([write, lambda: read(0), lambda: read(1)])

    @pytest.mark.slow
    @pytest.mark.timeout(300)
    def test_16_processes_write_while_16_read(self, bench: Bench) -> None:
        workers = bench.workers(32)
        write_tokens(bench.handle, bench.identity, "first", 1, _SIZE)
        for number, worker in enumerate(workers):
            if number % 2:
                worker.send("write", f"w{number}", 20, _SIZE)
            else:
                worker.send("read", 40)
        assert {worker.receive() for worker in workers} == {20, 40}
        read_tokens(bench.handle, 1)

    @pytest.mark.slow
    @pytest.mark.timeout(300)
    def test_a_killed_writer_leaves_a_whole_token(self, bench: Bench) -> None:
        write_tokens(bench.handle, bench.identity, "first", 1, _SIZE)
        for number in range(_ROUNDS_OF_KILLS):
            worker = bench.worker().ready()
            worker.send("write", f"w{number}", 1_000_000, _SIZE)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:  # until it is at work
                token = bench.handle.get()
                check_whole(token)
                if token is not None and token.to_dict()["check"].startswith(f"w{number}-"):
                    break
            time.sleep(0.001 * number)  # at another moment of a write each time
            worker.kill()
            read_tokens(bench.handle, 1)
            write_tokens(bench.handle, bench.identity, "next", 1, _SIZE)

    def test_a_handle_works_in_a_forked_child(self, bench: Bench) -> None:
        if not hasattr(os, "fork"):
            pytest.skip("this system has no fork")
        if bench.kind == "async":
            pytest.skip("an event loop does not outlive a fork")
        worker = bench.worker()
        worker.call("set", new_token(bench.identity, "before").to_dict())
        worker.call("get")  # its connection is open
        token = new_token(bench.identity, "by the child").to_dict()
        assert same(worker.call("fork", token, _FORKED_WITHIN), token)

    def test_a_forked_child_does_not_keep_the_lock(self, bench: Bench) -> None:
        if not hasattr(os, "fork"):
            pytest.skip("this system has no fork")
        worker = bench.worker()
        worker.call("lock", 5.0, self.shortest_lease)
        bystander = worker.call("fork_a_bystander")
        try:
            worker.kill()
            with bench.handle.lock(self.shortest_lease + 10, self.shortest_lease):
                pass
        finally:
            with suppress(ProcessLookupError):
                os.kill(bystander, signal.SIGKILL)
