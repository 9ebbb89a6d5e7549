"""How the store behaves as a plugin: options, pickling, the event loop."""

from __future__ import annotations

import asyncio
import dataclasses
import pickle
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from flex_tokenstore import TokenLockTimeoutError
from flex_tokenstore._config.options import describe_options
from flex_tokenstore._plugin.hooks import inspect_class
from flex_tokenstore._registry.catalogue import list_stores

from ._bench import Bench, ContractFixtures, Fault, entered, needed
from ._blocking import no_blocking_calls
from ._tokens import SENTINEL, new_token

_SECRET_NAME = re.compile(
    r"(password|passwd|passphrase|secret|token|credential|api_?key|private_?key|secret_?id)s?$"
)
_once = pytest.mark.parametrize("kind", ["sync"], indirect=True)
_async_alone = pytest.mark.parametrize("kind", ["async"], indirect=True)
_LONGEST_PAUSE = 1.0  # seconds; a busy machine makes pauses of its own


class PluginTests(ContractFixtures):
    """What ``stores show`` tells of it."""

    @_once
    def test_the_class_is_a_store(self, bench: Bench) -> None:
        if bench.setup.is_object:
            pytest.skip("an object of your own has no options")
        cls = bench.setup.store_class()
        assert (cls.__doc__ or "").strip(), "its docstring says what the store is"
        abilities = inspect_class(cls)
        assert abilities.compare_and_set == bench.abilities.compare_and_set or _wraps(cls)

    @_once
    def test_a_name_is_listed_without_a_fault(self, bench: Bench) -> None:
        config = bench.setup.config
        name = config.get("name") if isinstance(config, dict) else config
        if not isinstance(name, str):
            pytest.skip("the store is not opened by an installed name")
        (info,) = [info for info in list_stores(check=True) if info.name == name]
        assert (info.status, info.reason) == ("ok", "")

    @_once
    def test_each_option_is_documented(self, bench: Bench) -> None:
        if bench.setup.is_object:
            pytest.skip("an object of your own has no options")
        for option in describe_options(bench.setup.store_class()):
            assert option.doc, f"option {option.name} has no description"

    @_once
    def test_options_are_keyword_only(self, bench: Bench) -> None:
        schema: Any = getattr(bench.setup.store_class(), "Options", None)
        if bench.setup.is_object or schema is None:
            pytest.skip("it has no options")
        for field in dataclasses.fields(schema):
            assert field.kw_only, f"option {field.name}: use @dataclass(kw_only=True)"

    @_once
    def test_secret_options_are_secrets(self, bench: Bench) -> None:
        if bench.setup.is_object:
            pytest.skip("an object of your own has no options")
        for option in describe_options(bench.setup.store_class()):
            looks_secret = _SECRET_NAME.search(option.name.lower())
            plain = option.secret or not re.search(r"\b(str|bytes)\b", option.type)
            assert plain or not looks_secret, f"option {option.name} must be a Secret[str]"

    @_once
    def test_the_async_class_matches(self, bench: Bench) -> None:
        cls: Any = bench.setup.store_class()
        twin = getattr(cls, "async_class", None)
        if twin is None:
            pytest.skip("it has no async_class")
        theirs, ours = (getattr(each, "Options", None) for each in (twin, cls))
        assert theirs is ours, "both classes have the same Options"
        assert inspect_class(cls)[:2] == inspect_class(twin)[:2], (
            "both classes have the same abilities"
        )

    def test_a_handle_is_not_pickled(self, bench: Bench) -> None:
        bench.handle.set(new_token(bench.identity))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError):
                pickle.dumps(bench.handle.store, protocol)

    def test_the_store_object_is_pickled_without_a_token(self, bench: Bench) -> None:
        """Programs pickle what holds it; most objects with a connection refuse by themselves."""
        if self.shared_by != "processes":
            pytest.skip("it keeps the token in its own memory, so that a pickle of it must too")
        bench.handle.set(new_token(bench.identity))
        bench.handle.get()
        try:
            text = pickle.dumps(bench.handle.plugin)
        except Exception:
            return
        if SENTINEL.encode() in text:  # not an assert: pytest would show the pickle
            pytest.fail("a pickle of the store object holds the token")


class EventLoopTests(ContractFixtures):
    """An async program goes on while its store works, waits or hangs."""

    @_async_alone
    def test_no_call_blocks_the_event_loop(self, bench: Bench) -> None:
        store: Any = bench.handle.store

        async def work() -> None:
            await store.set_token(new_token(bench.identity, 1))
            await store.get_token()
            await store.prepare_save()
            async with store.token_lock(5.0, 5.0):
                await store.remove_token()
            await store.get_token()

        async def watched() -> list[str]:
            await work()  # modules and connections of the first calls
            with no_blocking_calls() as seen:
                await work()
            return seen

        seen = bench.handle.run(watched())
        assert not seen, f"called in the event loop: {', '.join(seen)}"

    @_async_alone
    def test_waiting_for_the_lock_does_not_block_the_event_loop(self, bench: Bench) -> None:
        store: Any = bench.handle.store
        holder = bench.handle if self.shared_by == "nobody" else bench.open()

        async def wait() -> None:
            with pytest.raises(TokenLockTimeoutError):
                # A wait that blocks the loop is longer than the pause that is looked for.
                async with store.token_lock(_LONGEST_PAUSE + 0.8, 60.0):
                    pass

        with holder.lock(5.0, 60.0):
            pause = bench.handle.run(_longest_pause(wait))
        assert pause < _LONGEST_PAUSE, f"the event loop stood still for {pause:.1f} s"

    @_async_alone
    def test_a_backend_that_hangs_does_not_block_the_event_loop(
        self, bench: Bench, stall: Fault | None
    ) -> None:
        bench.handle.set(new_token(bench.identity))
        store: Any = bench.handle.store

        async def read() -> None:
            try:
                async with asyncio.timeout(_LONGEST_PAUSE + 0.8):
                    await store.get_token()
            except Exception:
                return  # that it is a typed error in time, another test shows

        with entered(needed(stall, "stall")):
            pause = bench.handle.run(_longest_pause(read))
        assert pause < _LONGEST_PAUSE, f"the event loop stood still for {pause:.1f} s"


async def _longest_pause(work: Callable[[], Awaitable[None]]) -> float:
    """Seconds for which the loop ran nothing else while ``work`` was done."""
    longest, last, working = 0.0, time.monotonic(), True

    async def tick() -> None:
        nonlocal longest, last
        while working:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            longest, last = max(longest, now - last), now

    ticking = asyncio.ensure_future(tick())
    # So that the ticking has begun before the work may block the loop.
    await asyncio.sleep(0)
    try:
        await work()
    finally:
        working = False
        await ticking
    return longest


def _wraps(cls: Any) -> bool:
    return "inner" in {option.name for option in describe_options(cls)} or "_inner" in dir(cls)
