"""The README's table of token stores is what the installed stores and the last run give."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tools import stores_table

Copies = tuple[Path, Path]
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copies:
    """The README and the results, for a test to change."""
    made = []
    for name in ("README", "RESULTS"):
        original: Path = getattr(stores_table, name)
        made.append(tmp_path / original.name)
        made[-1].write_bytes(original.read_bytes())
        monkeypatch.setattr(stores_table, name, made[-1])
    return made[0], made[1]


def test_the_table_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    code = stores_table.main(["--check"])
    assert code == 0, capsys.readouterr().out


@pytest.mark.slow
def test_writing_it_again_changes_nothing(copies: Copies) -> None:
    before = [path.read_bytes() for path in copies]
    assert stores_table.main([]) == 0
    assert [path.read_bytes() for path in copies] == before


@pytest.mark.slow
def test_a_table_that_was_typed_is_noticed(
    copies: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    readme, _ = copies
    text = readme.read_text("utf-8")
    assert "| no | no | yes |" in text
    readme.write_text(text.replace("| no | no | yes |", "| yes | yes | yes |"), "utf-8")
    assert stores_table.main(["--check"]) == 1
    assert "README.md" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda results: results["redis: Redis or Valkey, also Sentinel and Cluster"].update(
            passed=1
        ),
        lambda results: results.pop("vault-kv1: Vault or OpenBao, KV version 1"),
    ],
)
def test_a_run_of_another_kit_is_noticed(
    copies: Copies, capsys: pytest.CaptureFixture[str], change: Change
) -> None:
    _, file = copies
    results = json.loads(file.read_text("utf-8"))
    change(results)
    file.write_text(json.dumps(results), "utf-8")
    assert stores_table.main(["--check"]) == 1
    assert "use --run" in capsys.readouterr().out


@pytest.mark.slow
def test_a_store_without_a_row_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stores_table, "ROWS", [r for r in stores_table.ROWS if r.store != "file"])
    assert stores_table.main(["--check"]) == 1
    assert "file: has no row" in capsys.readouterr().out


def test_a_failure_is_in_the_table() -> None:
    report = ElementTree.fromstring(
        """<testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>
        <testcase name="c"><error/></testcase><testcase name="d">
        <skipped message="shared_by = 'nobody': other processes do not see the storage"/>
        </testcase></testsuite>"""
    )
    result = stores_table.summary(list(report.iter("testcase")))
    counts = {"passed": 1, "skipped": 1, "failed": 2}
    assert result == {**counts, "shared_by_processes": False}
    row = stores_table.ROWS[0]
    assert "**2 failed**" in stores_table.table({row.title: result}).splitlines()[2]


@pytest.mark.slow
def test_a_run_puts_down_what_came_of_it(copies: Copies) -> None:
    readme, file = copies
    before = readme.read_bytes(), file.read_bytes()
    results = json.loads(file.read_text("utf-8"))
    results["memory: one instance, until it ends"].update(passed=1, skipped=0)
    file.write_text(json.dumps(results), "utf-8")
    assert stores_table.main(["--run", "memory"]) == 0
    assert (readme.read_bytes(), file.read_bytes()) == before


@pytest.mark.slow
def test_reports_of_a_run_can_be_read(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, file = copies
    cls = "tests.flex_tokenstore.stores.test_contract.TestMemory"
    reports = []
    for number in range(2):  # the quick tests and the slow ones
        reports.append(tmp_path / f"{number}.xml")
        case = f'<testcase classname="{cls}" name="test_{number}"/>'
        reports[-1].write_text(f"<testsuites><testsuite>{case}</testsuite></testsuites>")
    assert stores_table.main(["--read", *map(str, reports)]) == 1
    assert "vault-kv1: Vault or OpenBao, KV version 1: nothing" in capsys.readouterr().out
    results = json.loads(file.read_text("utf-8"))
    assert results["memory: one instance, until it ends"]["passed"] == 2
    assert results["vault-kv1: Vault or OpenBao, KV version 1"]["passed"] > 100


@pytest.mark.slow
def test_wrong_use_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert stores_table.main(["--chekc"]) == stores_table.main(["--read"]) == 2
    assert "--check" in capsys.readouterr().out
