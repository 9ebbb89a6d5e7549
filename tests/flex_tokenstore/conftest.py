"""What tests of the framework share."""

from __future__ import annotations

import pytest

from flex_tokenstore import _flow

from .event_world import World


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(_flow, "SECOND_LOOK", 0.001)
    monkeypatch.setattr(_flow, "SLICE", 0.001)
    return World(request.param)
