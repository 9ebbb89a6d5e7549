"""Makes requests of the API at random: nearly right ones, and some with odd values.

Whoever makes them gives the random numbers: a seed, or Hypothesis, which then finds the shortest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from flex_integration_sdk._endpoints.endpoint import Endpoint, Param
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from tests.support import fuzzed_values as values
from tests.support.fuzzed_values import Pool, Raw

T = TypeVar("T")

ALL = list(ENDPOINTS.values())
COMMANDS = [each for each in ALL if each.method == "POST"]
FORMS = ("json", "transit", "verbose")
_TYPES = {"author": "user", "customer": "user", "provider": "user", "owner": "user",
          "images": "image", "profileImage": "image"}  # fmt: skip
_IN_QUERIES = {
    "str": values.TEXTS,
    "int": values.NUMBERS,
    "bool": Pool(["true", "false"], ["1", ""]),
    "datetime": values.TIMES,
    "LatLng": values.POINTS,
    "LatLngBounds": values.BOXES,
    "Names": values.STATES,
}
_IN_BODIES = {
    "str": values.TEXTS,
    "int": values.WHOLE,
    "bool": Pool([True, False], ["true", 1]),
    "datetime": values.TIMES,
    "Money": values.MONEY,
    "LatLng": values.PLACES,
}


class Asked(NamedTuple):
    """A request."""

    endpoint: Endpoint
    query: bytes
    body: bytes
    kind: str
    """Media type of the body."""
    form: str
    """Format that is asked for."""

    def __repr__(self) -> str:
        text = f"{self.endpoint.path}?{self.query!r}, {self.kind}: {self.body!r}"
        return f"{self.endpoint.method} {text[:2000]}, as {self.form}"


class Maker:
    """Makes requests.

    Args:
        random: Random numbers.
        ids: Ids that there are, by type of resource; whoever sends the requests may add to them.
    """

    def __init__(self, random: Random, ids: Mapping[str, list[str]]) -> None:
        self._random = random
        self._ids = ids
        self._oddness = 0

    def request(self, endpoints: Iterable[Endpoint] = ALL) -> Asked:
        """Any request to one of the endpoints."""
        self._oddness = self._of([0, 0, 1, 2, 5])
        endpoint, form = self._of(list(endpoints)), self._of(FORMS)
        if endpoint.method == "GET":
            return Asked(endpoint, self._query(endpoint, endpoint.params), b"", "", form)
        query = self._query(endpoint, endpoint.query)
        if endpoint.multipart:
            return Asked(endpoint, query, *self._multipart(), form)
        body, kind = self._body(endpoint)
        if self._is_odd():
            at = self._random.randrange(len(body) + 1)
            body = body[:at] + self._of(values.JUNK) + body[at + self._of([0, 1, 5]) :]
        if self._is_odd():
            kind = self._of(["application/json", "application/transit+json", "text/plain", ""])
        return Asked(endpoint, query, body, kind, form)

    def _of(self, choices: Sequence[T]) -> T:
        return choices[self._random.randrange(len(choices))]

    def _one_in(self, times: int) -> bool:
        return self._random.randrange(times) == 0

    def _is_odd(self) -> bool:
        return self._random.randrange(20) < self._oddness

    def _from(self, pool: Pool) -> Any:
        return self._of(pool.odd if self._is_odd() else pool.good)

    # Bodies.

    def _body(self, endpoint: Endpoint) -> tuple[bytes, str]:
        found: dict[str, Any] = {}
        for param in endpoint.params:
            if not self._is_odd() if param.required else self._one_in(3):
                found[param.name] = self._argument(endpoint, param)
        found |= self._span(found)
        if self._is_odd():
            found[self._from(values.TEXTS)] = 1
        form = self._of(FORMS)
        kind = "application/json" if form == "json" else "application/transit+json"
        return written(found, form).encode(errors="surrogateescape"), kind

    def _argument(self, endpoint: Endpoint, param: Param) -> Any:
        if self._is_odd():
            return self._of([*values.REFUSED, None, [], {}, True, 1.5, "x", [None]])
        if param.name == "availabilityPlan":
            return self._from(values.PLANS)
        if param.name == "params":
            return {} if self._one_in(2) else {"metadata": self._extended()}
        if param.name in values.STRINGS:
            return self._from(values.STRINGS[param.name])
        made: dict[str, Callable[[], Any]] = {
            "Id": lambda: self._id(endpoint, param.name),
            "Ids": lambda: self._some_ids(endpoint, param.name),
            "ExtendedData": self._extended,
        }
        if param.type in made:
            return made[param.type]()
        return self._from(_IN_BODIES[param.type])

    def _extended(self, depth: int = 0) -> Any:
        pairs = range(self._of([0, 1, 1, 2, 3]))
        return {self._of(values.KEYS): self._inner(depth) for _ in pairs}

    def _inner(self, depth: int) -> Any:
        if depth < 3 and self._one_in(4):
            return self._extended(depth + 1)
        if depth < 3 and self._one_in(5):
            return [self._inner(depth + 1) for _ in range(self._of([0, 1, 2, 3]))]
        if self._oddness == 1 and self._one_in(4):  # in a request that is right otherwise
            return self._of(values.REFUSED)
        plain = [None, True, False, *values.NUMBERS_TO_KEEP, *values.TEXTS.good]
        return self._of([*plain, *values.ACCEPTED])

    def _multipart(self) -> tuple[bytes, str]:
        head = self._from(values.HEADS).encode(errors="surrogateescape")
        disposition = b"--xx\r\nContent-Disposition: form-data; " + head
        content = self._from(values.FILES)
        part = disposition + b"\r\nContent-Type: image/png\r\n\r\n" + content + b"\r\n"
        end = b"--xx--\r\n"
        body = self._of([part * 2 + end, b"", part[:30]]) if self._is_odd() else part + end
        charset = self._of(["", "; charset=utf-7", "; charset=?"])
        return body, f"multipart/form-data; boundary=xx{charset}"

    # Queries.

    def _query(self, endpoint: Endpoint, params: tuple[Param, ...]) -> bytes:
        found: dict[str, str] = {}
        for param in params:
            if not self._is_odd() if param.required else self._one_in(5):
                name, value = self._pair(endpoint, param)
                found[name] = value
        found |= self._span(found)
        if endpoint.many and self._one_in(4):
            found[self._of(values.FILTERS)] = self._from(values.TEXTS)
        if self._is_odd():
            found[self._from(values.TEXTS)] = self._from(values.TEXTS)
        pairs = [(key, value) for key, value in found.items() if len(key + value) < 5000]
        if self._is_odd():
            pairs *= 2
        raw = "&".join(f"{quote(key)}={quote(value)}" for key, value in pairs).encode("ascii")
        return raw + (self._of(values.QUERY_JUNK) if self._is_odd() else b"")

    def _pair(self, endpoint: Endpoint, param: Param) -> tuple[str, str]:
        name = param.name
        if name == "include":
            return name, self._path(endpoint)
        shapes = {"fields": values.FIELDS, "limit": values.NUMBERS, "imageVariant": values.VARIANTS}
        if name in shapes:
            inner = self._of(["listing", "user", "images", "image", "small", "event"])
            return f"{name}.{inner}", self._from(shapes[name])
        if name == "sort":
            return name, ",".join(self._from(values.SORTS) for _ in range(self._of([1, 2, 3])))
        if name in values.STRINGS:
            return name, self._from(values.STRINGS[name])
        ranges = {"PriceRange": values.NUMBERS, "TimeRange": values.TIMES}
        if param.type in ranges:
            pool = ranges[param.type]
            return name, f"{self._from(pool)},{self._of(['', self._from(pool)])}"
        if param.type == "Id":
            return name, self._id(endpoint, name)
        if param.type == "Ids":
            return name, ",".join(self._some_ids(endpoint, name))
        return name, self._from(_IN_QUERIES[param.type])

    def _span(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Mostly a start before its end: most of what happens later needs that."""
        if not {"start", "end"} & given.keys() or self._is_odd():
            return {}
        start, end = self._of(values.SPANS)
        return {"start": start, "end": end}

    def _path(self, endpoint: Endpoint) -> str:
        """Relationships of relationships, also around in circles, or what is none."""
        if self._is_odd():
            return self._of([".", "a..b", "", "author.", ",", "\x00"])
        paths = []
        for _ in range(self._of([1, 1, 2, 5])):
            kind, names = endpoint.result_type, list[str]()
            for _ in range(self._of([1, 2, 3, 40])):
                known = RELATIONSHIPS.get(kind, {})
                if not known:
                    break
                names.append(self._of(list(known)))
                kind = known[names[-1]].target
            paths.append(".".join(names))
        return ",".join(paths)

    def _some_ids(self, endpoint: Endpoint, name: str) -> list[str]:
        count = self._of([101, 300]) if self._is_odd() else self._of([0, 1, 2, 3, 100])
        return [self._id(endpoint, name) for _ in range(count)]

    def _id(self, endpoint: Endpoint, name: str) -> str:
        if self._is_odd():
            return self._of(values.ODD_IDS)
        kind = name[:-2] if name.endswith("Id") else endpoint.result_type
        if name == "images":
            kind = "image"
        known = self._ids.get(_TYPES.get(kind, kind), [])
        return self._of(known or self._ids["listing"])


def written(value: Any, form: str) -> str:
    """A value as Transit (``transit`` without cache codes, or ``verbose``) or JSON."""
    if isinstance(value, Raw):
        return value.json if form == "json" else value.transit
    if isinstance(value, dict):
        if form == "transit":
            pairs = (f"{json.dumps('~:' + key)},{written(v, form)}" for key, v in value.items())
            return "[" + ",".join(['"^ "', *pairs]) + "]"
        mark = "~:" if form == "verbose" else ""
        return (
            "{"
            + ",".join(f"{json.dumps(mark + key)}:{written(v, form)}" for key, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(written(each, form) for each in value) + "]"
    if isinstance(value, str) and form != "json" and value[:1] in ("~", "^", "`"):
        return json.dumps("~" + value)
    return json.dumps(value)
