"""What the store does, as generators of commands: the sync and the async store only send them."""

from __future__ import annotations

import math
import os
import secrets
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, TypeVar

from flex_tokenstore import (
    ANY_REVISION,
    Secret,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenUnavailableError,
)

from ._content import NOTHING, Content, encode, mark_of, read_content
from ._options import STORE, Options, parse
from ._scripts import PROVE, RELEASE, REPLACE, TAKE, Script

ROUNDS = 100  # comparisons before a key that always changes is given up
SLICE = 1.0  # seconds; a wait as short as this is a slice of a longer one
LOOK = 1.0  # seconds after which one who waits looks at the lock although nobody woke it
UNCOMPARED = 4  # of a save that may replace anything, each so many tries one does not compare
UNKNOWN = "?"  # a mark that nothing has
ANY_MARK = "*"  # a mark that every token of this identity has

T = TypeVar("T")


class Refused(Enum):
    """An answer that the flow knows how to go on from."""

    NO_SCRIPT = "NOSCRIPT"
    WRONG_TYPE = "WRONGTYPE"


Command = tuple[Any, ...]
"""A command and its arguments; what is secret among them is a ``Secret``."""
Reply = Secret[Any] | Refused
Steps = Generator[Command, Reply, T]


class Keeper:
    """The keys of one identity and what is done with them."""

    def __init__(self, options: Options, identity: TokenIdentity, server: str) -> None:
        # In braces: a Cluster then keeps all keys of one identity in one slot.
        self._key = f"{options.prefix}{{{identity.key}}}"
        self._identity = identity
        self._seen = NOTHING  # what was last read or written: saves a set its first look
        # Values of locks that may have been taken: answer lost. By process: a forked child must
        # not take one for its own that its parent may hold.
        self._unsure_of: dict[int, list[str]] = {}
        # XREAD must return before the socket's own timeout, or a wait would look like an outage.
        self._look = min(LOOK, options.timeout / 2)
        self._server = server
        self.place = f"{server} key {self._key}"

    def get(self) -> Steps[dict[str, Any] | None]:
        """The stored token."""
        reply = yield ("GET", self._key)
        # GET refuses other types. The script reads any type, and writes nothing: no key has this
        # mark.
        if isinstance(reply, Refused):  # the key is of another type
            content = (yield from self._replace(UNKNOWN)) or NOTHING
        elif reply.reveal() is None:
            content = NOTHING
        else:
            content = read_content("string", reply)
        if content.problem:
            self._seen = NOTHING  # what this handle wrote is not to be replaced unseen
            raise self._corrupt(content)
        if content.token is None:
            return None
        if content.token.identity_key == self._identity.key:
            # A foreign token is not remembered: the next save must look at it, and refuse.
            self._seen = content
        return content.token.to_dict()

    def put(self, token: dict[str, Any] | None, expected: str | None) -> Steps[None]:
        """Replaces or, with no token, removes what has the expected revision."""
        value, revision = encode(token) if token is not None else (None, None)
        seen = self._seen
        mark = seen.mark if expected in (seen.revision, ANY_REVISION) else UNKNOWN
        if expected is None:
            # To the script an empty mark means that the key does not exist.
            mark = ""
        problem = ""
        for attempt in range(1, ROUNDS + 1):
            found = yield from self._replace(mark, value, aside=bool(problem))
            if found is None:
                self._seen = NOTHING._replace(
                    mark=mark_of(value) if value is not None else "", revision=revision
                )
                return
            # Before the comparison: ANY_REVISION would match a foreign token too.
            if found.token is not None and found.token.identity_key != self._identity.key:
                raise self._foreign()
            if found.newer:
                raise self._corrupt(found)
            if expected not in (found.revision, ANY_REVISION):
                raise TokenConflictError(
                    f"{self.place} was changed by another process since it was read; nothing was "
                    "written: read it again",
                    store=STORE,
                    place=self.place,
                )
            # The next try names the bytes that were just read, so a write in between is never lost.
            mark, problem = found.mark, found.problem
            if expected == ANY_REVISION and found.token is not None and not attempt % UNCOMPARED:
                mark = ANY_MARK  # many others write tokens of ours: no comparison would be won
        raise TokenUnavailableError(
            f"{self.place} was changed by other programs at each of {ROUNDS} tries; nothing was "
            "written: find out which program writes there",
            store=STORE,
            place=self.place,
        )

    def prepare(self) -> Steps[None]:
        """Fails if this user, or this server, may not write."""
        reply = yield ("EVALSHA", PROVE.sha, 1, self._key)
        if reply is Refused.NO_SCRIPT:
            yield ("EVAL", PROVE.text, 1, self._key)

    def take(self, value: str, wait: float, lease: float) -> Steps[float]:
        """Acquires the lock; returns the monotonic time at which its lease expires.

        All who wait are woken by a release, and one of them has the lock. The others of those
        who wait in slices are told at once, for what they want is likely to be stored by now.
        """
        keys = (f"{self._key}:lock", f"{self._key}:wake")
        deadline = time.monotonic() + wait
        woken = False
        while True:
            sent = time.monotonic()  # the server counts from later on: it ends after what we say
            # PX takes whole milliseconds above 0.
            reply = yield from self._run(TAKE, keys, value, max(1, int(lease * 1000)))
            if reply.reveal() is None:
                return sent + lease
            last, milliseconds = reply.reveal()
            left = deadline - time.monotonic()
            if left <= 0 or (woken and wait <= SLICE):
                raise TokenLockTimeoutError(
                    f"the lock {keys[0]} at {self._server} could not be acquired within {wait:g} "
                    "s: another process holds it, at most until its lease expires",
                    store=STORE,
                    place=self.place,
                )
            # PTTL returns -2 if the key has expired meanwhile, and -1 if it has no end.
            ends = milliseconds / 1000 if milliseconds >= 0 else self._look
            # BLOCK 0 would wait for ever.
            block = math.ceil(1000 * min(left, ends, self._look)) or 1
            news = yield ("XREAD", "BLOCK", block, "STREAMS", keys[1], last)
            woken = isinstance(news, Secret) and bool(news.reveal())

    def release(self, value: str) -> Steps[None]:
        """Releases the lock, if it is still ours."""
        yield from self._run(RELEASE, (f"{self._key}:lock", f"{self._key}:wake"), value)

    @contextmanager
    def value(self) -> Iterator[str]:
        """The value to acquire the lock with. If the reply was lost, nobody knows whether the
        lock was acquired; the next caller uses the same value, and so acquires it either way."""
        unsure = self._unsure_of.setdefault(os.getpid(), [])
        value = unsure.pop() if unsure else secrets.token_hex(16)
        try:
            yield value
        except TokenLockTimeoutError:
            # The server has replied: nothing is held, so the value is not needed again.
            raise
        except BaseException:
            # Ctrl-C and a cancelled task too: the command may have been sent.
            unsure.append(value)
            raise

    def _replace(
        self, mark: str, value: Secret[bytes] | None = None, *, aside: bool = False
    ) -> Steps[Content | None]:
        """None when done; else the content that is there instead of the one with this mark."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        # Two programs may move content aside in one second, and RENAME overwrites its target.
        keys = (self._key, f"{self._key}:corrupt-{now}-{secrets.token_hex(3)}")
        new = value if value is not None else ""
        aside_or_not = "aside" if aside else ""
        reply = yield from self._run(REPLACE, keys, mark, new, aside_or_not, self._identity.key)
        if reply.reveal() is None:
            return None
        kind = reply.reveal()[0].decode()
        return NOTHING if kind == "none" else read_content(kind, Secret(reply.reveal()[1]))

    def _run(self, script: Script, keys: tuple[str, str], *args: Any) -> Steps[Secret[Any]]:
        # By its digest, which is shorter. A restart or SCRIPT FLUSH makes the server forget the
        # script.
        reply = yield ("EVALSHA", script.sha, len(keys), *keys, *args)
        if reply is Refused.NO_SCRIPT:
            reply = yield ("EVAL", script.text, len(keys), *keys, *args)
        if isinstance(reply, Refused):
            raise TokenUnavailableError(
                f"{keys[0]} or {keys[1]} at {self._server} is of a type that this store does not "
                "write: remove it, or choose another prefix",
                store=STORE,
                place=self.place,
            )
        return reply

    def _corrupt(self, found: Content) -> TokenCorruptError:
        remedy = "" if found.newer else f"; {self._identity.program.removal} moves it aside"
        return TokenCorruptError(
            f"{self.place} does not hold a token: {found.problem}{remedy}",
            revision=found.revision,
            store=STORE,
            place=self.place,
        )

    def _foreign(self) -> TokenIdentityError:
        return TokenIdentityError(
            f"{self.place} holds a token that does not belong to {self._identity.key}; it is "
            "neither used nor overwritten: remove that key, or choose another prefix",
            store=STORE,
            place=self.place,
        )


def server_of(options: Options) -> str:
    """The server, for people."""
    address = parse(options.url)
    if options.client is not None:
        return "a client of the program's own,"
    if options.sentinels:
        return f"sentinels {','.join(options.sentinels)} service {options.service_name},"
    return str(address)
