"""``flex-sdk doctor`` names each planted fault, and nothing where nothing is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .faults import FAULTS, Fault, files, fits, network, online, redis, settings, sql, vault
from .faults.world import Diagnosis, World

PAGE = Path(__file__).parents[3] / "docs" / "doctor-faults.md"
# A folder: each test writes its row of the page there; `python tools/doctor_faults.py` sets it.
WRITE_TO = "DOCTOR_FAULTS_FOLDER"


def faults() -> list[Fault]:
    """All of them, in the order of the page."""
    topics = [topic.__name__ for topic in (settings, files, redis, sql, vault, network, online)]
    return sorted(FAULTS, key=lambda fault: topics.index(fault.plant.__module__))


def row(fault: Fault, finding: dict[str, str], world: World) -> str:
    """The fault's row of the page."""
    cells = (fault.what, f"`{fault.finds}`", finding["status"])
    said = (world.shown(finding[part]).replace("|", "\\|") for part in ("message", "remedy"))
    return f"| {' | '.join((*cells, *said))} |"


def check_words(diagnosis: Diagnosis, world: World) -> None:
    """What holds whatever was found."""
    for secret in world.secrets:
        assert secret not in diagnosis.output
    for each in diagnosis.findings:
        assert each["message"]
        assert bool(each["remedy"]) == (each["status"] in ("error", "warning")), each
    assert diagnosis.exit_code == (1 if diagnosis.ids("error") else 0)


@pytest.mark.sample(12)  # each runs the command, which takes two seconds
@pytest.mark.parametrize(
    "fault",
    [pytest.param(each, id=each.name, marks=[pytest.mark.slow] * each.slow) for each in FAULTS],
)
def test_a_planted_fault_is_named_with_its_remedy(fault: Fault, world: World) -> None:
    with fault.planted(world):
        diagnosis = world.examine()
    check_words(diagnosis, world)
    fitting = [
        each
        for each in diagnosis.of(fault.finds)
        if fits(each["message"], fault.says) and each["status"] == fault.status
    ]
    assert len(fitting) == 1, diagnosis.output
    assert fits(fitting[0]["remedy"], fault.remedy), fitting[0]
    # One fault is told once.
    assert diagnosis.ids("error", "warning") <= {fault.finds, *fault.also}, diagnosis.output
    line = row(fault, fitting[0], world)
    if folder := os.environ.get(WRITE_TO):
        (Path(folder) / fault.name).write_text(line, encoding="utf-8")
    else:
        assert line in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_has_these_faults_and_no_others() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `" in line]
    assert [line.split(" | ")[0].removeprefix("| ") for line in rows] == [
        each.what for each in faults()
    ]


def test_the_names_of_faults_differ() -> None:
    assert len({each.name for each in faults()}) == len(faults())


def test_nothing_is_wrong_where_nothing_is(world: World) -> None:
    diagnosis = world.examine()
    check_words(diagnosis, world)
    assert diagnosis.ids("error", "warning") == set(), diagnosis.output


def test_nothing_is_wrong_behind_a_proxy_and_tls(world: World) -> None:
    authority = world.authority()
    world.set(SSL_CERT_FILE=authority.file)
    with world.live(authority):
        diagnosis = world.examine()
    assert diagnosis.ids("error", "warning") == set(), diagnosis.output
    assert "network.tls" in diagnosis.ids("ok")
