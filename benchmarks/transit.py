"""``python -m benchmarks.transit``: a page of 100 listings, from the wire and back.

The floor is ``json.loads`` of the same text. Reading Transit may take six times as long. The time
is the processor's, in the best round: other work only ever slows a computation down, and the longer
one more.
"""

from __future__ import annotations

import io
import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ._common import interleaved, keep, machine, table, verdict

BOUND = 6.0
FLOOR = "json.loads of the compact text"
WRITTEN = "json.dumps of what that gave"
OURS = "ours: loads, compact"
ROUNDS, COUNT = 25, 7
LISTINGS, AUTHORS = 100, 40

Call = Callable[[], object]


def main() -> int:
    """Prints the tables; 1 if the bound does not hold."""
    from flex_integration_sdk._transit import dumps, loads

    page = listings()
    compact, verbose = dumps(page), dumps(page, verbose=True)
    reading = {
        FLOOR: lambda: json.loads(compact),
        OURS: lambda: loads(compact),
        "json.loads of the verbose text": lambda: json.loads(verbose),
        "ours: loads, verbose": lambda: loads(verbose),
    }
    parsed = json.loads(compact)
    writing = {
        WRITTEN: lambda: json.dumps(parsed, separators=(",", ":"), ensure_ascii=False),
        "ours: dumps, compact": lambda: dumps(page),
        "ours: dumps, verbose": lambda: dumps(page, verbose=True),
    }
    try:
        theirs_read, theirs_written = transit_python2(compact, verbose)
        reading |= theirs_read
        writing |= theirs_written
    except ImportError as error:
        print(f"without transit-python2: {error}", file=sys.stderr)
    cases = {**reading, **writing}
    taken = interleaved(cases, rounds=ROUNDS, count=COUNT, clock=time.process_time, of_rounds=min)
    print(
        f"\n{machine()}\n\n{len(compact) // 1024} KB compact, {len(verbose) // 1024} KB verbose\n"
    )
    for part, head, floor in (
        (reading, ("reading", "ms", "x json.loads"), FLOOR),
        (writing, ("writing", "ms", "x json.dumps"), WRITTEN),
    ):
        rows = [
            (name, f"{taken[name] * 1e3:.2f}", f"{taken[name] / taken[floor]:.1f}") for name in part
        ]
        print(f"{table(head, rows)}\n")
    keep("transit", taken)
    ratio = taken[OURS] / taken[FLOOR]
    print(verdict(f"{OURS}, a page of {LISTINGS} listings, in json.loads", ratio, BOUND))
    return 0 if ratio <= BOUND else 1


def listings() -> dict[str, Any]:
    """A page as ``listings.query(include=["author", "images"])`` gives it; the same each time."""
    chance = random.Random(20260131)
    authors = [_author(chance) for _ in range(AUTHORS)]
    images = [_image(chance) for _ in range(2 * LISTINGS)]
    return {
        "data": [
            _listing(chance, number, chance.choice(authors), images[2 * number : 2 * number + 2])
            for number in range(LISTINGS)
        ],
        "included": [*authors, *images],
        "meta": {"totalItems": 250, "totalPages": 3, "page": 1, "perPage": LISTINGS},
    }


def _listing(
    chance: random.Random, number: int, author: dict[str, Any], images: list[dict[str, Any]]
) -> dict[str, Any]:
    from flex_integration_sdk.types import LatLng, Money

    return {
        "id": _id(chance),
        "type": "listing",
        "attributes": {
            "title": f"City bike {number}",
            "description": "A good bike, kept dry and oiled; with lights and a lock. " * 5,
            "geolocation": LatLng(round(60 + chance.random(), 6), round(24 + chance.random(), 6)),
            "createdAt": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
            "price": Money(1000 + number, "EUR"),
            "availabilityPlan": {
                "type": "availability-plan/day",
                "timezone": "Europe/Helsinki",
                "entries": [{"dayOfWeek": day, "seats": 1} for day in ("mon", "tue", "wed")],
            },
            "publicData": {
                "category": "bikes", "gears": 7, "frame": Decimal("56.5"), "lights": True,
                "extras": ["helmet", "bag"], "address": {"city": "Helsinki", "zip": "00100"},
            },
            "privateData": {"serial": f"B-{number:05}"},
            "metadata": {"checked": True},
            "state": "published",
            "deleted": False,
        },
        "relationships": {
            "marketplace": {"data": {"id": UUID(int=1, version=4), "type": "marketplace"}},
            "author": {"data": _reference(author)},
            "images": {"data": [_reference(image) for image in images]},
            "currentStock": {"data": None},
        },
    }  # fmt: skip


def _author(chance: random.Random) -> dict[str, Any]:
    profile = {"firstName": "Joe", "lastName": "Dunphy", "displayName": "Joe D", "bio": None}
    return {
        "id": _id(chance),
        "type": "user",
        "attributes": {
            "email": "joe@example.com", "banned": False, "state": "active", "emailVerified": True,
            "createdAt": datetime(2026, 1, 1, tzinfo=UTC), "pendingEmail": None,
            "profile": {**profile, "publicData": {}, "metadata": {}},
        },
    }  # fmt: skip


def _image(chance: random.Random) -> dict[str, Any]:
    def variant(name: str, size: int) -> dict[str, Any]:
        url = f"https://images.example.test/{chance.getrandbits(64):x}?w={size}"
        return {"name": name, "width": size, "height": size * 3 // 4, "url": url}

    variants = {name: variant(name, size) for name, size in (("default", 750), ("small", 240))}
    return {"id": _id(chance), "type": "image", "attributes": {"variants": variants}}


def _id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


def _reference(resource: dict[str, Any]) -> dict[str, Any]:
    return {"id": resource["id"], "type": resource["type"]}


def transit_python2(compact: str, verbose: str) -> tuple[dict[str, Call], dict[str, Call]]:
    """The one library for Transit; it leaves prices and places as tagged values."""
    from transit.reader import JsonUnmarshaler
    from transit.writer import Writer

    def read(text: str) -> Any:
        return JsonUnmarshaler().load(io.StringIO(text))

    page = read(compact)  # in its own types

    def write(protocol: str) -> str:
        stream = io.StringIO()
        Writer(stream, protocol).write(page)
        return stream.getvalue()

    return (
        {
            "transit-python2, compact": lambda: read(compact),
            "transit-python2, verbose": lambda: read(verbose),
        },
        {
            "transit-python2, to compact": lambda: write("json"),
            "transit-python2, to verbose": lambda: write("json_verbose"),
        },
    )


if __name__ == "__main__":
    sys.exit(main())
