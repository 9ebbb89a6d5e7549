"""The page "Options of a store": each row of its table of types is what happens."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from flex_tokenstore import Secret
from flex_tokenstore._config.options import check_options
from flex_tokenstore._config.store_config import OptionValues
from tests.support.environments import ROOT

PAGE = (ROOT / "docs" / "store-options.md").read_text(encoding="utf-8")


class Color(Enum):
    RED = "red"


NAMES: dict[str, Any] = {
    "Any": Any,
    "Color": Color,
    "Literal": Literal,
    "Path": Path,
    "Secret": Secret,
    "Sequence": Sequence,
    "timedelta": timedelta,
}


def rows() -> list[tuple[str, str, str]]:
    table = PAGE.split("\n## Types\n")[1].strip().split("\n\n")[0]
    cells = [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in table.splitlines()[2:]]
    return [tuple(cell.strip("`").replace("\\|", "|") for cell in row) for row in cells]  # type: ignore[misc]


def taken(kind: Any, value: Any, variables: dict[str, str]) -> Any:
    given = OptionValues({"option": value})
    given.variables = variables
    schema = dataclasses.make_dataclass("Options", [("option", kind)], kw_only=True)
    return check_options(type("Store", (), {"Options": schema}), given, store="s").option


def test_there_are_rows() -> None:
    assert len(rows()) > 12


@pytest.mark.parametrize(("kind", "text", "received"), rows())
def test_a_text_of_the_environment_becomes_what_the_page_says(
    kind: str, text: str, received: str
) -> None:
    wanted = eval(received, NAMES)
    found = taken(eval(kind, NAMES), text, {"option": "ACME__OPTION"})
    assert (found, type(found)) == (wanted, type(wanted))
    # A value of the type itself stays what it is.
    assert taken(eval(kind, NAMES), wanted, {}) == wanted
