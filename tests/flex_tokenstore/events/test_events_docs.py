"""``docs/events.md`` says what the code does."""

from __future__ import annotations

import ast
import dataclasses
import logging
import re
from pathlib import Path
from typing import Any

from flex_tokenstore import Event
from flex_tokenstore._events import metrics
from flex_tokenstore._events.dispatch import LOGGED
from flex_tokenstore._events.event import EVENT_NAMES
from flex_tokenstore._session import flow

from .test_events import SCENARIOS

PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")


def table(title: str) -> list[list[str]]:
    """The rows of the last table under a heading."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_each_event_is_documented_with_its_level() -> None:
    documented = {names(row[0])[0]: row[1] for row in table("Which there are")}
    levels = {name: logging.getLevelName(level) for name, (level, _) in LOGGED.items()}
    assert documented == levels
    assert list(documented) == list(EVENT_NAMES) == sorted(EVENT_NAMES)


def test_each_reason_is_documented() -> None:
    documented = {names(row[0])[0]: names(row[2]) for row in table("Which there are")}
    told: dict[str, set[str]] = {name: set() for name in EVENT_NAMES}
    for _, expected in SCENARIOS:
        for name, _, reason in (entry.partition(" ") for entry in expected):
            told[name] |= {reason} - {""}
    for name, reasons in documented.items():
        assert reasons == sorted(reasons)
        assert told[name] <= set(reasons), name
    words = {
        node.value
        for part in Path(flow.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(part.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {reason for reasons in documented.values() for reason in reasons} <= {*words, "failed"}


def test_each_field_is_documented() -> None:
    documented = [names(row[0])[0] for row in table("Fields")]
    assert documented == [field.name for field in dataclasses.fields(Event)]


def test_each_metric_is_documented(monkeypatch: Any) -> None:
    made: dict[str, tuple[str, str]] = {}

    class Meter:
        def create_counter(self, name: str, unit: str, *_: Any) -> None:
            made[name] = ("counter", unit)

        def create_histogram(self, name: str, unit: str, *_: Any, **__: Any) -> None:
            made[name] = ("histogram", unit)

    monkeypatch.setattr(metrics, "_made", None)
    monkeypatch.setattr("opentelemetry.metrics.get_meter", lambda *_: Meter())
    metrics._instruments()
    documented = {names(row[0])[0]: (row[1], names(row[2])[0]) for row in table("Metrics")}
    assert documented == made
