"""Sends the body of an upload: reads its sources, in a thread where they could block a loop.

What a source or a callback of the program's raises does not pass through the HTTP library, whose
frames hold a token: the body keeps it, and the request ends with :class:`Failed`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from flex_integration_sdk.errors import ParameterError

from .deadline import CURRENT, RECEIVING, Watch

if TYPE_CHECKING:
    from flex_integration_sdk._sources.body import Body
    from flex_integration_sdk._sources.source import Source
    from flex_integration_sdk._sources.steps import Steps, Work

SENDING = "the server did not take the next 64 KB of the upload"


class Failed(Exception):
    """A source or a callback has raised; the body knows what."""


def prepare(body: Body) -> None:
    """Opens the sources of a body.

    Raises:
        OSError: A file cannot be read.
        ParameterError: A source is empty, does not return bytes, or is one of asyncio programs.
    """
    for _, part in body.parts:
        refuse_async(part.parameter, part.source)
    for _ in _driven(body.prepare()):
        raise AssertionError("only a sending has pieces")


def refuse_async(parameter: str, source: Source) -> None:
    """Raises ParameterError for a source that only asyncio programs can read."""
    if source.needs_loop:
        raise ParameterError(
            f"{parameter} can only be read in an event loop: use create_async_instance, or pass a "
            "path, bytes, a file or an iterable"
        )


def pieces(body: Body) -> Iterator[bytes]:
    """The pieces of one sending.

    Raises:
        Failed: A source or the callback has raised.
    """
    failed, watch = False, CURRENT.get()
    try:
        for piece in _driven(body.sending()):
            _show_phase(watch, SENDING)
            yield piece
            _count_unseen(watch, piece)
        _show_phase(watch, RECEIVING)
    except Exception as error:  # noqa: BLE001 - the program gets it later, whatever it is
        body.failed(error)
        failed = True
    if failed:
        raise Failed


@contextmanager
def opened(body: Body) -> Iterator[None]:
    """A block in which a body can be sent, more than once if its sources allow that.

    Raises:
        OSError: A file cannot be read.
        ParameterError: A source is empty, does not return bytes, or is one of asyncio programs.
    """
    try:
        prepare(body)
        body.is_open = True
        yield
    finally:
        close(body)


@asynccontextmanager
async def aopened(body: Body) -> AsyncIterator[None]:
    """As :func:`opened`, in an event loop, which it does not block."""
    try:
        await aprepare(body)
        body.is_open = True
        yield
    finally:
        await aclose(body)


def close(body: Body) -> None:
    """Closes what :func:`prepare` opened."""
    for _ in _driven(body.close()):
        raise AssertionError("only a sending has pieces")


def _driven(steps: Steps) -> Iterator[bytes]:
    reply: Any = None
    error: Exception | None = None
    try:
        while True:
            with _programs_own():
                step = steps.send(reply) if error is None else steps.throw(error)
            reply = error = None
            if isinstance(step, bytes):
                yield step
                continue
            try:
                with _waits_for_program(), _programs_own():
                    reply = step.call()
            except Exception as found:  # noqa: BLE001 - of the program's
                error = found
    except StopIteration:
        return
    finally:
        steps.close()


async def aprepare(body: Body) -> None:
    """As :func:`prepare`, without blocking the event loop."""
    async for _ in _adriven(body.prepare(), body):
        raise AssertionError("only a sending has pieces")


async def apieces(body: Body) -> AsyncIterator[bytes]:
    """As :func:`pieces`, without blocking the event loop."""
    failed, watch = False, CURRENT.get()
    try:
        async for piece in _adriven(body.sending(), body):
            _show_phase(watch, SENDING)
            yield piece
            _count_unseen(watch, piece)
        _show_phase(watch, RECEIVING)
    except Exception as error:  # noqa: BLE001 - the program gets it later, whatever it is
        body.failed(error)
        failed = True
    if failed:
        raise Failed


async def aclose(body: Body) -> None:
    """As :func:`close`, without blocking the event loop."""
    import asyncio

    if not body.blocks:
        close(body)
        return
    # A cancelled task leaves a thread behind that still reads, and perhaps waits for a pipe.
    is_read = body.in_use.locked()
    closing = asyncio.get_running_loop().run_in_executor(None, _taken, body, lambda: close(body))
    if not is_read:
        await closing


async def _adriven(steps: Steps, body: Body) -> AsyncIterator[bytes]:
    reply: Any = None
    error: Exception | None = None
    try:
        while True:
            with _programs_own():
                step = steps.send(reply) if error is None else steps.throw(error)
            reply = error = None
            if isinstance(step, bytes):
                yield step
                continue
            try:
                with _waits_for_program(), _programs_own():
                    reply = await _done(step, body)
            except Exception as found:  # noqa: BLE001 - of the program's
                error = found
    except StopIteration:
        return
    finally:
        steps.close()


async def _done(step: Work, body: Body) -> Any:
    if not step.blocks:
        found = step.call()
    else:
        import asyncio

        found = await asyncio.to_thread(_taken, body, step.call)
    return await found if isawaitable(found) else found


def _show_phase(watch: Watch | None, phase: str) -> None:
    if watch is not None:
        watch.phase = phase


def _count_unseen(watch: Watch | None, piece: bytes) -> None:
    """Counts what was sent by the program's own HTTP client: its connections count nothing."""
    if watch is not None and watch.unseen:
        watch.moved(len(piece))
        watch.check()


def _taken(body: Body, call: Callable[[], Any]) -> Any:
    """Makes a call in a thread, when no other one uses the body: no file is closed under it."""
    with body.in_use:
        return call()


@contextmanager
def _programs_own() -> Iterator[None]:
    """A block in which the program's own code runs, such as a file that logs what it does."""
    from .quiet import programs_own

    with programs_own():
        yield


@contextmanager
def _waits_for_program() -> Iterator[None]:
    """A block in which a request waits for the program's own file: no server is to blame."""
    watch = CURRENT.get()
    if watch is None:
        yield
        return
    watch.pause()
    try:
        yield
    finally:
        watch.resume()
