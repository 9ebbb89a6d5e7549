"""Prints, at the end of a run, how many distinct states were explored."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    states = configurations = 0
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "explored":
                states += value
                configurations += 1
    if configurations:
        terminalreporter.write_line(
            f"explorer: {states} distinct states in {configurations} configurations"
        )
