"""``python -m benchmarks.waiters``: what it costs to wait for a lock that another program holds.

Many processes wait for one lock for six seconds. The bounds, for 200 of them: at most half a core
over all, at most a tenth of one core after the first second, and the last one is served within a
second of the release. Linux only: the processor's time is read from ``/proc``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from flex_tokenstore import (
    AsyncTokenSession,
    Token,
    TokenIdentity,
    TokenSession,
    file_store,
    open_async_store,
    open_store,
)
from flex_tokenstore._host.host_lock import HostLock

from ._common import keep, machine, sample_token, table, verdict

IDENTITY = TokenIdentity("https://api.example.test", "a-client")
HELD = 6.0  # seconds that the lock is held while all wait
WAIT = 60.0
CORES, CORES_LATER, LAST = 0.5, 0.1, 1.0  # the bounds


class Result(NamedTuple):
    """Of one kind of wait."""

    cores: float
    """Processor time per second, of all waiters, over the whole wait."""
    later: float
    """The same after the first second."""
    median: float
    """Seconds from the release until a waiter is served."""
    last: float


class Look(NamedTuple):
    """At the time that processes have used."""

    at: float
    used: float


def cores(earlier: Look, later: Look) -> float:
    """Cores that were busy between two looks."""
    return (later.used - earlier.used) / (later.at - earlier.at)


class NoGrants:
    """Nobody requests a token here: all adopt the one in the store."""

    def __getattr__(self, name: str) -> Any:
        if name not in ("refresh", "sign_in", "revoke"):
            raise AttributeError(name)  # optional

        def refuse(*arguments: object) -> Any:
            raise AssertionError(name)

        return refuse


def host_lock(folder: Path) -> Callable[[], object]:
    held = HostLock(folder / f"{IDENTITY.key}.lock")

    def wait() -> None:
        with held.hold(WAIT):
            pass

    return wait


def lock(folder: Path) -> Callable[[], object]:
    store = open_store(_config(folder), IDENTITY)

    def wait() -> None:
        with store.token_lock(WAIT, WAIT):
            pass

    return wait


def lock_async(folder: Path) -> Callable[[], object]:
    async def work() -> None:
        async with store.token_lock(WAIT, WAIT):
            pass

    runner = asyncio.Runner()
    store = runner.run(open_async_store(_config(folder), IDENTITY))
    return lambda: runner.run(work())


def session(folder: Path) -> Callable[[], object]:
    return TokenSession(open_store(_config(folder), IDENTITY), NoGrants()).token


def session_async(folder: Path) -> Callable[[], object]:
    runner = asyncio.Runner()
    store = runner.run(open_async_store(_config(folder), IDENTITY))
    waiting = AsyncTokenSession(store, NoGrants())
    return lambda: runner.run(waiting.token())


KINDS = {
    "lock of the host": host_lock,
    "file, lock": lock,
    "file, lock, asyncio": lock_async,
    "file, session": session,
    "file, session, asyncio": session_async,
}

BOUND = ("lock of the host", "file, lock")
"""What the bounds hold for; the others also change threads, and read the store between tries."""


def main() -> int:
    """Measures all; 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(prog="benchmarks.waiters", description=__doc__)
    parser.add_argument("--waiters", type=int, nargs="*", default=[16, 200])
    parser.add_argument("--only", default="", help="kinds whose name holds this text")
    options = parser.parse_args()
    if sys.platform != "linux":
        print("this benchmark reads the processor's time from /proc, which Linux has")
        return 0
    results = {
        (name, count): measure(make, count)
        for name, make in KINDS.items()
        if options.only in name
        for count in options.waiters
    }
    head = ("waiting for", "processes", "cores", "cores after 1 s", "ms, median", "ms, last")
    rows = [
        (name, count, f"{got.cores:.3f}", f"{got.later:.3f}", round(1000 * got.median),
         round(1000 * got.last))
        for (name, count), got in results.items()
    ]  # fmt: skip
    print(f"\n{machine()}\n\n{table(head, rows)}\n")
    good = True
    for (name, count), got in results.items():
        if count <= 200 and name in BOUND:
            for what, value, limit in (
                ("cores", got.cores, CORES),
                ("cores after 1 s", got.later, CORES_LATER),
                ("seconds to the last", got.last, LAST),
            ):
                good &= value <= limit
                print(verdict(f"{name}, {count}: {what}", value, limit))
    kept = {f"{name}, {count}": got._asdict() for (name, count), got in results.items()}
    print(f"all figures: {keep('waiters', kept)}", file=sys.stderr)
    return 0 if good else 1


