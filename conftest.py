"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Machines are shared and slow at times: how long an example takes is no property of ours.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

pytest_plugins = ["flex_integration_sdk.testing", "tests.servers.fixtures"]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the developer's folders or variables."""
    for name in list(os.environ):
        if name.startswith(("FLEX_INTEGRATION_", "FLEX_TOKENSTORE_", "VAULT_", "BAO_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks ``slow`` what ``each_value`` leaves to the slow job.

    A test that is marked so takes every combination of its parameters there. In the default suite
    it takes each value of each parameter once, as far as the combinations go.
    """
    seen: dict[str, set[tuple[str, object]]] = {}
    for item in items:
        if item.get_closest_marker("each_value") is None or item.get_closest_marker("slow"):
            continue
        known = seen.setdefault(item.nodeid.partition("[")[0], set())
        values = set(item.callspec.indices.items())  # type: ignore[attr-defined]
        if values <= known:
            item.add_marker(pytest.mark.slow)
        known |= values
