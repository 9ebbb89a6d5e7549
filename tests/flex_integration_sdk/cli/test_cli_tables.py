"""Tables: as wide as the terminal, whole words, and each cell where it belongs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flex_integration_sdk.cli._tables import (
    Shown,
    lines_of,
    print_facts,
    print_row,
    print_table,
    widths_of,
    wrapped,
)

Captured = pytest.CaptureFixture[str]
URL = "https://flex-integ-api.example.com/a/long/address/of/some/resource"


def printed(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, columns: int, *rows: Sequence[object]
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table([str(name) for name in rows[0]], rows[1:])
    return capsys.readouterr().out.splitlines()


def test_what_fits_is_aligned_on_one_line_for_each_row(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(capsys, monkeypatch, 80, ["name", "lock"], ["file", True], ["a-b", None])
    assert lines == ["name  lock", "file  yes", "a-b   -"]


def test_lines_break_at_blanks_and_go_on_below_their_cell(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(
        capsys, monkeypatch, 24, ["store", "about"], ["file", "keeps the token in a file"]
    )
    assert lines == ["store  about", "file   keeps the token", "       in a file"]


def test_letters_that_take_two_columns_are_counted_as_two(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(capsys, monkeypatch, 20, ["名前", "b"], ["自転車 自転車 自転車", "x"])
    assert lines == ["名前           b", "自転車 自転車  x", "自転車"]
    assert {cell_len(line.split("  ")[0]) for line in lines[1:2]} == {13}


def test_a_word_that_is_too_long_for_its_column_stays_whole(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[f"name{number}", "short", "some words"] for number in range(5)]
    lines = printed(
        capsys,
        monkeypatch,
        70,
        ["setting", "value", "origin"],
        *rows,
        ["base_url", URL, "default"],
    )
    assert lines[-3:] == ["base_url", f"    {URL}", "                 default"]
    assert max(map(len, lines)) <= 70


def test_a_table_that_cannot_fit_becomes_names_and_values(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = [f"column{number}" for number in range(9)]
    lines = printed(capsys, monkeypatch, 60, headers, list(range(9)), list(range(9)))
    assert lines[:2] == ["column0  0", "column1  1"]
    assert lines.count("") == 1


def test_a_long_value_begins_below_its_name(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    print_facts({"place": URL, "path": Shown("/a b/" + "c" * 90, is_whole=True), "store": "file"})
    lines = capsys.readouterr().out.splitlines()
    # What is longer than a line stays beside its name: nowhere would it be whole.
    assert lines == ["place", f"    {URL}", f"path   /a b/{'c' * 90}", "store  file"]


def test_a_command_between_backquotes_stays_whole(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_row(["!", "the rights are wrong: `chmod 600 /home/me/token.json` mends them"], [1], gap=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "! the rights are wrong:",
        "  `chmod 600 /home/me/token.json` mends",
        "  them",
    ]


def test_control_characters_do_not_reach_the_terminal(capsys: Captured) -> None:
    print_facts({"a": "\x1b[31mred\nline\x9b2J\u202e"})
    assert capsys.readouterr().out == "a   [31mred line 2J\n"


WORDS = st.text("ab自-/", min_size=1, max_size=30)
CELLS = st.lists(WORDS, max_size=6).map(" ".join)
TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=2, max_size=6)
)


@given(TABLES, st.integers(20, 120))
def test_no_word_is_cut_or_lost_and_each_line_fits_that_can(
    rows: list[list[str]], space: int
) -> None:
    widths = widths_of(rows, space)
    if widths is None:
        return
    assert sum(widths) + 2 * (len(widths) - 1) <= space
    for row in rows:
        lines = list(lines_of(row, widths, space))
        words = re.split(" +", " ".join(lines).strip())
        assert sorted(words) == sorted(" ".join(row).split() or [""])
        for line in lines:
            assert cell_len(line) <= space or cell_len(line.split()[-1]) > space


def test_a_question_fits_the_terminal_with_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    path = "/home/me/.config/flex-integration-sdk/token.json"
    made = wrapped(f"Remove the token of me at https://a in {path}?", " [y/N]: ")
    assert made.split() == f"Remove the token of me at https://a in {path}?".split()
    assert made.splitlines() == ["Remove the token of me at", "https://a in", f"{path}?"]
    assert wrapped("Remove the token of them all?") == "Remove the token of them all?"
    assert wrapped("Remove the token of them all?", " [y/N]: ") == "Remove the token of them\nall?"
