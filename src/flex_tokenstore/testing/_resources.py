"""The store in a program that has other things to do: threads, connections, the process itself."""

from __future__ import annotations

import asyncio
import gc
import locale
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import Token

from ._audit import audited
from ._bench import PROMPT, Bench, ContractFixtures, together
from ._handles import Handle
from ._tokens import new_token, same

_CALLERS = 8
_CALLS = 6  # of each
_HANDLES = 16
_STRAY = _HANDLES // 2  # what others may open or start meanwhile
_WHOLE_PROCESS = (
    (os, "umask"),
    (os, "chdir"),
    (socket, "setdefaulttimeout"),
    (locale, "setlocale"),
    (signal, "signal"),
    (signal, "setitimer"),
    (signal, "alarm"),
    (logging, "disable"),
    (logging, "basicConfig"),
    (random, "seed"),
    (sys, "setrecursionlimit"),
)


class ResourceTests(ContractFixtures):
    """One handle serves the whole program, and takes nothing from it."""

    def test_a_handle_serves_many_callers_at_once(self, bench: Bench) -> None:
        written = [new_token(bench.identity, number) for number in range(_CALLERS // 2)]
        bench.handle.set(written[0])
        if bench.kind == "async":
            found = bench.handle.run(_tasks(bench.handle.store, written))
        else:
            found = together(_threads(bench.handle, written))
        for token in found:
            assert any(same(token, each) for each in written), (
                "a caller got the response for another caller"
            )

    def test_closing_one_handle_leaves_the_others(self, bench: Bench) -> None:
        if bench.setup.is_object:
            pytest.skip("an object of your own is closed with its handle")
        token = new_token(bench.identity, 1)
        bench.handle.set(token)
        other = bench.open()
        other.get()
        other.close()
        assert same(bench.handle.get(), token)
        bench.handle.set(new_token(bench.identity, 2), token.revision)

    def test_calls_leave_no_connection_behind(self, bench: Bench) -> None:
        def call() -> None:
            bench.handle.set(new_token(bench.identity))
            bench.handle.get()
            bench.handle.remove()

        check_growth(call, "each call leaves {} behind")

    def test_closed_handles_leave_nothing_behind(self, bench: Bench) -> None:
        def call() -> None:
            handle = bench.setup.open(bench.identity, bench.kind)
            handle.set(new_token(bench.identity))
            with handle.lock(PROMPT, 60.0):
                handle.get()
            handle.close()

        if bench.setup.is_object:
            pytest.skip("an object of your own is closed with its handle")
        check_growth(call, "each handle leaves {} behind when it is closed")

    def test_nothing_of_the_whole_process_is_changed(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        called: list[str] = []
        for module, name in _WHOLE_PROCESS:
            if hasattr(module, name):
                monkeypatch.setattr(module, name, _noting(module, name, called))
        with audited() as seen:
            handle = bench.setup.open(bench.identity, bench.kind)
            handle.set(new_token(bench.identity))
            with handle.lock(PROMPT, 60.0):
                handle.get()
            handle.remove()
            handle.close()
        called += [
            f"os.environ[{each.name!r}] = … or del ({each.where})"
            for each in seen
            if each.event in ("os.putenv", "os.unsetenv")
        ]
        assert not called, f"it calls {', '.join(called)}, which changes the whole process"


def _threads(handle: Handle, written: list[Token]) -> list[Callable[[], Token | None]]:
    def read() -> Token | None:
        for _ in range(_CALLS - 1):
            handle.get()
        return handle.get()

    def write(token: Token) -> Token | None:
        for _ in range(_CALLS):
            handle.set(token)
        return handle.get()

    return [read] * len(written) + [lambda token=each: write(token) for each in written]


async def _tasks(store: Any, written: list[Token]) -> list[Token | None]:
    async def read() -> Token | None:
        for _ in range(_CALLS - 1):
            await store.get_token()
        found: Token | None = await store.get_token()
        return found

    async def write(token: Token) -> Token | None:
        for _ in range(_CALLS):
            await store.set_token(token)
        found: Token | None = await store.get_token()
        return found

    return await asyncio.gather(*(read() for _ in written), *(write(each) for each in written))


def check_growth(call: Callable[[], None], message: str) -> None:
    """Fails if file descriptors or threads grow with each call."""
    for _ in range(3):
        call()  # modules, pools and what else is made once
    before = _open_things()
    for _ in range(_HANDLES):
        call()
    deadline = time.monotonic() + PROMPT
    while True:
        # Handles in reference circles keep their files open until they are collected.
        gc.collect()
        more = [what for what, count in _open_things().items() if count - before[what] > _STRAY]
        if not more or time.monotonic() > deadline:  # threads may take a moment to end
            break
        time.sleep(0.02)
    assert not more, message.format(" and ".join(more))


def _open_things() -> dict[str, int]:
    folders = [folder for folder in (Path("/proc/self/fd"), Path("/dev/fd")) if folder.is_dir()]
    files = len(list(folders[0].iterdir())) if folders else 0
    return {"a connection or file": files, "a thread": threading.active_count()}


def _noting(module: Any, name: str, called: list[str]) -> Any:
    function = getattr(module, name)

    def noting(*arguments: Any) -> Any:
        # An event loop in the main thread has a handler of its own for Ctrl-C, and a question
        # changes nothing.
        asks = module is locale and arguments[1:] in ((), (None,))
        if not asks and arguments[:1] != (signal.SIGINT,):
            called.append(f"{module.__name__}.{name}")
        return function(*arguments)

    return noting
