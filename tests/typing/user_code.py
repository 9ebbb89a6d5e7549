"""What a program of a user looks like to a type checker. It is checked, not run."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import httpx2
import requests

from flex_integration_sdk import (
    AsyncResourceIterator,
    LatLng,
    Money,
    Resource,
    ResourceIterator,
    TypeHandler,
    create_async_instance,
    create_instance,
    to_json,
)
from flex_integration_sdk.errors import (
    FlexError,
    NotFoundError,
    PaginationLimitError,
    RateLimitedError,
)
from flex_integration_sdk.resources import Listing, User
from flex_tokenstore import AsyncTokenSession, TokenSession
from flex_tokenstore.auth import TokenAuth, read_token_response


def titles() -> list[str]:
    """Titles and prices of what is published."""
    found: list[str] = []
    with create_instance("id", token_store="file") as sdk:
        page = sdk.listings.query(
            states=["published"], price=(1000, None), per_page=10, include="author", pub_x="y"
        )
        for listing in page.data:
            price = listing.attributes["price"]
            if price is not None:
                found.append(f"{listing.attributes['title']}: {price.amount} {price.currency}")
            author = listing.related("author")
            if author is not None:
                found.append(str(author.id))
        total = page.meta["totalItems"]
        if total is not None:
            found.append(str(total + 1))
    return found


def walk(transaction_id: UUID, position: str | None) -> list[str]:
    """All pages of queries, and how far the program is."""
    with create_instance() as sdk, sdk.listings.iterate(states=["closed"], resume=position) as all_:
        found = [listing.attributes["title"] for listing in all_]
        for message in sdk.messages.iterate(transaction_id=transaction_id, per_page=20):
            found.append(message.attributes["content"] or "")
        done: int = all_.done + (all_.total or 0)
        kept: ResourceIterator[Listing] = all_
        return [*found, kept.position, str(done)]


async def walk_async() -> list[User]:
    """The same in an asyncio program; iterate itself is not awaited."""
    async with create_async_instance() as sdk:
        users: AsyncResourceIterator[User] = sdk.users.iterate(sort="createdAt")
        try:
            return [user async for user in users]
        except PaginationLimitError as error:
            raise LookupError(error.reachable) from error


def rename(listing_id: UUID, title: str) -> Listing:
    """A command, with the changed listing as its answer."""
    with create_instance() as sdk:
        try:
            answer = sdk.listings.update(
                id=listing_id, title=title, price=None, geolocation=LatLng(60, 24), expand=True
            )
        except NotFoundError as error:
            raise LookupError(error.errors[0]["code"]) from error
        except RateLimitedError as error:
            raise TimeoutError(str(error.retry_after)) from error
        return answer.data


async def sell(listing_id: str) -> int:
    """The same methods, awaited."""
    async with create_async_instance(client_id="id", client_secret="secret") as sdk:
        stock = await sdk.stock.compare_and_set(
            listing_id=listing_id, old_total=None, new_total=5, expand=True
        )
        events = await sdk.events.query(created_at_start=datetime(2026, 1, 1, tzinfo=UTC))
        latest: int = max(event.attributes["sequenceId"] for event in events.data)
        image = await sdk.images.upload(image=b"bytes")
        await sdk.listings.create(
            title="x", author_id=listing_id, images=[image.data.id], price=Money(100, "EUR")
        )
        return stock.data.attributes["quantity"] + latest


def total(prices: list[Money]) -> Money:
    """Money is calculated with."""
    dearest: Money = max(prices)
    doubled: Money = 2 * dearest - dearest * Decimal("0.5")
    is_dear: bool = doubled > Money(100, "EUR")
    rough = sum(prices)
    if rough == 0 or not is_dear:
        return -doubled
    return sum(prices, Money(0, "EUR")) + rough + abs(doubled)


def copies(listing: Listing) -> list[Listing]:
    """A copy of a resource is one."""
    return [listing.copy(), listing | {"id": UUID(int=1)}, copy.deepcopy(listing)]


def lines(listings: list[Listing]) -> str:
    """JSON of anything."""
    return "\n".join(to_json(each) for each in listings) + to_json(listings, indent=2)


def others(mine: set[UUID]) -> set[UUID]:
    """Ids in a set."""
    with create_instance() as sdk:
        return {each.id for each in sdk.listings.query(ids=mine).data} - mine


def own_types() -> TypeHandler:
    """A handler of a type."""
    return TypeHandler(Money, reader=lambda money: money.decimal)


def is_user(resource: Resource[object]) -> bool:
    """A resource of any kind."""
    return resource.type == "user" or isinstance(resource, FlexError)


def orders(session: TokenSession) -> list[int]:
    """A session's token with other libraries."""
    auth = TokenAuth(session)
    with httpx2.Client(auth=auth) as client, requests.Session() as api:
        api.auth = auth
        found = [client.get("/a", auth=auth).status_code, api.get("/b").status_code]
        found.append(requests.get("/c", auth=auth, timeout=5).status_code)
        answer = read_token_response(client.post("/token"), refreshing=False)
        return [*found, len(answer["access_token"])]


async def more_orders(session: AsyncTokenSession) -> int:
    """The same for asyncio."""
    async with httpx2.AsyncClient(auth=TokenAuth(session)) as client:
        return (await client.get("/a")).status_code
