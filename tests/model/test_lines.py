"""An exception in the waiting thread, wherever it strikes, harms nobody and loses nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from .lines import SCENES, Scene, Struck, shorter_waits, strike_everywhere

SECOND = (1, 2, 3, 5, 8, 13, 21, 34, 55)  # events between a first exception and a second

# An exception may strike between the making of a coroutine and its first step.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
# By default one of a session, one of a store, one of their end; all opcodes have all lines.
FEW = ("a call that refreshes", "a look at an async store", "close during a refresh")
lines = [
    scene if scene.name in FEW else pytest.param(scene, marks=pytest.mark.slow) for scene in SCENES
]
scenes = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
errors = pytest.mark.parametrize("error", [Struck, KeyboardInterrupt])


@pytest.fixture(scope="module", autouse=True)
def waits() -> Iterator[None]:
    with shorter_waits():
        yield


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """They complain in the test that left them."""
    yield
    gc.collect()


@pytest.mark.parametrize("scene", lines, ids=lambda scene: scene.name)
def test_at_any_line(scene: Scene) -> None:
    assert strike_everywhere(scene) > 20, "the lines of a call are seen"


@pytest.mark.slow
@pytest.mark.timeout(600)
@errors
@scenes
def test_at_any_opcode(scene: Scene, error: type[BaseException]) -> None:
    assert strike_everywhere(scene, opcodes=True, error=error) > 100


@pytest.mark.slow
@pytest.mark.timeout(600)
@errors
@scenes
def test_twice(scene: Scene, error: type[BaseException]) -> None:
    assert strike_everywhere(scene, again=SECOND, error=error) > 20
