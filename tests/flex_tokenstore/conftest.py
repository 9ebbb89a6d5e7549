"""What tests of the framework share."""

from __future__ import annotations

import pytest

from flex_tokenstore._session.flow import locking, reading
from tests.support.event_world import World


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(reading, "SECOND_LOOK", 0.001)
    monkeypatch.setattr(locking, "SLICE", 0.001)
    return World(request.param)
