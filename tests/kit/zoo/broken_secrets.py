"""Stores that show a token, or the value of a secret option, where others look."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sqlite3 import Connection
from typing import Any, ClassVar

from flex_tokenstore import (
    TokenConflictError,
    TokenIdentity,
    TokenLockTimeoutError,
    TokenUnavailableError,
    hookimpl,
)

from .beasts import caught_by
from .full import FullStore, T

NAMES = "test_the_location_and_names_show_no_secret"
GIVEN = "test_no_program_and_no_environment_is_given_a_secret"
LOGS = "test_waiting_conflicts_and_closing_log_no_secret"
# A config with a password: what a test does not give, the kit cannot look for.
WITH_PASSWORD: dict[str, Any] = {"password": "hunter2-PASSWORD"}


@caught_by("test_the_error_of_a_held_lock_shows_no_secret")
class LeaksItInTheLockError(FullStore):
    """It quotes what is stored, for the support."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        try:
            with FullStore.token_lock(self, wait, lease) as end:
                yield end
        except TokenLockTimeoutError:
            raise TokenLockTimeoutError(f"held; stored is {self.transact(self.text)}") from None


@caught_by("test_the_error_of_a_held_lock_shows_no_secret", kind="async")
class LeaksItInTheLockCause(FullStore):
    """The error is silent, and the one that it comes from is not."""

    @hookimpl
    @contextmanager
    def token_lock(self, wait: float, lease: float) -> Iterator[float | None]:
        try:
            with FullStore.token_lock(self, wait, lease) as end:
                yield end
        except TokenLockTimeoutError:
            cause = KeyError(self.transact(self.text))
            raise TokenLockTimeoutError("another holds the lock") from cause


class _TellsWhatItWrites(FullStore):
    def tell(self, text: str) -> None:
        raise NotImplementedError

    def encode(self, token: dict[str, Any]) -> str:
        text = super().encode(token)
        self.tell(text)
        return text


@caught_by(GIVEN)
class TokenInArgv(_TellsWhatItWrites):
    """Runs a program with the token as an argument: every user sees it in `ps`."""

    def tell(self, text: str) -> None:
        subprocess.run([sys.executable, "-S", "-c", "", text[:2000]], check=True)


@caught_by(GIVEN, kind="async")
class TokenInTheEnvironmentOfAProgram(_TellsWhatItWrites):
    """Nobody sees it in `ps`; root and the program's children do."""

    def tell(self, text: str) -> None:
        environment = {"TOKEN": text[:2000]}
        subprocess.run([sys.executable, "-S", "-c", ""], env=environment, check=True)


@caught_by(GIVEN)
class TokenInTheEnvironment(_TellsWhatItWrites):
    """For a library that reads it there."""

    def tell(self, text: str) -> None:
        os.environ["LAST_TOKEN"] = text[:2000]
        del os.environ["LAST_TOKEN"]


@caught_by(GIVEN)
class TokenInTheShell(_TellsWhatItWrites):
    """`os.system`."""

    def tell(self, text: str) -> None:
        os.system("true '" + text[:2000].replace("'", "") + "'")


@caught_by("test_warnings_show_no_secret")
class TokenInAWarning(_TellsWhatItWrites):
    """A field that it does not know, and the whole token with it."""

    def tell(self, text: str) -> None:
        warnings.warn(f"not encrypted: {text}", UserWarning, stacklevel=2)


@caught_by("test_warnings_show_no_secret", kind="async")
class TokenInADeprecation(FullStore):
    """Only when it reads, and only in a warning that is not shown by default."""

    def decode(self, text: Any) -> Any:
        warnings.warn(f"this format is old: {text}", DeprecationWarning, stacklevel=2)
        return super().decode(text)


@caught_by(LOGS)
class LogsBelowDebug(_TellsWhatItWrites):
    """A level of its own, which no test has looked at."""

    def tell(self, text: str) -> None:
        logging.getLogger("trace").log(5, "writes %s", text)


@caught_by(LOGS, kind="async")
class LogsForItself(FullStore):
    """A logger that does not propagate, with what a conflict has found."""

    def check(self, connection: Connection, expected: str | None) -> None:
        try:
            super().check(connection, expected)
        except TokenConflictError:
            logger = logging.getLogger("zoo.private")
            logger.propagate = False
            logger.info("conflict with %s", self.text(connection))
            raise


@caught_by(LOGS)
class PrintsConflicts(FullStore):
    """On standard error, for the one who debugs."""

    def check(self, connection: Connection, expected: str | None) -> None:
        try:
            super().check(connection, expected)
        except TokenConflictError:
            print("conflict with", self.text(connection), file=sys.stderr)
            raise


@caught_by(NAMES)
class TokenInItsLocation(FullStore):
    """`location` says which token it is."""

    place = "nothing yet"

    def encode(self, token: dict[str, Any]) -> str:
        self.place = f"token {token['access_token']}"
        return super().encode(token)


@caught_by(NAMES, kind="async")
class TokenInTheLockId(FullStore):
    """The lock is that of the token which it protects."""

    @hookimpl
    def lock_id(self) -> str:
        return f"{self._key}:{self.transact(self.text)}"


@caught_by(NAMES)
class ShowsItsPassword(FullStore):
    """In `place`; the framework masks it there, and a caller of the store sees it."""

    config: ClassVar[dict[str, Any]] = WITH_PASSWORD

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self.place = f"db://user:{options.password.reveal()}@host/{identity.key}"


@caught_by(NAMES, kind="async")
class PasswordInRepr(FullStore):
    """All its options, as a dataclass has them."""

    config: ClassVar[dict[str, Any]] = WITH_PASSWORD

    def __repr__(self) -> str:
        return f"<store with {self._options.password.reveal()}>"


@caught_by("test_errors_show_no_secret_option")
class PasswordInErrors(FullStore):
    """With the address to which it could not connect."""

    config: ClassVar[dict[str, Any]] = WITH_PASSWORD

    def transact(self, work: Callable[[Connection], T]) -> T:
        try:
            return super().transact(work)
        except TokenUnavailableError:
            password = self._options.password.reveal()
            raise TokenUnavailableError(f"cannot reach user:{password}@host") from None


@caught_by(LOGS)
class PasswordInTheLog(FullStore):
    """Each connection, with its address."""

    config: ClassVar[dict[str, Any]] = WITH_PASSWORD

    def transact(self, work: Callable[[Connection], T]) -> T:
        logging.getLogger("zoo").debug("connects as %s", self._options.password.reveal())
        return super().transact(work)
