"""The invariants of the design hold in all interleavings of the shipped session's flow."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from flex_tokenstore._session.flow import held_token, refresh_tokens, unsaved_token

from . import configs
from .explore import Explorer
from .model import Config
from .shipped import Fault, controls, exploring, planted

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


def test_after_an_exploration_the_shipped_code_is_as_it_was() -> None:
    fault = Fault(unsaved_token, "forget_own", None)
    places = [(owner, name) for owner, name, _ in (*controls(), fault)]
    shipped = [vars(owner)[name] for owner, name in places]

    def interrupted() -> None:
        with exploring([fault]):
            assert not any(vars(o)[n] is was for (o, n), was in zip(places, shipped, strict=True))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [vars(owner)[name] for owner, name in places] == shipped


def test_a_fault_that_cannot_be_planted_is_an_error() -> None:
    margin = held_token.MARGIN
    faults = (Fault(held_token, "MARGIN", 0), Fault(held_token, "this_is_not_there", 0))
    with pytest.raises(AssertionError, match="cannot be planted"), planted(faults):
        pass
    assert margin == held_token.MARGIN


def test_two_explorations_at_once_are_an_error() -> None:
    with exploring(), pytest.raises(AssertionError, match="one exploration at a time"):
        Explorer(next(configs.quick()))


def test_a_session_that_the_explorer_does_not_control_is_an_error() -> None:
    with pytest.raises(AssertionError, match="does not control"):
        list(controls([ModuleType("flex_tokenstore.without_a_clock")]))


def test_state_that_the_explorer_cannot_see_is_an_error() -> None:
    class Unseen: ...

    def choose(state: Any, stored: Any) -> None:
        state.doubt = Unseen()

    with pytest.raises(TypeError, match="no snapshot for Unseen"):
        Explorer(next(configs.quick()), (Fault(refresh_tokens, "choose", choose),)).run()
