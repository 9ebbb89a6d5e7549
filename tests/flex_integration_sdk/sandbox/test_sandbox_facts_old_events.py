"""Events are kept for 90 days, and for 7 in development and test environments.

Evidence: the official reference of events ("a history of all marketplace events for 90 days in live
marketplaces and for 7 days in dev and test marketplaces"), and published pollers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flex_integration_sdk import IntegrationSDK
from flex_integration_sdk.errors import BadRequestError
from flex_integration_sdk.sandbox import SandboxSettings, serve
from flex_integration_sdk.sandbox._data.database import Content, Database

from .test_sandbox_commands import code_of, connected, new_listing

AGES = (100, 91, 89, 8, 6, 0)  # days


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A sandbox's file with a listing, and an event of each age."""
    path = str(tmp_path / "sandbox.sqlite")
    with serve(SandboxSettings(db=path, seed="small")) as sandbox, connected(sandbox) as sdk:
        for _ in AGES:
            new_listing(sdk)
    db = Database(path, lambda: Content(()))
    now = datetime.now(UTC)
    for event, days in zip(reversed(db.all("event")[: len(AGES)]), AGES, strict=True):
        aged = {**event["attributes"], "createdAt": now - timedelta(days=days, minutes=1)}
        db.put({**event, "attributes": aged})
    db.close()
    return path


def ages(sdk: IntegrationSDK, **asked: Any) -> list[int]:
    """Of the events of this test."""
    found = [each.attributes for each in sdk.events.query(event_types="listing", **asked).data]
    return [
        (datetime.now(UTC) - each["createdAt"]).days
        for each in found
        if each["resource"] is not None and each["resource"]["attributes"]["title"] == "New bike"
    ]


@pytest.mark.parametrize(("limits", "kept"), [("dev", 7), ("live", 90), ("off", 90)])
def test_events_that_are_older_are_gone(file: str, limits: Any, kept: int) -> None:
    with serve(SandboxSettings(db=file, limits=limits)) as sandbox, connected(sandbox) as sdk:
        wanted = [age for age in AGES if age < kept]
        assert ages(sdk) == ages(sdk, start_after_sequence_id=0) == wanted
        # Asking for more is no error: nobody says that it is.
        assert ages(sdk, created_at_start=datetime(2020, 1, 1, tzinfo=UTC)) == wanted
        # New ones go on with the numbers.
        last = sdk.events.query().data[-1].attributes["sequenceId"]
        new_listing(sdk)
        assert sdk.events.query().data[-1].attributes["sequenceId"] == last + 1


@pytest.mark.parametrize(("limits", "kept"), [("dev", 7), ("live", 90)])
def test_a_strict_sandbox_refuses_a_start_before_them(limits: Any, kept: int) -> None:
    with (
        serve(SandboxSettings(strict=True, limits=limits)) as sandbox,
        connected(sandbox) as sdk,
    ):
        now = datetime.now(UTC)
        assert sdk.events.query(created_at_start=now - timedelta(days=kept)).meta
        with pytest.raises(BadRequestError, match=f"more than {kept} days ago") as error:
            sdk.events.query(created_at_start=now - timedelta(days=kept + 1))
        assert code_of(error) == "validation-invalid-value"
