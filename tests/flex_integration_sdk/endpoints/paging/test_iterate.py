"""``iterate``: all resources of a query, in sync and asyncio programs, on a sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import (
    IntegrationSDK,
    TypeHandler,
    create_async_instance,
    create_instance,
)
from flex_integration_sdk.errors import PaginationLimitError, ParameterError, ServerError
from flex_integration_sdk.resources import Listing
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from flex_tokenstore import SessionClosedError

LISTINGS, WALL = 900, 120


@pytest.fixture(scope="module")
def large() -> Iterator[RunningSandbox]:
    """Many listings, of which many share a moment, and few that page numbers reach."""
    with serve(SandboxSettings(listings=LISTINGS, page_wall=WALL)) as running:
        yield running


def instance(sandbox: RunningSandbox, **options: Any) -> IntegrationSDK:
    return create_instance(
        sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url, **options
    )


def all_ids(sandbox: RunningSandbox) -> set[UUID]:
    """Page by page: a query that neither filters nor sorts has no limit."""
    with instance(sandbox) as sdk:
        pages = -(-LISTINGS // 100)
        found = [
            each.id for page in range(pages) for each in sdk.listings.query(page=page + 1).data
        ]
    assert len(set(found)) == LISTINGS
    return set(found)


@pytest.mark.parametrize(("sort", "newest_first"), [(None, False), ("createdAt", True)])
def test_all_listings_past_the_wall(large: RunningSandbox, sort: Any, newest_first: bool) -> None:
    with instance(large) as sdk:
        walk = sdk.listings.iterate(sort=sort, fields={"listing": ["title"]})
        found: list[Listing] = []
        with pytest.raises(PaginationLimitError) as caught:
            found.extend(walk)
    assert all(set(each.attributes) == {"title", "createdAt"} for each in found)
    moments = [each.attributes["createdAt"] for each in found]
    missing = all_ids(large) - {each.id for each in found}
    assert walk.total == LISTINGS
    assert moments == sorted(moments, reverse=newest_first)
    # Up to 300 share a moment: of those, the API returns no more than its limit.
    assert moments.count(max(set(moments), key=moments.count)) in range(WALL - 20, WALL + 1)
    assert caught.value.done == walk.done == len(found) == LISTINGS - len(missing)
    assert "have the createdAt" in str(caught.value)


def test_an_asyncio_program_gets_the_same_and_goes_on_anywhere(large: RunningSandbox) -> None:
    async def main(position: str | None, count: int | None) -> tuple[list[UUID], str]:
        async with create_async_instance(
            large.client_id, large.client_secret, base_url=large.base_url
        ) as sdk:
            walk = sdk.listings.iterate(per_page=70, resume=position)
            found: list[UUID] = []
            try:
                async for each in walk:
                    found.append(each.id)
                    if len(found) == count:
                        break
            except PaginationLimitError:
                assert count is None
            return found, walk.position

    with instance(large) as sdk:
        expected: list[UUID] = []
        with pytest.raises(PaginationLimitError):
            expected.extend(each.id for each in sdk.listings.iterate(per_page=70))
        whole, _ = asyncio.run(main(None, None))
        first, position = asyncio.run(main(None, 301))
        second, position = asyncio.run(main(position, 90))
        rest, _ = asyncio.run(main(position, None))
    assert first + second + rest == whole


def test_listings_that_close_between_the_pages_hide_no_other(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        published = [each.id for each in sdk.listings.iterate(states=["published"])]
        walk = sdk.listings.iterate(states=["published"], per_page=10)
        found = []
        for number, listing in enumerate(walk):
            found.append(listing.id)
            if not number % 3:
                sdk.listings.close(id=listing.id)
    assert found == published


def test_the_programs_own_types_do_not_matter(flex_sandbox: RunningSandbox) -> None:
    handlers = [
        TypeHandler(UUID, reader=lambda found: [str(found)]),
        TypeHandler(datetime, reader=lambda found: "a moment"),
        # It would take what the walk itself passes, too.
        TypeHandler(datetime, can_handle=lambda found: isinstance(found, str), writer=wrong),
    ]
    with instance(flex_sandbox, type_handlers=handlers) as sdk:
        walk = sdk.users.iterate(per_page=6)
        found = list(walk)
    assert len(found) == len({each["id"][0] for each in found}) == 20
    assert {each["attributes"]["createdAt"] for each in found} == {"a moment"}


def wrong(found: object) -> datetime:
    raise AssertionError(found)


def test_events_messages_and_what_else_has_pages(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        events = [each.attributes["sequenceId"] for each in sdk.events.iterate()]
        assert events == sorted(set(events))
        assert len(events) > 30
        later = sdk.events.iterate(
            start_after_sequence_id=events[9], fields={"event": ["eventType"]}
        )
        begun = [each.attributes["sequenceId"] for each in islice(later, 15)]
        going_on = sdk.events.iterate(
            start_after_sequence_id=events[9],
            fields={"event": ["eventType"]},
            resume=later.position,
        )
        assert begun + [each.attributes["sequenceId"] for each in going_on] == events[10:]
        for deal in islice(sdk.transactions.iterate(has_message=True), 3):
            sent = sdk.messages.query(transaction_id=deal.id).data
            walked = list(sdk.messages.iterate(transaction_id=deal.id, per_page=2))
            assert [each.id for each in walked] == [each.id for each in sent]
        cheap = list(sdk.listings.iterate(sort="-price", per_page=40))
        assert [each.id for each in cheap] == [
            each.id
            for page in (1, 2, 3)
            for each in sdk.listings.query(sort="-price", page=page).data
        ]


def test_a_page_that_fails_can_be_asked_for_again(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox, max_retries=0) as sdk:
        walk = sdk.users.iterate(per_page=5)
        flex_sandbox.fault(status=500, path="users/query", after=1)
        found = [each.id for each in islice(walk, 5)]
        with pytest.raises(ServerError):
            next(walk)
        assert len({*found, *(each.id for each in walk)}) == 20


def test_a_closed_instance_ends_the_walk(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        walk = sdk.users.iterate(per_page=5)
        next(walk)
    with pytest.raises(SessionClosedError):
        list(islice(walk, 10))


def test_what_iterate_does_not_take(flex_sandbox: RunningSandbox) -> None:
    with instance(flex_sandbox) as sdk:
        with pytest.raises(ParameterError, match="it takes no page"):
            sdk.users.iterate(page=2)
        with pytest.raises(ParameterError, match="per_page must be"):
            sdk.users.iterate(per_page=500)
        with pytest.raises(ParameterError, match="resume must be"):
            sdk.users.iterate(resume="page 3")
