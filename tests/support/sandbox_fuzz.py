"""Sends requests at random to a sandbox, and reads all that it has after each command it accepts.

``python -m tests.support.sandbox_fuzz 5000 SEED`` prints what came of them.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

from flex_integration_sdk._endpoints.endpoint import Endpoint
from tests.support.asgi_client import FORMATS, Client, Got, InProcess
from tests.support.fuzzed_requests import ALL, Asked, Maker

# Queries that read everything of a kind; the others need the id of something.
WHOLE = {
    "listings/query": "sort=-createdAt&include=author,images,currentStock",
    "users/query": "include=profileImage",
    "transactions/query": "include=customer,listing,booking,stockReservation,messages",
    "files/query": "include=owner",
    "file_attachments/query": "include=file",
    "marketplace/show": "",
}
SPAN = "start=2026-01-01T00:00:00Z&end=2026-12-31T00:00:00Z"
# Nothing of a sandbox takes so long, on a slow machine either; what would not end takes longer.
MOST_SECONDS = 20.0


class Poisoned(AssertionError):
    """A request that must not be answered so, or a query that cannot be read any more."""


class Fuzz:
    """Requests to one sandbox.

    Args:
        sandbox: Where to send them; None: one of its own.
    """

    def __init__(self, sandbox: Client | None = None) -> None:
        self.sandbox = sandbox or InProcess()
        self.answers: Counter[str] = Counter()
        """How many requests were answered how: such as ``POST 200``."""
        self.reads = 0
        self.slowest = 0.0
        """Seconds that one request took at most."""
        self._last_event = 0
        self._ids: dict[str, list[str]] = {}
        for path in WHOLE:
            self._read(path, "", ["json"])
        self._read_changes()

    def step(self, random: Random, endpoints: Sequence[Endpoint] = ALL) -> None:
        """One request, which is checked; after an accepted command, the events too.

        Raises:
            Poisoned: It was answered as it must not be.
        """
        asked = Maker(random, self._ids).request(endpoints)
        got = self._send(asked)
        method = asked.endpoint.method
        self.answers[f"{method} {got.status}"] += 1
        if got.status not in (200, 400, 404, 409, 413):
            raise Poisoned(f"{got.status} for {asked}") from self.sandbox.failure
        body = read(got, asked)
        if got.status == 200 and method == "POST":
            self._note(body["data"])
            self._read_changes()

    def read_everything(self) -> None:
        """Reads all resources in all formats."""
        for path, query in WHOLE.items():
            self._read(path, query)
        self._read_changes()
        for listing in self._ids["listing"][-5:]:
            self._read("listings/show", f"id={listing}&include=author,images,currentStock")
            for path in ("availability_exceptions/query", "stock_adjustments/query"):
                self._read(path, f"listingId={listing}&{SPAN}")

    def _note(self, resource: object) -> None:
        """Remembers the id of a resource, for later requests."""
        if isinstance(resource, dict):
            known = self._ids.setdefault(str(resource["type"]), [])
            if str(resource["id"]) not in known:
                known.append(str(resource["id"]))

    def _send(self, asked: Asked) -> Got:
        path = f"/v1/integration_api/{asked.endpoint.path}"
        headers = dict(FORMATS[asked.form])
        if asked.kind:
            headers["content-type"] = asked.kind
        start = time.monotonic()
        got = self.sandbox.send(asked.endpoint.method, path, asked.body, headers, asked.query)
        self.slowest = max(self.slowest, time.monotonic() - start)
        if self.slowest > MOST_SECONDS:
            raise Poisoned(f"{self.slowest:.0f} seconds for {asked}")
        return got

    def _read_changes(self) -> None:
        """Reads the new events, and a page of each kind of resource in one format after another."""
        query = f"startAfterSequenceId={self._last_event}"
        while found := self._read("events/query", query):
            self._last_event = found[-1]["attributes"]["sequenceId"]
            for event in found:
                kind = event["attributes"]["resourceType"]
                self._note({"type": kind, "id": event["attributes"]["resourceId"]})
            query = f"startAfterSequenceId={self._last_event}"

    def _read(
        self, path: str, query: str, forms: Iterable[str] = FORMATS
    ) -> list[dict[str, dict[str, int]]]:
        found = []
        for form in forms:
            got = self.sandbox.query(path, query, form)
            self.reads += 1
            if got.status != 200:
                raise Poisoned(f"{path}?{query} gives {got.status}") from self.sandbox.failure
            found = got.read()["data"]
            for each in found if isinstance(found, list) else [found]:
                self._note(each)
        return found if isinstance(found, list) else [found]


def read(got: Got, asked: Asked) -> dict[str, dict[str, object]]:
    """The body of a response, strictly."""
    if got.status == 400 and got.body.startswith(b"Invalid HTTP request"):
        return {}  # the server found out before the sandbox
    try:
        found: dict[str, dict[str, object]] = got.read()
    except ValueError as error:
        raise Poisoned(f"{got.body[:200]!r} for {asked}") from error
    wanted = "application/json" if asked.form == "json" else "application/transit+json"
    if not got.kind.startswith(wanted) or ("data" in found) != (got.status == 200):
        raise Poisoned(f"{got} for {asked}")
    return found


def run(count: int, seed: int, sandbox: Client | None = None) -> str:
    """Sends so many requests; says what came of them.

    Raises:
        Poisoned: One was answered as it must not be, or a later query was.
    """
    fuzz, random = Fuzz(sandbox), Random(seed)
    start = time.monotonic()
    try:
        for number in range(1, count + 1):
            fuzz.step(random)
            if number % 250 == 0:
                fuzz.read_everything()
        fuzz.read_everything()
    finally:
        fuzz.sandbox.close()
    answers = ", ".join(f"{answer}: {times}" for answer, times in sorted(fuzz.answers.items()))
    return (
        f"{count} requests in {time.monotonic() - start:.0f} s (seed {seed}): {answers}; "
        f"{fuzz.reads} reads in all formats; the slowest request took {fuzz.slowest:.2f} s"
    )


if __name__ == "__main__":
    print(run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
