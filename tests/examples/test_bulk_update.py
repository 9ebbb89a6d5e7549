"""``examples/bulk_update_within_limits.py``, and how many calls the limits let through in time."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import create_async_instance, create_instance
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "bulk_update_within_limits.py"


def options(sandbox: RunningSandbox) -> dict[str, Any]:
    # No repetition may hide a 429.
    return {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "base_url": sandbox.base_url,
        "rate_limits": "dev",
        "max_retries": 0,
    }


def test_it_updates_all_listings(tmp_path: Path) -> None:
    with serve(SandboxSettings(limits="dev", seed="small")) as sandbox:
        subprocess.run(
            [sys.executable, EXAMPLE],
            env={
                **os.environ,
                "FLEX_INTEGRATION_BASE_URL": sandbox.base_url,
                "FLEX_INTEGRATION_CLIENT_ID": sandbox.client_id,
                "FLEX_INTEGRATION_CLIENT_SECRET": sandbox.client_secret,
                "XDG_CONFIG_HOME": str(tmp_path),
            },
            check=True,
            timeout=60,
        )
        with create_instance(**options(sandbox)) as sdk:
            found = list(sdk.listings.iterate())
    assert found
    assert all("checkedOn" in each["attributes"]["metadata"] for each in found)


def test_calls_at_once_share_ten_connections() -> None:
    # It refuses the eleventh request of those that are under way.
    with serve(SandboxSettings(limits="live", seed="small")) as sandbox:
        assert asyncio.run(queries(sandbox, rate_limits=None)) == 200


async def queries(sandbox: RunningSandbox, **changed: Any) -> int:
    """200 calls at once. Returns how many worked."""
    async with create_async_instance(**{**options(sandbox), **changed}) as sdk:
        answers = await asyncio.gather(*(sdk.users.query(per_page=1) for _ in range(200)))
        return sum(each.status == 200 for each in answers)


def creations(sandbox: RunningSandbox) -> float:
    """150 listings, by ten threads. Returns how many seconds it took."""
    with create_instance(**options(sandbox)) as sdk:
        author = sdk.users.query(per_page=1).data[0].id
        left = iter(range(150))
        failures: list[BaseException] = []

        def create() -> None:
            try:
                for each in left:
                    sdk.listings.create(title=f"Bike {each}", author_id=author, state="published")
            except BaseException as error:
                failures.append(error)

        began = time.monotonic()
        threads = [threading.Thread(target=create) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_200_calls_at_once_meet_no_429() -> None:
    with serve(SandboxSettings(limits="dev")) as sandbox:
        assert asyncio.run(queries(sandbox)) == 200
        assert sandbox.stats()["api_calls"] == 200


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_150_listings_are_created_in_two_minutes_without_a_429() -> None:
    with serve(SandboxSettings(limits="dev")) as sandbox:
        assert creations(sandbox) < 120
        assert sandbox.stats()["api_calls"] == 151
