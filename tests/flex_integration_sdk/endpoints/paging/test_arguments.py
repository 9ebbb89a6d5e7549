"""What the arguments of ``iterate`` do: order, fields, ids, positions, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import FarTime, LatLng
from flex_integration_sdk._endpoints.paging.arguments import arranged
from flex_integration_sdk._endpoints.paging.walk import Walk
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk.errors import ParameterError
from tests.support.paged_api import Guide, PagedApi

LISTINGS = "listings.query"


@pytest.mark.parametrize(
    ("query", "arguments", "mode", "newest_first"),
    [
        (LISTINGS, {}, "moment", False),
        (LISTINGS, {"sort": "-createdAt"}, "moment", False),
        (LISTINGS, {"sort": ["createdAt"]}, "moment", True),
        (LISTINGS, {"sort": "createdAt,price"}, "moment", True),
        (LISTINGS, {"sort": ["price", "createdAt"]}, "number", False),
        (LISTINGS, {"sort": "pub_rank"}, "number", False),
        (LISTINGS, {"keywords": "bike"}, "number", False),
        (LISTINGS, {"origin": LatLng(60, 24), "sort": "createdAt"}, "number", False),
        ("users.query", {}, "moment", False),
        ("transactions.query", {"sort": "lastTransitionedAt"}, "number", False),
        ("files.query", {}, "number", False),
        ("messages.query", {"transactionId": "x"}, "number", False),
        ("events.query", {}, "sequence", False),
    ],
)
def test_how_a_query_is_walked_through(
    query: str, arguments: dict[str, Any], mode: str, newest_first: bool
) -> None:
    found = arranged(query, arguments, {})
    assert (found.mode, found.newest_first) == (mode, newest_first)


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"listing": ["title"]}, {"listing": ["title", "createdAt"]}),
        ({"listing": "title,price"}, {"listing": ["title", "price", "createdAt"]}),
        ({"listing": "none", "user": "none"}, {"listing": ["createdAt"], "user": "none"}),
        ({"listing": ["createdAt"]}, {"listing": ["createdAt"]}),
        ({"user": ["email"]}, {"user": ["email"]}),
    ],
)
def test_the_attribute_of_the_order_is_asked_for_too(fields: Any, sent: Any) -> None:
    assert arranged(LISTINGS, {"fields": fields}, {}).parts[0]["fields"] == sent
    by_dots = {f"fields.{kind}": names for kind, names in fields.items()}
    expected = {f"fields.{kind}": names for kind, names in sent.items()}
    assert arranged(LISTINGS, {}, by_dots).further == expected


def test_other_walks_ask_for_no_more_attributes() -> None:
    fields = {"listing": ["title"], "event": ["eventType"]}
    arguments = {"fields": fields, "sort": "price"}
    assert arranged(LISTINGS, arguments, {}).parts[0]["fields"] == fields
    assert arranged("events.query", {"fields": fields}, {}).parts[0]["fields"]["event"] == [
        "eventType",
        "sequenceId",
    ]


def test_a_page_is_refused() -> None:
    with pytest.raises(ParameterError, match="it takes no page; omit it"):
        Walk(LISTINGS, {}, {"page": 2})


@pytest.mark.parametrize("size", [0, 101, "10", True, 1.5])
def test_a_wrong_page_size_is_refused(size: Any) -> None:
    with pytest.raises(ParameterError, match="per_page must be a whole number from 1 to 100"):
        Walk(LISTINGS, {"perPage": size}, {})


def test_arguments_by_the_names_of_the_api_count_as_well() -> None:
    found = arranged(LISTINGS, {}, {"perPage": 7, "created_at_start": "x", "pub_rank": 3})
    assert found.most == 7
    assert found.parts[0]["createdAtStart"] == "x"
    assert found.further == {"pub_rank": 3}


def test_many_ids_are_asked_for_by_the_hundred() -> None:
    api = PagedApi({number: number for number in range(1, 251)})
    ids = [str(UUID(int=number)) for number in [*range(1, 251), 7, 8]]

    class Of(PagedApi):
        def _found(self, asked: dict[str, Any]) -> list[int]:
            assert len(asked["ids"]) <= 100
            wanted = {UUID(each).int for each in asked["ids"]}
            return [number for number in super()._found(asked) if number in wanted]

    api = Of(api.rows)
    for query in (LISTINGS, "files.query"):
        arguments = {"ids": ids, "perPage": 30}
        whole = list(Guide(api).through(Walk(query, arguments, {})))
        assert sorted(whole) == list(range(1, 251))
        for cut in (0, 99, 100, 101, 230, 250):
            walk = Walk(query, arguments, {})
            steps = Guide(api).through(walk)
            begun = [next(steps) for _ in range(cut)]
            rest = Walk(query, arguments, {}, walk.position.to_text())
            assert begun + list(Guide(api).through(rest)) == whole


def test_an_id_counts_once_whatever_its_form() -> None:
    ids = [str(UUID(int=number << 100)) for number in range(10, 160)]
    again = [each.upper() for each in ids[:120]]
    for given in ([*ids, *again], ",".join(ids), [*ids, *map(UUID, again)], ", ".join(ids + again)):
        parts = arranged(LISTINGS, {"ids": given}, {}).parts
        assert [len(part["ids"]) for part in parts] == [100, 50]
        assert [UUID(str(each).strip()) for part in parts for each in part["ids"]] == [
            *map(UUID, ids)
        ]
    few = ",".join(ids[:100])
    assert arranged(LISTINGS, {"ids": few}, {}).parts[0]["ids"] == few


def position(query: str, arguments: dict[str, Any]) -> str:
    return Walk(query, arguments, {}).position.to_text()


def test_a_position_is_of_its_arguments() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    text = position(LISTINGS, {"states": ["published"], "createdAtEnd": at, "perPage": 5})
    again = {"states": ("published",), "createdAtEnd": at, "perPage": 50}
    assert Walk(LISTINGS, again, {}, text).following is not None
    with pytest.raises(ParameterError, match="pass the same created_at_end, states as then"):
        Walk(LISTINGS, {"states": ["closed"]}, {}, text)
    with pytest.raises(ParameterError, match=r"one of listings\.query, and this is users\.query"):
        Walk("users.query", {}, {}, text)


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "{}", "null", b"{}", 5, '{"v":2}', "[" * 100_000],
    ids=lambda text: str(text)[:10],
)
def test_what_is_not_a_position_is_refused(text: Any) -> None:
    with pytest.raises(ParameterError, match="resume must be the position of an iterator"):
        Walk(LISTINGS, {}, {}, text)


@pytest.mark.parametrize("name", ["mode", "moment", "ids", "limits", "part", "arguments", "done"])
def test_a_damaged_position_is_refused(name: str) -> None:
    fields = json.loads(position(LISTINGS, {}))
    with pytest.raises(ParameterError, match="resume must be"):
        Walk(LISTINGS, {}, {}, json.dumps({**fields, name: "?"}))


def test_times_far_away_and_ids_of_other_forms() -> None:
    early, late = FarTime(-70_000_000_000_000), FarTime(300_000_000_000_000)
    moments = [early, datetime(2026, 1, 1, tzinfo=UTC), "2026-01-02T00:00:00.000Z", late]
    ids: list[Any] = [UUID(int=1), "no uuid", str(UUID(int=3)), UUID(int=4)]
    rows = [
        {"id": one, "type": "user", "attributes": {"createdAt": moment}}
        for one, moment in zip(ids, moments, strict=True)
    ]
    walk = Walk("users.query", {"perPage": 2}, {})
    found, starts = [], []
    for start in range(3):
        asked: dict[str, Any] = walk.following or {}
        starts.append(str(asked.get("createdAtStart")))
        page = rows[max(0, start) : start + 2]
        meta = {"totalItems": 4 - start, "totalPages": -(-(4 - start) // 2)}
        walk.take(Response(200, {"data": page, "meta": meta}))
        while walk.ready:
            found.append(walk.pass_on()["id"])
    assert walk.following is None
    assert found == ids
    assert starts[1:] == ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"]
    assert walk.position.to_text()
