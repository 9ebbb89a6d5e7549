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
settings.register_profile("few", settings.get_profile("shared"), max_examples=25)
settings.register_profile("many", settings.get_profile("shared"), max_examples=200)  # the slow job
settings.load_profile("few")

# Its tests are classes to derive from, in a module whose name pytest does not know.
pytest.register_assert_rewrite("tests.support.golden_tests")

pytest_plugins = [
    "flex_integration_sdk.testing",
    "tests.servers.fixtures",
    "tests.support.last_version",
]


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
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks ``slow`` what ``sample`` and ``each_value`` leave to the slow job, which takes it all.

    Of a test that is marked ``sample(n)`` the default suite takes n cases, and with them each value
    of those parameters that have at most n: sync and async, above all. With ``each_value`` it takes
    each value of each parameter once, as far as the combinations go.
    """
    functions: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sample") or item.get_closest_marker("each_value"):
            functions.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in functions.values():
        mark = cases[0].get_closest_marker("sample")
        for item in _left_out(cases, None if mark is None else mark.args[0]):
            item.add_marker(pytest.mark.slow)
    other_kind = _of_other_kind(items)
    if other_kind:
        items[:] = [item for item in items if item not in other_kind]
        config.hook.pytest_deselected(items=list(other_kind))


def _of_other_kind(items: list[pytest.Item]) -> set[pytest.Item]:
    """Of the tests that are marked ``one_kind``: those of sync or of async programs, by turns.

    If only one kind was asked for, it stays.
    """
    functions: dict[str, dict[str, list[pytest.Item]]] = {}
    for item in items:
        if item.get_closest_marker("one_kind"):
            kinds = functions.setdefault(item.nodeid.partition("[")[0], {})
            kinds.setdefault(_kind(item), []).append(item)
    left: set[pytest.Item] = set()
    for name, kinds in functions.items():
        if {"sync", "async"} <= kinds.keys():
            left.update(kinds[("sync", "async")[crc32(name.encode()) % 2]])
    return left


def _kind(item: pytest.Item) -> str:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return str(params.get("kind"))


def _left_out(cases: list[pytest.Item], count: int | None) -> list[pytest.Item]:
    """Those that are not needed; ``count`` None: of whose values each is in another case."""
    # In an order that the names give: else all values would meet the first of the others.
    rest = sorted(
        (item for item in cases if not item.get_closest_marker("slow")),
        key=lambda item: crc32(item.nodeid.encode()),
    )
    values = {item: _values(item) for item in rest}
    found: dict[str, set[int]] = {}
    for name, value in set().union(*values.values()):
        found.setdefault(name, set()).add(value)
    known: set[tuple[str, int]] = set()
    taken = []
    for item in rest:
        new = values[item] - known
        if any(count is None or len(found[name]) <= count for name, _ in new):
            taken.append(item)
            known |= values[item]
    left = [item for item in rest if item not in taken]
    return left if count is None else left[max(0, count - len(taken)) :]


def _values(item: pytest.Item) -> set[tuple[str, int]]:
    """Names and values of its parameters. One object for all that have it; it need not hash."""
    params = item.callspec.params  # type: ignore[attr-defined]
    return {(name, id(value)) for name, value in params.items()}


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end; the collector need not look at them each time.

    Many tests have it look for what they left; that took a third of a second each.
    """
    gc.collect()
    gc.freeze()
