"""Notes in the metadata of all listings when they were checked, as fast as the API allows.

python examples/bulk_update_within_limits.py

A test environment takes one command in two seconds, after a burst. With ``rate_limits`` each call
waits for its turn, so that thousands can be begun at once; they share 10 connections. A run that
begins within minutes of another meets 429, since the API remembers the burst: the calls then wait.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from flex_integration_sdk import create_async_instance


async def main() -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    # An update that is repeated after a lost response does no harm: the values are the same.
    async with create_async_instance(token_store="file", rate_limits="dev", max_retries=8) as sdk:
        done = 0

        async def update(listing: str) -> None:
            nonlocal done
            await sdk.listings.update(id=listing, metadata={"checkedOn": today})
            done += 1
            print(f"{done} of {len(ids)}", file=sys.stderr)

        ids = [str(each.id) async for each in sdk.listings.iterate(fields={"listing": ["title"]})]
        async with asyncio.TaskGroup() as group:
            for each in ids:
                group.create_task(update(each))


if __name__ == "__main__":
    asyncio.run(main())
