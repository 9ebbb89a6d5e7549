"""What the sync and the async base have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from .._values.identity import TokenIdentity
from ..hookspecs import hookimpl
from ._calls import Calls
from ._clients import Loop
from ._lease import Lease
from ._policy import Policy
from ._record import Problem
from ._where import Where, Words

TIMEOUT = 5.0  # seconds; of a store whose options have no ``timeout``
IDLE = 2.0  # seconds; connecting again costs a renewal little, and finds a new address or secret


class RecordBase:
    """A store that keeps one record for each identity. See :class:`RecordStore` for how to write
    one.

    Args:
        options: The store's.
        identity: Whose token it keeps.
    """

    store: ClassVar[str] = ""
    """Its name, the same for the sync and the async class; by default that of the class, without
    ``Async`` at its start."""
    record: ClassVar[str] = "record"
    """What it keeps, for messages: such as "row" or "secret"."""
    elsewhere: ClassVar[str] = "prefix"
    """The option to change if a record belongs to somebody else, for messages."""
    separator: ClassVar[str] = ":"
    """Put between an identity's key and what names its lock, or content put aside."""
    overwrites: ClassVar[bool] = False
    """``write`` and ``delete`` take ``ANY_VERSION``, for any token of this identity."""
    leased: bool = True
    """The lock expires with its lease. False: one of ``acquire`` lasts until it is released, or its
    holder dies."""
    idle: ClassVar[float] = IDLE
    """Seconds after which an unused client is replaced."""

    def __init__(self, options: Any, identity: TokenIdentity) -> None:
        self.options = options
        self.identity = identity
        key = self.key_of(identity)
        timeout = float(getattr(options, "timeout", TIMEOUT))
        files = getattr(options, "files", None)
        paths = () if files is None else files()
        self._calls = Calls(self, paths, self.idle, timeout, self._loop_here)
        self._where = Where(
            self.store or type(self).__name__.removeprefix("Async"),
            self.locate(key),
            identity,
            timeout,
            Words(self.record, self.elsewhere),
            self._calls.perform,
        )
        self._policy = Policy(
            self._where,
            key,
            separator=self.separator,
            moves=hasattr(self, "put_aside"),
            overwrites=self.overwrites,
        )
        self._lease = Lease(
            self._where,
            self.separator.join((key, "lock")),
            native=hasattr(self, "acquire"),
            wakes=hasattr(self, "await_release"),
            ends=self.leased,
        )

    def _loop_here(self) -> Loop:
        """The event loop that runs the caller; None: the store is sync."""
        return None

    def key_of(self, identity: TokenIdentity) -> str:
        """The name of an identity's record; by default its key: at most 41 letters, digits, dots
        and hyphens."""
        return identity.key

    def locate(self, key: str) -> str:
        """Where the record of this name is, for people: without user and password."""
        return f"{self.record} {key}"

    @property
    def place(self) -> str:
        """Where the record is, without user and password."""
        return self._where.place

    @property
    def given(self) -> bool:
        """The client is the program's own: it is not closed. By default, option ``client``."""
        return getattr(self.options, "client", None) is not None

    @hookimpl
    def lock_id(self) -> str:
        return f"{self._where.store}:{self.place}"

    def describe(self, error: Exception) -> Problem | None:
        """What an error of the driver means; None: not known."""
        return None

    def connect(self) -> Any:
        """A client of the service; the default is for stores that need none."""
        return None

    def send(self, client: Any, command: Any) -> Any:
        """Carries out a command of a method that is a generator."""
        raise NotImplementedError(f"{type(self).__name__} yields commands, and has no send()")
