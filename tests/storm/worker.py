"""One process of a storm: ``python -m tests.storm.worker``.

It takes its settings from the environment as any program does, and reads what to do from its
standard input: one JSON object a line, each answered by one line.

- ``{"do": "open", "threads": 4, "tasks": 0, "each": false}``: makes SDK instances anew, one for
  all threads and one for all tasks, or (``each``) one for each
- ``{"do": "call"}``: all call the API at once; answers what each caller got. With ``"tell"`` a
  line is written first, when the callers are about to start; with ``"main"`` one call is made by
  the main thread
- ``{"do": "code"}``: answers the files of all modules of ours that were imported
- ``{"do": "close"}``: closes the instances
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from flex_integration_sdk import (
    AsyncIntegrationSDK,
    IntegrationSDK,
    create_async_instance,
    create_instance,
)
from flex_integration_sdk.errors import FlexError
from flex_tokenstore import TokenStoreError

Result = dict[str, Any]
REQUEST_TIMEOUT = 5.0  # seconds; a lease lasts twice that and 5 s more


class Callers:
    """Threads, and tasks of an event loop in a thread of its own, with their SDK instances."""

    def __init__(self, threads: int, tasks: int, each: bool, request_timeout: float) -> None:
        self.barrier = threading.Barrier(max(threads, 1))
        self.threads = ThreadPoolExecutor(max(threads, 1))
        self.sync = [
            create_instance(request_timeout=request_timeout)
            for _ in range(max(threads, 1) if each else 1)
        ]
        self.asynchronous = [
            create_async_instance(request_timeout=request_timeout)
            for _ in range((tasks if each else 1) if tasks else 0)
        ]
        self.thread_count, self.task_count = threads, tasks
        self.loop = asyncio.new_event_loop()
        self.loop_thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.loop_thread.start()

    def call(self) -> list[Result]:
        """What each caller got."""
        made: list[Future[Any]] = [
            self.threads.submit(self._in_thread, self.sync[number % len(self.sync)])
            for number in range(self.thread_count)
        ]
        if self.task_count:
            made.append(asyncio.run_coroutine_threadsafe(self._in_tasks(), self.loop))
        results: list[Result] = []
        for future in made:
            found = future.result()
            results += found if isinstance(found, list) else [found]
        return results

    def close(self) -> None:
        for sdk in self.sync:
            sdk.close()
        for other in self.asynchronous:
            asyncio.run_coroutine_threadsafe(other.aclose(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.loop_thread.join()
        self.loop.close()
        self.threads.shutdown()

    def _in_thread(self, sdk: IntegrationSDK) -> Result:
        self.barrier.wait()
        return call(sdk)

    async def _in_tasks(self) -> list[Result]:
        sdks = self.asynchronous
        return await asyncio.gather(
            *(acall(sdks[number % len(sdks)]) for number in range(self.task_count))
        )


def call(sdk: IntegrationSDK) -> Result:
    """One API call; tells the access token that it ended with, as a digest."""
    started = time.monotonic()
    try:
        sdk.marketplace.show()
        found = _good(sdk.session.token().digest, sdk.session.saved)
    except BaseException as error:
        found = _bad(error)
    return {**found, "seconds": time.monotonic() - started}


async def acall(sdk: AsyncIntegrationSDK) -> Result:
    """As :func:`call`."""
    started = time.monotonic()
    try:
        await sdk.marketplace.show()
        found = _good((await sdk.session.token()).digest, sdk.session.saved)
    except BaseException as error:
        found = _bad(error)
    return {**found, "seconds": time.monotonic() - started}


def _good(digest: str, saved: bool) -> Result:
    return {"ok": True, "token": digest, "saved": saved}


def _bad(error: BaseException) -> Result:
    typed = isinstance(error, (FlexError, TokenStoreError))
    return {"ok": False, "error": type(error).__name__, "typed": typed, "text": str(error)[:300]}


def main() -> int:
    # A shell that runs the tests in the background may have SIGINT ignored; it is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    say({"ready": True})
    callers: Callers | None = None
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "open":
            close(callers)
            callers = Callers(
                order.get("threads", 0),
                order.get("tasks", 0),
                order.get("each", False),
                order.get("request_timeout", REQUEST_TIMEOUT),
            )
            say({"open": True})
        elif order["do"] == "call":
            assert callers is not None
            if order.get("tell"):
                say({"calling": True})
            # Ctrl-C is the main thread's: it comes out of ``call`` as what that call got.
            work: Callable[[], list[Result]] = callers.call
            if order.get("main"):
                sdk = callers.sync[0]
                say({"results": [call(sdk)]})
            else:
                say({"results": work()})
        elif order["do"] == "code":
            say({"code": code()})
        else:
            close(callers)
            callers = None
            say({"closed": True})
    close(callers)
    return 0


def code() -> list[str]:
    """Where the code comes from that this process runs: the SDK's, the framework's, a plugin's."""
    ours = [module for name, module in list(sys.modules.items()) if name.startswith("flex_")]
    return [str(module.__file__) for module in ours if getattr(module, "__file__", None)]


def close(callers: Callers | None) -> None:
    if callers is not None:
        callers.close()


def say(answer: Any) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
