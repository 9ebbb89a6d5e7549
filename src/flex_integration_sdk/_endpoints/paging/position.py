"""How far a program has got, so that a later walk can go on from there."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from flex_integration_sdk.errors import ParameterError

from .by_number import Limits
from .page import Row

Mode = Literal["moment", "number", "sequence"]
_VERSION = 1
_ID_BYTES = 16


class Start(NamedTuple):
    """Where a walk begins: after this resource."""

    moment: int | None = None
    sequence: int | None = None
    at: int = 0
    ids: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Position:
    """The last resource that the program got."""

    query: str
    """The endpoint's name."""
    arguments: Mapping[str, str]
    """A digest of each argument, by its name."""
    mode: Mode
    part: int = 0
    """Which part of a long list of ids it belongs to."""
    moment: int | None = None
    sequence: int | None = None
    at: int = 0
    ids: set[bytes] = field(default_factory=set)
    """Of the resources of that moment that the program got; of all, where pages are numbered."""
    done: int = 0
    total: int | None = None
    wall: int | None = None
    """So many resources does the API return by page numbers, as far as it said."""
    limits: dict[int | None, tuple[int | None, int]] = field(default_factory=dict)
    """How many there are, and how many of them the API returns: for a moment, or the query."""
    missed: dict[int | None, tuple[int, int]] = field(default_factory=dict)
    """How many there are, and how many of them came in walks through all pages; as ``limits``."""

    def pass_on(self, row: Row) -> None:
        """Notes that the program gets a resource. It may be called twice for one."""
        if row.part != self.part or (self.mode == "moment" and row.moment != self.moment):
            self.ids = set()
        elif row.key in self.ids:
            return
        if self.mode != "sequence":
            self.ids.add(row.key)
        elif row.sequence == self.sequence:
            return
        self.part, self.moment, self.sequence, self.at = row.part, row.moment, row.sequence, row.at
        self.done += 1

    def start_of(self, part: int) -> Start:
        """Where the walk through a part of the ids begins."""
        if part != self.part:
            return Start()
        return Start(self.moment, self.sequence, self.at, frozenset(self.ids))

    def limits_of(self, moment: int | None) -> Limits:
        """What is known of the API's limit, for the pages of a moment, or of the query."""

        def report(total: int | None, reachable: int) -> None:
            # A walk that begins there does not know any more how many there are.
            self.limits.setdefault(moment, (total, reachable))

        def missed(counts: tuple[int, int] | None) -> None:
            self.missed.pop(moment, None)
            if counts is not None:
                self.missed[moment] = counts

        return Limits(self.wall, report, missed)

    def to_text(self) -> str:
        """The form that a program keeps."""
        ids = base64.b64encode(b"".join(sorted(self.ids))).decode()
        limits = [[moment, *counts] for moment, counts in self.limits.items()]
        missed = [[moment, *counts] for moment, counts in self.missed.items()]
        fields = {
            "v": _VERSION,
            "query": self.query,
            "arguments": self.arguments,
            "mode": self.mode,
            "part": self.part,
            "moment": self.moment,
            "sequence": self.sequence,
            "at": self.at,
            "done": self.done,
            "total": self.total,
            "wall": self.wall,
            "limits": limits,
            "missed": missed,
            "ids": ids,
        }
        return json.dumps(fields, separators=(",", ":"))

    def resumed(self, text: object) -> Position:
        """The position that a text says, for the query of this one.

        Raises:
            ParameterError: It is not one, or it is of another query.
        """
        found = _read(text)
        if found.query != self.query:
            raise ParameterError(
                f"resume: the position is one of {found.query}, and this is {self.query}"
            )
        names = sorted({*found.arguments, *self.arguments})
        changed = [name for name in names if found.arguments.get(name) != self.arguments.get(name)]
        if changed:
            raise ParameterError(
                "resume: the position is one of a query with other arguments; pass the same "
                f"{', '.join(changed)} as then, or omit resume to begin at the start"
            )
        return found


def _read(text: object) -> Position:
    try:
        found = _of(json.loads(text)) if isinstance(text, str) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        found = None
    if found is None:
        raise ParameterError(
            "resume must be the position of an iterator: what its attribute `position` was, "
            f"unchanged; got a value of type {type(text).__name__} that this version cannot read"
        )
    return found


def _of(fields: dict[str, Any]) -> Position | None:
    if fields["v"] != _VERSION or fields["mode"] not in get_args(Mode):
        return None
    found = Position(
        str(fields["query"]),
        {str(name): str(digest) for name, digest in fields["arguments"].items()},
        fields["mode"],
    )
    ids = base64.b64decode(fields["ids"], validate=True)
    found.ids = {ids[start : start + _ID_BYTES] for start in range(0, len(ids), _ID_BYTES)}
    found.part, found.at = _whole(fields["part"]), _whole(fields["at"])
    found.done = _whole(fields["done"])
    found.moment, found.sequence = _count(fields["moment"]), _count(fields["sequence"])
    found.total, found.wall = _count(fields["total"]), _count(fields["wall"])
    found.limits = {
        _count(moment): (_count(total), _whole(reachable))
        for moment, total, reachable in fields["limits"]
    }
    found.missed = {
        _count(moment): (_whole(total), _whole(came))
        for moment, total, came in fields.get("missed", [])
    }
    return found


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value


def _count(value: Any) -> int | None:
    return None if value is None else _whole(value)
