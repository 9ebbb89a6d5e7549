"""Stores that hide failures, show secrets, or stop the program."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from flex_tokenstore import (
    ANY_REVISION,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenUnavailableError,
    hookimpl,
)

from .beasts import caught_by
from .full import AsyncFullStore, FullStore, T, TwinStore

Connection = sqlite3.Connection
logger = logging.getLogger(__name__)


@caught_by("test_an_outage_is_no_empty_store")
class NoneOnAnOutage(FullStore):
    """`except Exception: return None` around the read."""

    @hookimpl
    def get_token(self) -> Any:
        try:
            return super().get_token()
        except TokenUnavailableError:
            return None


@caught_by("test_an_outage_is_no_empty_store")
class OldTokenOnAnOutage(FullStore):
    """What it read last, however long ago."""

    _last: Any = None

    @hookimpl
    def get_token(self) -> Any:
        with suppress(TokenUnavailableError):
            self._last = super().get_token()
        return self._last


@caught_by("test_an_outage_is_no_empty_store")
class CorruptOnAnOutage(FullStore):
    """Takes no answer for a wrong one, which somebody would then put aside."""

    @hookimpl
    def get_token(self) -> Any:
        try:
            return super().get_token()
        except TokenUnavailableError:
            raise TokenCorruptError("no answer") from None


@caught_by("test_a_write_that_failed_is_an_error")
class SwallowsAFailedWrite(FullStore):
    """Logs it, and the rotated token is lost."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        try:
            super().set_token(token, expected)
        except TokenUnavailableError:
            logger.warning("could not save")


@caught_by("test_a_removal_that_failed_is_an_error")
class SwallowsAFailedRemoval(FullStore):
    """The user believes that it is gone."""

    @hookimpl
    def remove_token(self, expected: str | None) -> None:
        try:
            super().remove_token(expected)
        except TokenUnavailableError:
            logger.warning("could not remove")


@caught_by("test_the_token_is_there_after_the_outage")
class NeverConnectsAgain(FullStore):
    """One failure, and the handle is of no more use."""

    _dead = False

    def transact(self, work: Callable[[Connection], T]) -> T:
        if self._dead:
            raise TokenUnavailableError("the connection is closed")
        try:
            return super().transact(work)
        except TokenUnavailableError:
            self._dead = True
            raise


@caught_by("test_a_backend_that_hangs_is_unavailable", case="get", swift=False)
class NoTimeout(FullStore):
    """Waits for an answer for ever."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        options.timeout = 60.0
        super().__init__(options, identity)


@caught_by("test_the_lock_hangs_in_no_outage", swift=False)
class LockWaitsForTheBackend(FullStore):
    """Takes an outage for a lock that another holds, and `wait` for a hint."""

    def try_lock(self, holder: str, lease: float) -> bool:
        for _ in range(3000):
            try:
                return super().try_lock(holder, lease)
            except TokenUnavailableError:
                time.sleep(0.01)
        return False


@caught_by("test_corrupt_content_is_no_empty_store", case="cut")
class CorruptAsNone(FullStore):
    """What cannot be parsed is not there."""

    def decode(self, text: Any) -> Any:
        try:
            return super().decode(text)
        except TokenCorruptError:
            return None


@caught_by("test_corrupt_content_is_no_empty_store", case="text")
class CorruptAsUnavailable(FullStore):
    """Lets the parser's error out, which is then taken for an outage."""

    def decode(self, text: Any) -> Any:
        return json.loads(text)


@caught_by("test_reading_leaves_corrupt_content_alone")
class DeletesCorruptContent(FullStore):
    """Repairs what it does not understand, while it reads."""

    @hookimpl
    def get_token(self) -> Any:
        try:
            return super().get_token()
        except TokenCorruptError:
            self.remove_token(ANY_REVISION)
            raise


@caught_by("test_corrupt_content_is_not_replaced_by_chance")
class CorruptMatchesNothing(FullStore):
    """What cannot be parsed may be overwritten by whoever expects nothing."""

    def revision(self, text: Any) -> Any:
        found = super().revision(text)
        return None if found == "corrupt" else found


@caught_by("test_corrupt_content_can_be_replaced")
class CorruptForEver(FullStore):
    """Parses what is there before it writes, and stops."""

    def replace(self, connection: Connection, token: dict[str, Any], expected: str | None) -> Any:
        self.read(connection)
        super().replace(connection, token, expected)


@caught_by("test_corrupt_content_can_be_removed")
class CorruptCannotBeRemoved(FullStore):
    """The same, for its removal."""

    def delete(self, connection: Connection, expected: str | None) -> None:
        self.read(connection)
        super().delete(connection, expected)


@caught_by("test_errors_of_an_outage_show_no_secret")
class LeaksItInAnError(FullStore):
    """Says what it could not save."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        try:
            super().set_token(token, expected)
        except TokenUnavailableError:
            raise TokenUnavailableError(f"could not save {dict(token)}") from None


@caught_by("test_errors_of_an_outage_show_no_secret")
class LeaksItInTheCause(FullStore):
    """Its own words are fine; the driver's hold the statement."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        try:
            super().set_token(token, expected)
        except TokenUnavailableError:
            cause = RuntimeError(f"REPLACE INTO tokens VALUES ({json.dumps(token)})")
            raise TokenUnavailableError("could not save the token") from cause


