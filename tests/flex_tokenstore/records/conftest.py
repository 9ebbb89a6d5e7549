"""What the tests of the base for stores of records share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from .service import STYLES, Program, Service, Style


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> Style:
    chosen: Style = request.param
    return chosen


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def open_program(style: Style, service: Service) -> Iterator[Callable[..., Program]]:
    """Makes programs of this style that share the service."""
    with ExitStack() as stack:

        def make(**options: Any) -> Program:
            program = Program(style, service, **options)
            stack.callback(program.end)
            return program

        yield make
