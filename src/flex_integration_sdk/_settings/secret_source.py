"""What gives the client secret: a value, a file, a program or a callable, read at each sign-in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from flex_integration_sdk.errors import ClientSecretError, NestedCallError
from flex_tokenstore import Secret, read_secret_file
from flex_tokenstore.embedding import is_quoted, stand_in, strip_value

from .redacting import HIDDEN

_Found = tuple[Secret[Any] | None, str, Exception | None]
_UNDECODED = "contains bytes that cannot be decoded; check that the locale is UTF-8"


# The source that is read; the list is empty when that is over.
_read_here: ContextVar[list[SecretSource] | None] = ContextVar("flex_sdk_secret", default=None)


class SecretSource:
    """Where the client secret comes from.

    Args:
        source: The argument or variable, for messages.
        value: The secret itself.
        file: Path of the file with it.
        function: Returns it.
        command: A program that prints it, and its arguments.
    """

    def __init__(
        self,
        source: str,
        *,
        value: Secret[str] | None = None,
        file: str | None = None,
        function: Callable[[], Any] | None = None,
        command: tuple[str, ...] = (),
    ) -> None:
        self._source = source
        self._command = command
        self._value = value
        self._file = file
        self._function = function

    def __reduce__(self) -> Any:
        raise TypeError("a client secret cannot be pickled or copied: it would travel in the clear")

    def read(self, limit: float | None = None) -> Secret[str]:
        """The secret as it is now.

        Args:
            limit: Seconds to wait for a callable or a program, which the token lock is held for;
                None: no limit.

        Raises:
            ClientSecretError: The file or the callable returns none.
        """
        if self._value is not None:
            return self._value
        if limit is None or not (self._function or self._command):
            return self._outcome(*self._found())
        with self._reading():
            return self._outcome(*self._found_within(limit))

    async def read_async(self, limit: float) -> Secret[str]:
        """Returns the secret. A thread reads the file, or calls a plain function.

        Args:
            limit: Seconds within which the file or the callable must give it.

        Raises:
            ClientSecretError: The file or the callable gives none, or takes longer.
        """
        if self._value is not None:
            return self._value
        from asyncio import timeout

        with self._reading():
            try:
                async with timeout(limit):
                    found, problem, error = await self._awaited()
            except TimeoutError:
                found, problem, error = None, _late(limit), None
        return self._outcome(found, problem, error)

    def refuse_within(self) -> None:
        """Raises NestedCallError in the callable itself, and in the tasks that it has made.

        A call of the instance that signs in would wait for that sign-in, which waits for it.
        """
        if self in (_read_here.get() or ()):
            raise NestedCallError(
                "the callable client_secret made a call of the same instance, which would wait for "
                "the secret for ever. Get the secret in another way"
            )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        reads: list[SecretSource] = [self]
        mark = _read_here.set(reads)
        try:
            yield
        finally:
            reads.clear()  # a task that outlives the callable may make calls
            _read_here.reset(mark)

    def _found_within(self, limit: float) -> _Found:
        """What the callable returns in time; one that takes longer goes on, and is not heard."""
        box: SimpleQueue[_Found] = SimpleQueue()
        _in_thread(lambda: box.put(self._found()))
        try:
            return box.get(timeout=limit)
        except Empty:
            return None, _late(limit), None

    async def _awaited(self) -> _Found:
        from asyncio import get_running_loop

        loop = get_running_loop()
        done: Any = loop.create_future()

        def give(outcome: _Found) -> None:
            if done.done():
                _drop(outcome)
            else:
                done.set_result(outcome)

        def work() -> None:
            outcome = self._found(awaits=True)
            try:
                loop.call_soon_threadsafe(give, outcome)
            except RuntimeError:  # the loop was closed meanwhile
                _drop(outcome)

        # Not in the loop's own threads, which asyncio.run waits for at its end.
        _in_thread(work)
        try:
            found, problem, error = await done
        except BaseException:
            if done.done() and not done.cancelled():
                _drop(done.result())
            raise
        if found is not None and inspect.isawaitable(found.reveal()):
            try:
                found = Secret(await found.reveal())
            except Exception as failed:  # noqa: BLE001 - whatever the program's code raises
                return None, f"raised {type(failed).__name__}", stand_in(failed)
        return found, problem, error

    def _found(self, *, awaits: bool = False) -> _Found:
        """What there is, or why there is nothing. It does not raise: frames would hold it."""
        if self._command:
            return self._printed()
        if self._function is None:
            try:
                return read_secret_file(str(self._file)), "", None
            except ValueError as error:
                return None, str(error), None
        try:
            found = Secret(self._function())
        except Exception as error:  # noqa: BLE001 - whatever the program's code raises
            return None, f"raised {type(error).__name__}", stand_in(error)
        if inspect.isawaitable(found.reveal()) and not awaits:
            if inspect.iscoroutine(found.reveal()):
                # Else Python warns of a coroutine that was never awaited.
                found.reveal().close()
            return None, "is a coroutine function, which only create_async_instance takes", None
        return found, "", None

    def _printed(self) -> _Found:
        """What the program prints."""
        from flex_tokenstore import read_secret_command  # here: few programs have one

        try:
            printed = read_secret_command(self._command)
            return Secret(printed.reveal().decode()), "", None
        except UnicodeError:
            return None, "printed what is not UTF-8 text", None
        except (OSError, ValueError) as error:
            return None, str(error), None

    def _outcome(
        self, found: Secret[Any] | None, problem: str, error: Exception | None
    ) -> Secret[str]:
        if found is not None:
            secret = found.reveal() if isinstance(found.reveal(), Secret) else found
            if isinstance(secret.reveal(), str):
                secret = Secret(strip_value(secret.reveal()))
                problem = problem_of_secret(secret, quotes=self._function is None)
                if not problem:
                    return secret
            else:
                problem = f"returned {type(secret.reveal()).__name__}, not a string"
            # A traceback may show this frame's locals.
            del secret
        del found
        what = self._named()
        raise ClientSecretError(f"the client secret cannot be read: {what} {problem}") from error

    def _named(self) -> str:
        if self._command:  # not its arguments: a secret may be among them
            return f"the program {program_of(self._command)!r}, {self._source},"
        if self._file is None:
            return "the callable client_secret"
        return f"the file {self._file} ({self._source})"

    @property
    def described(self) -> str:
        """What it is, for people, without the secret."""
        if self._command:
            return f"printed by {program_of(self._command)}"
        if self._file is not None:
            return f"in the file {self._file}"
        return "returned by a function" if self._function else HIDDEN


def _drop(outcome: _Found) -> None:
    """Drops what came too late: else Python warns of a coroutine that was never awaited."""
    if outcome[0] is not None and inspect.iscoroutine(outcome[0].reveal()):
        outcome[0].reveal().close()


def program_of(command: Sequence[str]) -> str:
    """The program of a command, for people: without arguments, which may be secret."""
    return (command[0].split() or [""])[0]


def _in_thread(work: Callable[[], None]) -> None:
    """In a thread with the caller's context variables, or here at the interpreter's end."""
    context = copy_context()
    # A daemon: a callable that never returns must not hold up the end of the program.
    thread = Thread(target=context.run, args=(work,), name="flex-sdk-secret", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        work()


def _late(limit: float) -> str:
    return f"did not return within {limit:g} s (request_timeout)"


def problem_of_secret(secret: Secret[str], *, quotes: bool) -> str:
    """Why it cannot be a client secret or a client id (RFC 6749 appendix A); "" if it can.

    Args:
        secret: After ``strip_value``.
        quotes: Whether quotes around it are a mistake: they are where no shell took them off.
    """
    if not secret:
        return "is empty"
    if quotes and is_quoted(secret.reveal()):
        return "is in quotes, which count as part of it: write it without them"
    # os.environ shows bytes that the locale cannot decode as lone surrogates (PEP 383).
    if re.search("[\ud800-\udfff]", secret.reveal()):
        return _UNDECODED
    if re.search(r"[\r\n]", secret.reveal()):
        return "has more than one line, and a client secret has only one"
    if re.search(r"[\x00-\x1f\x7f]", secret.reveal()):
        return "contains a control character; copy it again"
    if not secret.reveal().isascii():
        return "contains a letter that is not ASCII, such as a curly quote; copy it again"
    return ""