@caught_by("test_errors_of_a_conflict_show_no_secret")
class LeaksItInAConflict(FullStore):
    """Says what is stored instead."""

    def check(self, connection: Connection, expected: str | None) -> None:
        try:
            super().check(connection, expected)
        except TokenConflictError:
            raise TokenConflictError(f"stored is {self.text(connection)}") from None


@caught_by("test_errors_of_corrupt_content_show_no_secret")
class LeaksItInCorruption(FullStore):
    """Shows what it could not parse."""

    def decode(self, text: Any) -> Any:
        try:
            return super().decode(text)
        except TokenCorruptError:
            raise TokenCorruptError(f"this is no JSON: {text!r}") from None


@caught_by("test_the_store_shows_no_secret")
class LeaksItInRepr(FullStore):
    """A dataclass-like repr of all that it holds."""

    _last: Any = None

    def __repr__(self) -> str:
        return f"LeaksItInRepr(last={self._last})"

    def encode(self, token: dict[str, Any]) -> str:
        self._last = super().encode(token)
        return super().encode(token)


@caught_by("test_logs_show_no_secret")
class LogsIt(FullStore):
    """At level debug, which somebody turns on one day."""

    def encode(self, token: dict[str, Any]) -> str:
        text = super().encode(token)
        logger.debug("saving %s", text)
        return text


@caught_by("test_logs_show_no_secret")
class PrintsIt(FullStore):
    """Left from the afternoon on which it was written."""

    def decode(self, text: Any) -> Any:
        print(text)
        return super().decode(text)


@caught_by("test_logs_of_an_outage_show_no_secret")
class LogsItInAnOutage(FullStore):
    """So that it can be entered by hand."""

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> None:
        try:
            super().set_token(token, expected)
        except TokenUnavailableError:
            logger.error("could not save %s", token["refresh_token"])
            raise


@caught_by("test_the_store_object_is_pickled_without_a_token")
class PickledWithTheToken(FullStore):
    """A cache goes where the object goes."""

    def encode(self, token: dict[str, Any]) -> str:
        self._last = super().encode(token)
        return self._last


class _Blocking(AsyncFullStore):
    @hookimpl
    async def get_token(self) -> Any:
        return self.store.get_token()


@caught_by("test_no_call_blocks_the_event_loop", kind="async")
class BlocksTheEventLoop(TwinStore):
    """`async def` around a blocking driver."""

    async_class: ClassVar[type] = _Blocking


class _BlockingInTheLock(AsyncFullStore):
    @hookimpl
    @asynccontextmanager
    async def token_lock(self, wait: float, lease: float) -> AsyncIterator[float | None]:
        with self.store.token_lock(wait, lease) as end:
            yield end


@caught_by("test_waiting_for_the_lock_does_not_block_the_event_loop", kind="async", swift=False)
class BlocksTheEventLoopInTheLock(TwinStore):
    """`async with` around a blocking lock."""

    async_class: ClassVar[type] = _BlockingInTheLock


@caught_by("test_a_backend_that_hangs_does_not_block_the_event_loop", kind="async", swift=False)
class BlocksTheEventLoopWhileItHangs(TwinStore):
    """The same as the first; seen by a driver whose calls cannot be."""

    async_class: ClassVar[type] = _Blocking


class _WithoutLock:
    Options = FullStore.Options

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        self._store = FullStore(options, identity)

    @hookimpl
    async def get_token(self) -> Any:
        return await asyncio.to_thread(self._store.get_token)

    @hookimpl
    async def set_token(self, token: dict[str, Any]) -> None:
        await asyncio.to_thread(self._store.set_token, token, ANY_REVISION)

    @hookimpl
    async def remove_token(self) -> None:
        await asyncio.to_thread(self._store.remove_token, ANY_REVISION)


@caught_by("test_the_async_class_matches")
class AsyncClassWithLess(TwinStore):
    """The twin has neither lock nor compare-and-set."""

    async_class: ClassVar[type] = _WithoutLock


@caught_by("test_secret_options_are_secrets")
class SecretAsText(FullStore):
    """A password that every traceback prints."""

    @dataclass(kw_only=True)
    class Options:
        path: str  #: the SQLite file
        timeout: float = 30.0  #: seconds
        password: str = ""  #: of no use here


@caught_by("test_each_option_is_documented")
class OptionsWithoutAWord(FullStore):
    """What is it for?"""

    @dataclass(kw_only=True)
    class Options:
        path: str
        timeout: float = 30.0


@caught_by("test_options_are_keyword_only")
class PositionalOptions(FullStore):
    """An option added in the middle changes the others."""

    @dataclass
    class Options:
        path: str  #: the SQLite file
        timeout: float = 30.0  #: seconds
