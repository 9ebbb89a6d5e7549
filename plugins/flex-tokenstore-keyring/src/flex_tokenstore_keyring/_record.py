"""One token in several items of a keyring, replaced as a whole.

A keyring replaces one item at most, and not all do that in one step: on macOS an item is deleted
and added again. So the token is kept in one of two slots, ``a`` and ``b``, and a save writes the
slot that is not in use:

1. it deletes what an interrupted save left there, first the head and then the parts;
2. it writes the parts, then the head, which says how new it is and what belongs to it;
3. it deletes the other slot, first its head and then its parts.

A head is written once everything else is there, and deleted before anything else. So if the
program is killed between any two steps, the newest head belongs to a whole token, the old one or
the new one. No item is ever overwritten: on Windows, keyring would keep a copy of the old one.

The parts of a slot are numbered from 1, without a gap: written upwards and deleted downwards.
"""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any, NamedTuple, Protocol

from flex_tokenstore import Secret, is_newer

from ._problems import Failed

logger = logging.getLogger("flex_tokenstore_keyring")

FORMAT = 1
SLOTS = ("a", "b")
MOST_PARTS = 100
"""Of one token; on Windows a token may thus have 120,000 characters."""
LARGEST = 1 << 20
"""Characters of the largest token, if it need not be split."""
_UNREADABLE = float("inf")


class Items(Protocol):
    """What a record needs of a keyring."""

    largest: int | None
    """Characters of the largest item."""

    def get(self, name: str) -> Secret[str] | None:
        """The item; None: there is none."""

    def put(self, name: str, text: Secret[str]) -> None:
        """Keeps an item that is not there yet, or raises."""

    def drop(self, name: str) -> bool:
        """Deletes the item; returns whether it was there."""


class TooLarge(Exception):
    """The token is larger than the keyring can keep."""


class Head(NamedTuple):
    """The item that stands for a slot."""

    slot: str
    sequence: float
    """The newer of two has the higher one. One that cannot be read counts as the newest: what it
    was is not known, and an older token must not come back in its place."""
    token: Secret[Any] | None = None
    """The token, if it is in the head."""
    parts: int = 0
    digest: str = ""
    problem: str = ""
    newer: bool = False


class Found(NamedTuple):
    """What is kept. With neither token nor problem: nothing."""

    heads: tuple[Head, ...] = ()
    """The newest last."""
    token: Secret[dict[str, Any]] | None = None
    problem: str = ""
    newer: bool = False
    """A newer version of this package wrote it: neither replaced nor removed."""

    @property
    def is_certain(self) -> bool:
        """Whether it was the state at some moment, even if others were writing meanwhile."""
        return self.token is not None or self.newer


def look(items: Items, base: str) -> Found:
    """What is kept under a name.

    While others write, it may see two slots that were never empty, or parts of two tokens. It then
    returns nothing, or a problem, and the caller looks again when nobody writes.
    """
    read = (_head(slot, items.get(f"{base}/{slot}")) for slot in SLOTS)
    heads = tuple(sorted((head for head in read if head), key=_age))
    if not heads:
        return Found()
    newest = heads[-1]
    if newest.problem or newest.newer:
        return Found(heads, problem=newest.problem, newer=newest.newer)
    if newest.token is not None:
        return _checked(heads, newest.token)
    text = _joined(items, f"{base}/{newest.slot}", newest)
    if isinstance(text, str):
        return Found(heads, problem=text)
    token, problem = _parsed(text)
    return _checked(heads, token) if token is not None else Found(heads, problem=problem)


def save(items: Items, base: str, found: Found, token: Secret[str]) -> None:
    """Replaces what was found, if nobody else writes; ``token`` is JSON in ASCII.

    Raises:
        TooLarge: Nothing was changed.
        Failed: It is not saved, or cannot be read.
    """
    newest = found.heads[-1] if found.heads else None
    # The other slot, which may hold what an interrupted save left.
    slot = "b" if newest is not None and newest.slot == "a" else "a"
    sequences = [int(head.sequence) for head in found.heads if head.sequence != _UNREADABLE]
    head, parts = _split(1 + max(sequences, default=0), token, items.largest)
    _clear(items, f"{base}/{slot}")
    for number, part in enumerate(parts, 1):
        items.put(f"{base}/{slot}/{number}", part)
    items.put(f"{base}/{slot}", head)
    if newest is None:
        return
    old = f"{base}/{newest.slot}"
    if newest.sequence == _UNREADABLE:
        # It counts as newer than the token just written, which is not saved while it is there.
        items.drop(old)
    try:
        _clear(items, old)
    except Failed as failed:  # the token is saved; the next save clears this
        logger.warning(
            "the keyring still has an older copy of %s, which is not used: %s",
            base,
            failed.problem.text,
        )


