"""The pytest plugin: registers the kit's markers, so that no author of a store has to."""

from __future__ import annotations

import sys

import pytest

_WITH_ASSERTS = ["conduct", "conflicts", "failures", "locks", "model", "renewals", "sharing"]
_WITH_ASSERTS += ["bench", "network", "storage", "work", "atomic", "clocks", "forms"]
_WITH_ASSERTS += ["leftovers", "lock_conduct", "opening", "parts", "process"]

for _name in _WITH_ASSERTS:
    # Their asserts show what they compared, as those of a test module do.
    # pytest warns of a module that was imported before it could be rewritten.
    if f"flex_tokenstore.testing._{_name}" not in sys.modules:
        pytest.register_assert_rewrite(f"flex_tokenstore.testing._{_name}")


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest."""
    config.addinivalue_line(
        "markers",
        "slow: the conformance kit's tests with many processes or examples; "
        'exclude them with -m "not slow"',
    )
    # They say how long they may take to pytest-timeout, where that is installed.
    config.addinivalue_line("markers", "timeout(seconds): of pytest-timeout")
