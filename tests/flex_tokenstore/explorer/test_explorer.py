"""The invariants of the design hold in all interleavings of the shipped session's flow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from . import configs
from .explore import Explorer
from .model import Config

Record = Callable[[str, object], None]


def explore(config: Config, record: Record) -> None:
    count = Explorer(config).run()
    assert count.leaves > 0
    record("explored", count.states)


@pytest.mark.parametrize("config", list(configs.quick()), ids=lambda config: config.name)
def test_the_invariants_hold(config: Config, record_property: Record) -> None:
    explore(config, record_property)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("config", list(configs.full()), ids=lambda config: config.name)
def test_the_invariants_hold_everywhere(config: Config, record_property: Record) -> None:
    explore(config, record_property)
