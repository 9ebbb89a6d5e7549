"""The token lock: one holder, and nobody waits for the dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from flex_tokenstore import TokenLockTimeoutError

from ._bench import PROMPT, Bench, ContractFixtures, start, within
from ._handles import Handle
from ._tokens import new_identity
from ._workers import WorkerError

_FRACTION = 0.45  # seconds; whoever rounds a lease to whole ones, or cuts it, is early by it
_LATE = 2.0  # seconds; a lease that is rounded up, and a pause of the waiter
LEASE = 60.0  # seconds; longer than any of these tests takes


class LockTests(ContractFixtures):
    """Also for stores without a lock of their own: they are given a lock file on this host."""

    def test_the_lock_is_exclusive(self, bench: Bench) -> None:
        second = bench.second()
        with bench.handle.lock(PROMPT, LEASE):
            check_taken(second)
        with second.lock(PROMPT, LEASE):
            check_taken(bench.handle)

    def test_the_lock_is_not_reentrant(self, bench: Bench) -> None:
        with bench.handle.lock(PROMPT, LEASE):
            check_taken(bench.handle)

    def test_the_lock_is_exclusive_across_processes(self, bench: Bench) -> None:
        worker = bench.worker()
        worker.call("lock", PROMPT, LEASE)
        check_taken(bench.handle)
        worker.call("unlock")
        with bench.handle.lock(PROMPT, LEASE):
            with pytest.raises(WorkerError) as caught:
                worker.call("lock", 0.0, LEASE)
            assert caught.value.kind == "TokenLockTimeoutError"
        worker.call("lock", PROMPT, LEASE)

    def test_each_identity_has_a_lock_of_its_own(self, bench: Bench) -> None:
        bench.need_identities()
        other = bench.open(new_identity())
        with bench.handle.lock(PROMPT, LEASE), other.lock(0, LEASE):
            pass

    def test_a_released_lock_is_free(self, bench: Bench) -> None:
        for _ in range(3):
            with bench.handle.lock(0, LEASE):
                pass
        with pytest.raises(ZeroDivisionError), bench.handle.lock(0, LEASE):
            raise ZeroDivisionError
        with bench.handle.lock(0, LEASE):
            pass

    def test_a_try_that_failed_leaves_the_lock_as_it_was(self, bench: Bench) -> None:
        second = bench.second()
        with bench.handle.lock(PROMPT, LEASE):
            for _ in range(2):
                check_taken(second)
        with second.lock(0, LEASE):
            pass

    def test_one_try_does_not_wait(self, bench: Bench) -> None:
        with bench.handle.lock(PROMPT, LEASE):
            before = time.monotonic()
            within(PROMPT, lambda: check_taken(bench.handle))
            assert time.monotonic() - before < 2.0, "wait=0 means one try"

    def test_waiting_ends_in_time(self, bench: Bench) -> None:
        with bench.handle.lock(PROMPT, LEASE):
            before = time.monotonic()
            within(PROMPT, lambda: check_taken(bench.handle, wait=0.4))
            assert time.monotonic() - before >= 0.3, "it gave up before `wait` was over"

    def test_waiting_gets_the_lock_that_falls_free(self, bench: Bench) -> None:
        second = bench.second()
        waiting = threading.Event()

        def wait() -> None:
            waiting.set()
            with second.lock(30.0, LEASE):
                pass

        with bench.handle.lock(PROMPT, LEASE):
            thread, result = start(wait)
            waiting.wait()
            time.sleep(0.2)  # it has most likely tried; if not, the test is only weaker
            assert thread.is_alive() or result() is not None, "it did not wait"
        thread.join(10.0)
        assert not thread.is_alive(), "a waiter did not acquire the lock that was released"
        result()

    def test_the_lock_may_be_left_in_another_thread(self, bench: Bench) -> None:
        if bench.kind == "async":
            pytest.skip("coroutines stay in the thread of their event loop")
        stack = ExitStack()
        within(PROMPT, lambda: stack.enter_context(bench.handle.lock(PROMPT, LEASE)))
        stack.close()
        with bench.handle.lock(0, LEASE):
            pass

    def test_a_killed_holder_frees_the_lock(self, bench: Bench) -> None:
        worker = bench.worker()
        worker.call("lock", PROMPT, self.shortest_lease)
        worker.kill()
        with bench.handle.lock(self.shortest_lease + 10.0, LEASE):
            pass

    def test_all_handles_on_a_token_name_its_lock_alike(self, bench: Bench) -> None:
        second = bench.second()
        binding = bench.handle.store._opened.binding
        if binding.lock_id is None:
            pytest.skip("it has no lock_id")
        ours = bench.handle.hook("lock_id")
        assert isinstance(ours, str)
        assert second.hook("lock_id") == ours
        if not bench.one_identity:
            assert bench.open(new_identity()).hook("lock_id") != ours

    @pytest.mark.slow
    @pytest.mark.timeout(300)
    def test_16_processes_take_turns(self, bench: Bench, tmp_path: Path) -> None:
        workers = bench.workers(16)
        counter = tmp_path / "counter"
        counter.write_text("0")
        for worker in workers:
            worker.send("count_under_lock", str(counter), 5, LEASE)
        for worker in workers:
            worker.receive()
        assert counter.read_text() == "80"


class LeaseTests(ContractFixtures):
    """Locks that yield a deadline; the others are checked to be held until they are released."""

    def test_the_lease_ends_at_the_monotonic_time_given(self, bench: Bench) -> None:
        self._need_lease(bench)
        before = time.monotonic()
        with bench.handle.lock(PROMPT, LEASE) as end:
            assert end is not None
            assert end <= time.monotonic() + LEASE, "later than the lease asked for"
            assert end > before + LEASE / 2, "the lease asked for is hardly used"

    def test_a_lock_falls_free_after_its_lease(self, bench: Bench) -> None:
        second = bench.second()
        self._need_lease(bench)
        lease = self.shortest_lease + _FRACTION
        with bench.handle.lock(PROMPT, lease) as end:
            assert end is not None
            assert end <= time.monotonic() + lease, (
                f"later than the lease of {lease:g} s asked for: is it rounded up?"
            )
            with _waited_for(second, lease):
                early = end - time.monotonic()
                assert early < 0.05, (
                    f"another holder acquired the lock {early:.2f} s before the lease of "
                    f"{lease:g} s expired: is it rounded to whole seconds?"
                )
                assert early > -_LATE, (
                    f"the lock was free {-early:.1f} s after its lease of {lease:g} s had expired"
                )

    def test_leaving_after_the_lease_frees_nothing(self, bench: Bench) -> None:
        """The lock may be another's by then: only its own holder frees it."""
        second = bench.second()
        self._need_lease(bench)
        first = ExitStack()
        first.enter_context(bench.handle.lock(PROMPT, self.shortest_lease))
        with second.lock(self.shortest_lease + 5.0, LEASE):
            first.close()
            check_taken(bench.handle)
            check_taken(bench.open())

    def test_without_a_lease_the_lock_is_held_until_released(self, bench: Bench) -> None:
        second = bench.second()
        if bench.leased():
            pytest.skip("its lock has a lease")
        with bench.handle.lock(PROMPT, 0.2):
            check_taken(second, wait=0.6)

    def _need_lease(self, bench: Bench) -> None:
        if not bench.leased():
            pytest.skip(
                "its lock has no lease: it is held until it is released, or its holder dies"
            )


@contextmanager
def _waited_for(handle: Handle, lease: float) -> Iterator[None]:
    """The lock that another handle holds for ``lease`` seconds, and does not release."""
    with ExitStack() as stack:
        try:
            stack.enter_context(handle.lock(lease + 5.0, LEASE))
        except TokenLockTimeoutError:
            pytest.fail(f"the lock was not free 5 s after its lease of {lease:g} s had expired")
        yield


def check_taken(handle: Handle, wait: float = 0.0) -> None:
    with ExitStack() as stack:
        try:
            stack.enter_context(handle.lock(wait, LEASE))
        except TokenLockTimeoutError:
            return
        with suppress(Exception):
            stack.close()
        pytest.fail("two hold the lock at once")
