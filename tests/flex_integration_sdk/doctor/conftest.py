"""A world in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve

from .faults.world import CLIENT, LIVE, SECRET, World


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[RunningSandbox]:
    settings = SandboxSettings(client_id=CLIENT, client_secret=SECRET, allow_hosts=(LIVE,))
    with serve(settings) as sandbox:
        yield sandbox


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    _sandbox: RunningSandbox,
) -> World:
    _sandbox.reset()
    return World(request, monkeypatch, tmp_path, _sandbox)
