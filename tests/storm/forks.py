"""A program that forks while it uses an SDK instance: ``python -m tests.storm.forks WHAT``.

Prints ``ready`` and waits for a line; then prints what came of it as one JSON line.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flex_integration_sdk import IntegrationSDK, create_async_instance, create_instance
from flex_integration_sdk.errors import FlexError
from flex_tokenstore import TokenStoreError

CHILDREN, THREADS = 4, 4
PATIENCE = 30  # seconds in which a child must be done


@functools.cache
def sdk() -> IntegrationSDK:
    """Made when first asked for: a forked child has its parent's."""
    return create_instance()


def digest() -> str:
    sdk().marketplace.show()
    return sdk().session.token().digest


def work(answers: Any) -> None:
    """In a child: several threads call at once."""
    sdk()
    with ThreadPoolExecutor(THREADS) as threads:
        answers.put(list(threads.map(lambda _: digest(), range(THREADS))))
    sdk().close()


def with_multiprocessing(method: str) -> Any:
    """Children and the parent renew at once."""
    digest()
    wait()
    context: Any = multiprocessing.get_context(method)
    answers = context.Queue()
    children = [context.Process(target=work, args=(answers,)) for _ in range(CHILDREN)]
    for child in children:
        child.start()
    found = [digest()]
    for _ in children:
        found += answers.get(timeout=PATIENCE)
    for child in children:
        child.join(PATIENCE)
    sdk().close()
    return {"tokens": found, "codes": [child.exitcode for child in children]}


def in_mid_renewal() -> Any:
    """Forks while another thread has the gate and the lock, and waits for the server."""
    digest()
    wait()
    renewing = threading.Thread(target=digest)
    renewing.start()
    wait()  # the server has got the request
    code = forked(lambda: bool(digest()))
    renewing.join()
    sdk().close()
    return {"codes": [code]}


def at_any_moment() -> Any:
    """Forks again and again while threads renew all the time."""
    digest()
    wait()
    stop = threading.Event()
    tokens: set[str] = set()

    def renew() -> None:
        while not stop.is_set():
            typed(lambda: tokens.add(digest()))

    threads = [threading.Thread(target=renew) for _ in range(4)]
    for thread in threads:
        thread.start()
    codes: list[int] = []
    # On a quick machine twenty children are done before two tokens have come and gone.
    while len(codes) < 20 or (len(tokens) < 3 and len(codes) < 500):
        codes.append(forked(lambda: typed(digest)))
    stop.set()
    for thread in threads:
        thread.join()
    sdk().close()
    return {"codes": codes}


def asynchronous() -> Any:
    """An async instance that the parent used: it is made anew in each child, which may also make
    one of its own."""
    instance = create_async_instance()
    wait()

    async def use(found: Any) -> str:
        await found.marketplace.show()
        return str((await found.session.token()).digest)

    async def inherited() -> bool:
        assert (await instance.auth_info()).grant_type == "refresh_token"
        assert await use(instance)
        await instance.aclose()
        async with create_async_instance() as own:
            return bool(await use(own))

    async def main() -> Any:
        first = await use(instance)
        await instance.auth_info()
        code = forked(lambda: asyncio.Runner().run(inherited()))
        again = await use(instance)
        await instance.aclose()
        return {"tokens": [first, again], "codes": [code]}

    return asyncio.run(main())


def forked(job: Callable[[], bool]) -> int:
    """The exit code of a child that does ``job``; -14 if it hangs."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        try:
            os._exit(0 if job() else 1)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def typed(job: Callable[[], Any]) -> bool:
    """Done, or refused in our own words."""
    with contextlib.suppress(FlexError, TokenStoreError):
        job()
    return True


def wait() -> None:
    print("ready", flush=True)
    assert sys.stdin.readline()


def main(what: str) -> None:
    warnings.simplefilter("ignore", DeprecationWarning)  # a fork of a program with threads
    jobs: dict[str, Callable[[], Any]] = {
        "mid-renewal": in_mid_renewal,
        "any-moment": at_any_moment,
        "async": asynchronous,
    }
    job = jobs.get(what) or functools.partial(with_multiprocessing, what)
    print(json.dumps(job()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
