"""What each contract test is given: handles, identities and processes, closed at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import pytest
from hypothesis import HealthCheck, settings

from flex_tokenstore import ANY_REVISION, TokenCorruptError, TokenIdentity

from ._handles import KINDS, Handle, Kind, Setup
from ._hanging import interrupted, limit_of
from ._proxy import FaultProxy
from ._tokens import MEGABYTE, new_identity
from ._workers import Worker

if TYPE_CHECKING:
    from flex_tokenstore._plugin.hooks import Abilities

T = TypeVar("T")

SharedBy = Literal["nobody", "handles", "processes"]
Plant = Callable[[TokenIdentity, bytes], None]
Fault = Callable[[], Any]
FailOver = Callable[[], tuple[str, int]]

PROMPT = 5.0  # seconds within which what waits for nothing must be done, on a busy machine


class Bench:
    """Opens the store under test as often as a test needs it."""

    def __init__(
        self, setup: Setup, kind: Kind, declared: type[ContractFixtures], stack: ExitStack
    ) -> None:
        self.setup = setup
        self.kind = kind
        self.identity = new_identity()
        self._shared_by = declared.shared_by
        self.one_identity = declared.one_identity or setup.is_object
        self._stack = stack
        self._identities: set[TokenIdentity] = set()
        self._workers: list[Worker] = []
        # The last one is called first: the processes end before the tokens are removed.
        stack.callback(self._clean)
        stack.callback(self._end_workers)
        self.handle = self.open()

    @property
    def abilities(self) -> Abilities:
        """What the store can do, derived from what it implements."""
        return self.handle.store.abilities

    @property
    def wraps(self) -> bool:
        """It hands tokens on to an inner store, which has limits of its own."""
        return self.handle.store._opened.binding.inner is not None

    def open(self, identity: TokenIdentity | None = None, kind: Kind | None = None) -> Handle:
        """One more handle; on the storage of the others, if the store shares it."""
        identity = identity or self.identity
        self._identities.add(identity)
        handle = self.setup.open(identity, kind or self.kind)

        def close() -> None:
            with suppress(Exception):  # the backend may be down, or the test has closed it
                handle.close()

        self._stack.callback(close)
        return handle

    def second(self, kind: Kind | None = None) -> Handle:
        """A second handle that must see what the first one writes."""
        if self._shared_by == "nobody":
            pytest.skip('shared_by = "nobody": each handle has a storage of its own')
        return self.open(kind=kind)

    def worker(self, *flags: str) -> Worker:
        """A process of its own that has opened the store, or is about to; see ``Worker``."""
        if self._shared_by != "processes":
            pytest.skip(f"shared_by = {self._shared_by!r}: other processes do not see the storage")
        worker = Worker(self.setup, self.identity, self.kind, *flags)
        self._workers.append(worker)
        return worker

    def workers(self, count: int) -> list[Worker]:
        """So many, all of which have opened the store."""
        started = [self.worker() for _ in range(count)]
        return [worker.ready() for worker in started]

    def need(self, ability: Literal["compare_and_set", "lock", "prepare_save"]) -> None:
        """Skips the test if the store does not have this ability."""
        if not getattr(self.abilities, ability):
            what = {
                "compare_and_set": "its set_token does not take `expected`",
                "lock": "it has no token_lock of its own",
                "prepare_save": "it has no prepare_save",
            }[ability]
            pytest.skip(f"the store does not have the ability {ability}: {what}")

    def need_identities(self) -> None:
        """Skips the test if the config names the place of one token."""
        if self.one_identity:
            pytest.skip("one_identity: this config names the location of one identity's token")

    def leased(self) -> bool:
        """Its lock has a lease: entering it returns the time at which that expires."""
        with self.handle.lock(PROMPT, 60.0) as end:
            return end is not None

    def _end_workers(self) -> None:
        for worker in self._workers:
            worker.end()  # all of them, before one is waited for
        deadline = time.monotonic() + 2 * PROMPT  # for all of them
        for worker in self._workers:
            worker.close(deadline)

    def _clean(self) -> None:
        """Leaves nothing behind on a server that others use."""

        def remove(identity: TokenIdentity) -> None:
            handle = self.setup.open(identity)
            try:
                handle.remove()
            except TokenCorruptError:
                # Of a newer format, or put there by a test: past the framework.
                handle.hook("remove_token", expected=ANY_REVISION)
            finally:
                handle.close()

        for identity in self._identities:
            with suppress(Exception, AssertionError):
                within(PROMPT, partial(remove, identity))


class ContractFixtures:
    """What an author sets; see :class:`TokenStoreContract`."""

    shared_by: ClassVar[SharedBy] = "processes"
    one_identity: ClassVar[bool] = False
    patience: ClassVar[float] = 10.0
    shortest_lease: ClassVar[float] = 1.0
    largest: ClassVar[int] = MEGABYTE

    @pytest.fixture
    def store_config(self) -> Any:
        """The store config under test; to be overridden."""
        pytest.fail(f"{type(self).__name__} must override the fixture store_config")

    @pytest.fixture
    def server_address(self) -> tuple[str, int] | None:
        """Host and port of the server; ``store_config`` uses ``proxy`` then. None: no server."""
        return None

    @pytest.fixture
    def proxy(self, server_address: tuple[str, int] | None) -> Iterator[FaultProxy | None]:
        """What stands between the store and its server; None without ``server_address``."""
        if server_address is None:
            yield None
            return
        with FaultProxy(*server_address) as proxy:
            yield proxy

    @pytest.fixture
    def fail_over(self) -> FailOver | None:
        """Makes another server the primary, and returns its address; None: that cannot be."""
        return None

    @pytest.fixture
    def outage(self, proxy: FaultProxy | None) -> Fault | None:
        """Gives a context manager within which the backend is down; None: it cannot be."""
        return None if proxy is None else proxy.down

    @pytest.fixture
    def stall(self, proxy: FaultProxy | None) -> Fault | None:
        """Returns a context manager within which the backend takes requests and never responds."""
        return None if proxy is None else proxy.silent

    @pytest.fixture
    def plant(self) -> Plant | None:
        """Puts bytes where the token of an identity is stored; None: that cannot be done."""
        return None

    @pytest.fixture(params=KINDS)
    def kind(self, request: pytest.FixtureRequest) -> Kind:
        """Whether the store is opened with ``open_store`` or ``open_async_store``."""
        kind: Kind = request.param
        return kind

    @pytest.fixture
    def bench(
        self,
        store_config: Any,
        kind: Kind,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        request: pytest.FixtureRequest,
    ) -> Iterator[Bench]:
        """See :class:`Bench`."""
        # The lock file of a store without a lock is in the user's state folder.
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        with interrupted(limit_of(request)), ExitStack() as stack:
            yield Bench(Setup(store_config), kind, type(self), stack)


def needed(fixture: T | None, name: str) -> T:
    """The optional fixture; skips the test if it was not overridden."""
    if fixture is None:
        pytest.skip(f"the fixture {name} is not overridden")
    return fixture


def within(seconds: float, function: Callable[[], T]) -> T:
    """What ``function`` returns; the test fails if it takes longer."""
    thread, result = start(function)
    thread.join(seconds)
    assert not thread.is_alive(), f"it was not done within {seconds:g} s"
    return result()


def start(function: Callable[[], T]) -> tuple[threading.Thread, Callable[[], T]]:
    """Runs it in a thread; returns the thread, and a function for its result or error."""
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    def result() -> T:
        if errors:
            raise errors[0]
        return results[0]

    # A daemon: a store that hangs must not keep pytest from ending.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, result


def together(functions: list[Callable[[], T]], seconds: float = 90.0) -> list[T]:
    """Runs all at once in threads; returns their results, or raises the first error."""
    started = [start(function) for function in functions]
    for thread, _ in started:
        thread.join(seconds)
        assert not thread.is_alive(), f"it was not done within {seconds:g} s"
    return [result() for _, result in started]


@contextmanager
def entered(fault: Fault) -> Iterator[None]:
    """Within it the backend is broken."""
    with fault():
        yield


def examples(count: int, steps: int = 50) -> settings:
    """Hypothesis settings: how long an example takes depends on the backend."""
    return settings(
        max_examples=count,
        stateful_step_count=steps,
        deadline=None,
        # Hypothesis would else make a folder in the project of the store's author.
        database=None,
        suppress_health_check=list(HealthCheck),
    )
