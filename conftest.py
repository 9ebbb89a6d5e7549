"""What all tests share."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from zlib import crc32

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
    # A process logs each of these warnings once; here each test is a process, as it were.
    monkeypatch.setattr("flex_tokenstore._config.env_text._warned", set())


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks ``slow`` what ``each_value`` leaves to the slow job.

    A test that is marked so takes every combination of its parameters there. In the default suite
    it takes each value of each parameter once, as far as the combinations go.
    """
    seen: dict[str, set[tuple[str, int]]] = {}
    # In an order that the names give: else all values would meet the first of the others.
    for item in sorted(items, key=lambda item: crc32(item.nodeid.encode())):
        if item.get_closest_marker("each_value") is None or item.get_closest_marker("slow"):
            continue
        known = seen.setdefault(item.nodeid.partition("[")[0], set())
        params = item.callspec.params  # type: ignore[attr-defined]
        # One object for all tests that have the value; it need not be hashable.
        values = {(name, id(value)) for name, value in params.items()}
        if values <= known:
            item.add_marker(pytest.mark.slow)
        known |= values


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end; the collector need not look at them each time.

    Many tests have it look for what they left; that took a third of a second each.
    """
    gc.collect()
    gc.freeze()
