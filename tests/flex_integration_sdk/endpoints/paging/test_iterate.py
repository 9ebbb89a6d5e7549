"""``iterate``: all resources of a query, in sync and asyncio programs."""

from __future__ import annotations

import asyncio

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.sandbox import RunningSandbox


def test_all_listings_once_oldest_first(flex_sandbox: RunningSandbox) -> None:
    with create_instance(
        flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
    ) as sdk:
        walk = sdk.listings.iterate(per_page=30)
        found = list(walk)
        assert (walk.total, walk.done) == (250, 250)
    assert len({each["id"] for each in found}) == 250
    created = [each["attributes"]["createdAt"] for each in found]
    assert created == sorted(created)


def test_all_users_in_an_asyncio_program(flex_sandbox: RunningSandbox) -> None:
    async def main() -> list[str]:
        async with create_async_instance(
            flex_sandbox.client_id, flex_sandbox.client_secret, base_url=flex_sandbox.base_url
        ) as sdk:
            return [str(user["id"]) async for user in sdk.users.iterate(per_page=7)]

    found = asyncio.run(main())
    assert len(found) == len(set(found)) == 20