def remove(items: Items, base: str, found: Found) -> None:
    """Removes what was found, the newest last: an older token must not come back for a moment."""
    present = [head.slot for head in found.heads]
    # A slot without a head may have the parts of an interrupted save.
    for slot in (*(each for each in SLOTS if each not in present), *present):
        _clear(items, f"{base}/{slot}")


def _age(head: Head) -> tuple[float, bool]:
    """What sorts heads, the newest last; of two unreadable ones, that of a newer version."""
    return head.sequence, head.newer


def _clear(items: Items, slot: str) -> None:
    items.drop(slot)
    last = 0
    while items.get(f"{slot}/{last + 1}") is not None:
        last += 1
    for number in range(last, 0, -1):
        items.drop(f"{slot}/{number}")


def _split(
    sequence: int, token: Secret[str], largest: int | None
) -> tuple[Secret[str], list[Secret[str]]]:
    """The head, and the parts, of which there are none if all is in the head."""
    start = f'{{"format":{FORMAT},"sequence":{sequence},'
    length = len(token.reveal())
    if length > LARGEST:
        raise TooLarge
    if largest is None or len(start) + length + len('"token":}') <= largest:
        return Secret(f'{start}"token":{token.reveal()}}}'), []
    count = -(-length // largest)
    if count > MOST_PARTS:
        raise TooLarge
    parts = [Secret(token.reveal()[at : at + largest]) for at in range(0, count * largest, largest)]
    return Secret(f'{start}"parts":{count},"sha256":"{_digest(token)}"}}'), parts


def _joined(items: Items, slot: str, head: Head) -> Secret[str] | str:
    """The text that the parts make; or what is wrong with them."""
    texts: list[Secret[str]] = []
    for number in range(1, head.parts + 1):
        part = items.get(f"{slot}/{number}")
        if part is None:
            return f"part {number} of {head.parts} is missing"
        texts.append(part)
    whole = Secret("".join(part.reveal() for part in texts))
    return whole if _digest(whole) == head.digest else "its parts do not belong together"


def _head(slot: str, text: Secret[str] | None) -> Head | None:
    if text is None:
        return None
    parsed, problem = _parsed(text)
    if parsed is None:
        return Head(slot, _UNREADABLE, problem=problem)
    return _read_head(slot, parsed)


def _read_head(slot: str, parsed: Secret[Any]) -> Head:
    if not isinstance(parsed.reveal(), dict):
        return Head(slot, _UNREADABLE, problem="it is not a JSON object")
    version, sequence, parts, digest = (
        parsed.reveal().get(name) for name in ("format", "sequence", "parts", "sha256")
    )
    if _is_number(version) and version > FORMAT:
        return Head(slot, _UNREADABLE, newer=True)
    if version != FORMAT or not _is_number(sequence):
        return Head(slot, _UNREADABLE, problem="it was not written by this store")
    if "token" in parsed.reveal():
        return Head(slot, sequence, Secret(parsed.reveal()["token"]))
    if not (_is_number(parts) and parts <= MOST_PARTS and isinstance(digest, str)):
        return Head(slot, _UNREADABLE, problem="it names no token")
    return Head(slot, sequence, parts=parts, digest=digest)


def _checked(heads: tuple[Head, ...], token: Secret[Any]) -> Found:
    if is_newer(token.reveal()):
        return Found(heads, newer=True)
    fields = token.reveal()
    is_token = isinstance(fields, dict) and isinstance(fields.get("access_token"), str)
    del fields  # a traceback may show locals
    return Found(heads, token) if is_token else Found(heads, problem="it has no access token")


def _parsed(text: Secret[str]) -> tuple[Secret[Any] | None, str]:
    # A JSONDecodeError keeps the whole text: nothing is raised from here.
    try:
        return Secret(json.loads(text.reveal())), ""
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError:
        return None, "it is not JSON, or it is truncated"


def _digest(text: Secret[str]) -> str:
    return hashlib.sha256(text.reveal().encode("utf-8", "surrogatepass")).hexdigest()


def _is_number(value: Any) -> bool:
    return type(value) is int and value > 0
