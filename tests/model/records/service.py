"""The service that the explored stores keep their records in: what each primitive does to it."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, NamedTuple

from flex_tokenstore import Secret, TokenIdentity
from flex_tokenstore._values.token import revision_of
from flex_tokenstore.records import ABSENT, ANY_VERSION, Busy, Record
from flex_tokenstore.records._content import read_content
from flex_tokenstore.records._record import Answer, Call

IDENTITY = TokenIdentity("https://api.example.com", "my-client", "integ")
KEY = "token"
LOCK = "token:lock"


class Rules(NamedTuple):
    """What kind of service it is."""

    native: bool = False
    """It has a lock of its own, with a lease that it does not renew."""
    moves: bool = False
    """It renames what is put aside in one step."""
    overwrites: bool = False
    tombstones: bool = True
    """A version stays when its content is removed."""
    hashes: bool = False
    """The version is a hash of the content."""
    tells: bool = False
    """A refusal says what is stored instead."""
    clock: bool = False
    """It tells the time."""
    wakes: bool = False


class Stored(NamedTuple):
    """What is under one key."""

    data: bytes | None
    version: Any


class NativeLock(NamedTuple):
    owner: str
    ends: float
    """In true time."""


class Service(NamedTuple):
    """All that the service keeps; it does not change: each primitive makes another one."""

    rules: Rules
    records: tuple[tuple[str, Stored], ...] = ()
    lock: NativeLock | None = None
    writes: int = 0
    skew: float = 0.0
    """By how much its clock is ahead of the true time."""

    def at(self, key: str) -> Stored:
        return dict(self.records).get(key, Stored(None, None))

    def holder(self, now: float) -> str | None:
        """Who has the lock."""
        if self.rules.native:
            return self.lock.owner if self.lock is not None and now < self.lock.ends else None
        data = self.at(LOCK).data
        return None if data is None else str(json.loads(data)["holder"])

    def put(self, key: str, data: bytes | None) -> Service:
        writes = self.writes + 1
        version: Any = hashlib.sha1(data).hexdigest() if self.rules.hashes and data else writes
        records = dict(self.records)
        records[key] = Stored(data, version)
        if data is None and (self.rules.hashes or not self.rules.tombstones):
            del records[key]
        return self._replace(records=tuple(sorted(records.items())), writes=writes)

    def perform(self, call: Call, now: float) -> tuple[Service, Answer]:
        after, answer = getattr(self, f"_{call.name}")(now, *call.args)
        return after, answer if isinstance(answer, Answer) else Answer(answer)

    def _record(self, key: str, now: float) -> Record:
        data, version = self.at(key)
        clock = now + self.skew if self.rules.clock else None
        if data is None and version is None and clock is None:
            return ABSENT
        return Record(None if data is None else Secret(data), version, clock)

    def _read(self, now: float, key: str) -> tuple[Service, Any]:
        return self, self._record(key, now)

    def _write(
        self, now: float, key: str, data: Secret[bytes], version: Any
    ) -> tuple[Service, Any]:
        return self._change(now, key, data.reveal(), version)

    def _delete(self, now: float, key: str, version: Any) -> tuple[Service, Any]:
        return self._change(now, key, None, version)

    def _change(
        self, now: float, key: str, data: bytes | None, version: Any
    ) -> tuple[Service, Any]:
        stored = self.at(key)
        fits = version == stored.version
        if version == ANY_VERSION:
            fits = kind_of(stored.data) == "ours"
        if not fits:
            found = self._record(key, now) if self.rules.tells else None
            return self, Answer(found, changed=True)
        after = self.put(key, data)
        return after, after.at(key).version

    def _put_aside(self, now: float, key: str, name: str, record: Record) -> tuple[Service, Any]:
        stored = self.at(key)
        if stored.version != record.version:
            return self, Answer(None, changed=True)
        return self.put(name, stored.data).put(key, None), None

    def _acquire(self, now: float, key: str, owner: str, seconds: float) -> tuple[Service, Any]:
        holder = self.holder(now)
        if holder is None:
            return self._replace(lock=NativeLock(owner, now + seconds)), None
        assert self.lock is not None
        return self, None if holder == owner else Busy("hint", self.lock.ends - now)

    def _release(self, now: float, key: str, owner: str) -> tuple[Service, Any]:
        return (self._replace(lock=None) if self.holder(now) == owner else self), None

    def _await_release(
        self, now: float, key: str, hint: Any, seconds: float
    ) -> tuple[Service, Any]:
        return self, self.holder(now) is None


def token(name: str, **tag: Any) -> dict[str, Any]:
    return {
        "access_token": name,
        "flex_tokenstore": {"format": 1, "identity": IDENTITY.key, **tag},
    }


def stored(content: str) -> bytes:
    """What is stored at first."""
    found: dict[str, bytes] = {
        "token": json.dumps(token("t0"), separators=(",", ":")).encode(),
        "corrupt": b"corrupt",
        "newer": json.dumps(token("n0", format=2)).encode(),
        "foreign": json.dumps(token("f0", identity="another")).encode(),
    }
    return found[content]


@cache
def kind_of(data: bytes | None) -> str:
    """Nothing, ours, foreign, newer or corrupt."""
    if data is None:
        return "nothing"
    try:
        tag = json.loads(data)["flex_tokenstore"]
    except ValueError:
        return "corrupt"
    if tag["format"] > 1:
        return "newer"
    return "ours" if tag["identity"] == IDENTITY.key else "foreign"


@cache
def revision(data: bytes | None) -> str | None:
    kind = kind_of(data)
    if data is None or kind == "newer":
        return None
    if kind == "corrupt":
        return read_content(Record(Secret(data))).revision
    return revision_of(json.loads(data))