def measure(make: Callable[[Path], Callable[[], object]], count: int) -> Result:
    """Lets ``count`` processes wait for :data:`HELD` seconds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(_config(Path(folder)), IDENTITY) as store,
    ):
        store.set_token(_token(3700))
        with store.token_lock(0, WAIT):
            crowd = Crowd(lambda: make(Path(folder)), count)
            try:
                looks = [crowd.started, *(crowd.look_after(seconds) for seconds in (1.0, HELD))]
                store.set_token(_token(0))
            except BaseException:
                crowd.kill()
                raise
            released = time.monotonic()
        served = sorted(at - released for at in crowd.served())
    return Result(
        cores(looks[0], looks[2]),
        cores(looks[1], looks[2]),
        statistics.median(served),
        served[-1],
    )


class Crowd:
    """Forked processes that do one thing, from the same moment on.

    Args:
        prepare: Called in each; returns the thing to do.
        count: How many.
    """

    def __init__(self, prepare: Callable[[], Callable[[], object]], count: int) -> None:
        start, go = os.pipe()
        end, self._end = os.pipe()
        ready, is_ready = os.pipe()
        self._results, result = os.pipe()
        pipes = start, end, is_ready, result
        ours = go, self._end, ready, self._results
        self._pids = [self._fork(prepare, pipes, ours) for _ in range(count)]
        for fd in pipes:
            os.close(fd)
        while os.read(ready, 1024):  # until all are ready, so that no start-up is measured
            pass
        os.close(ready)
        self.started = self._look()
        os.close(go)

    def _fork(
        self,
        prepare: Callable[[], Callable[[], object]],
        pipes: tuple[int, int, int, int],
        ours: tuple[int, ...],
    ) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        start, end, is_ready, result = pipes
        try:
            for fd in ours:
                os.close(fd)
            work = prepare()
            os.close(is_ready)
            os.read(start, 1)
            work()
            os.write(result, f"{time.monotonic()}\n".encode())
            os.close(result)
            os.read(end, 1)  # the end of a process is work too: it must not delay the others
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def look_after(self, seconds: float) -> Look:
        """The time that all have used, so many seconds after they started."""
        time.sleep(max(0.0, self.started.at + seconds - time.monotonic()))
        return self._look()

    def _look(self) -> Look:
        at = time.monotonic()  # a look takes a while where many run
        return Look(at, self._used())

    def _used(self) -> float:
        nanoseconds = 0
        for pid in self._pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(FileNotFoundError):  # a thread that has just ended
                    nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

    def served(self) -> list[float]:
        """When each was done; waits for all."""
        with os.fdopen(self._results) as results:
            times = [float(line) for line in results]
        os.close(self._end)
        for pid in self._pids:
            os.waitpid(pid, 0)
        if len(times) != len(self._pids):
            raise RuntimeError(f"{len(self._pids) - len(times)} waiters failed")
        return times

    def kill(self) -> None:
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _config(folder: Path) -> Any:
    return file_store(path=str(folder / "token.json"))


def _token(age: float) -> Token:
    """One that lives an hour and was obtained ``age`` seconds ago."""
    answer = {**sample_token(), "access_token": f"of-age-{age:.0f}"}
    return Token.issued(answer, identity_key=IDENTITY.key, obtained_at=time.time() - age)


if __name__ == "__main__":
    sys.exit(main())
