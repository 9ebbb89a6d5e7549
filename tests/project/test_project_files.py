"""The files for those who take part: the workflow, the forms, the pins, the root's pages."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import dev
from tools import requirements

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
FORMS = sorted(path for path in GITHUB.glob("ISSUE_TEMPLATE/*.yml") if path.stem != "config")
PAGES = sorted([*ROOT.glob("*.md"), *GITHUB.rglob("*.md")])
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOW = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8"))


def steps(job: dict[str, Any]) -> list[str]:
    """Its commands, once for each value of the matrix that they name."""
    commands = [step["run"] for step in job["steps"] if "run" in step]
    for key, values in job["strategy"]["matrix"].items():
        name = f"${{{{ matrix.{key} }}}}"
        commands = [text.replace(name, value) for text in commands for value in values]
    return sorted(set(commands))


def test_the_workflow_runs_jobs_that_there_are() -> None:
    commands = [text for job in WORKFLOW["jobs"].values() for text in steps(job)]
    assert {"python dev.py test", "python dev.py slow", "python dev.py lint"} <= {*commands}
    for command in commands:
        program, script, name = command.split()
        assert (program, script) == ("python", "dev.py")
        assert name in dev.JOBS, command


def test_setting_up_is_a_job_without_a_command() -> None:
    assert dev.JOBS["setup"] == []
    assert dev.do("setup", []) == 0


def test_the_workflow_uses_two_actions_and_may_only_read() -> None:
    used = {
        step["uses"].partition("@")[0]
        for job in WORKFLOW["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    }
    assert used == {"actions/checkout", "actions/setup-python"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {*WORKFLOW[True]} == {"push", "pull_request", "workflow_dispatch"}  # YAML 1.1 reads "on"


def test_the_workflow_tries_three_systems_and_every_python() -> None:
    matrix = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    classifiers = " ".join(PYPROJECT["project"]["classifiers"])
    assert {*re.findall(r":: (3\.\d+)", classifiers)} <= {*matrix["python"]}
    assert PYPROJECT["project"]["requires-python"] == f">={matrix['python'][0]}"
    local = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"for version in {' '.join(matrix['python'])}; do" in local


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_is_one_that_github_accepts(form: Path) -> None:
    content = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {*content} == {"name", "description", "body"}
    questions = [each for each in content["body"] if each["type"] != "markdown"]
    assert questions
    ids = [each["id"] for each in questions]
    assert len(ids) == len({*ids})
    for each in questions:
        assert each["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        assert {*each} == {"type", "id", "attributes", "validations"}
        assert isinstance(each["attributes"]["label"], str)
        assert isinstance(each["attributes"].get("description", ""), str)
        assert isinstance(each["validations"]["required"], bool)
        if each["type"] == "dropdown":
            options = each["attributes"]["options"]
            assert all(isinstance(option, str) for option in options)
            assert len(options) == len({*options})


def test_there_are_forms_and_they_warn_of_secrets() -> None:
    assert {form.stem for form in FORMS} == {"bug", "idea"}
    bug = (GITHUB / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8")
    assert "SECURITY.md" in bug
    assert "Remove secrets first" in bug


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_of_the_root_names_what_there_is(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    for job in re.findall(r"python3 dev\.py (\w+)", text):
        assert job in dev.JOBS, job
    for path in re.findall(r"`((?:docs|tests|tools|src|plugins)/[\w./-]+)`", text):
        assert "NAME" in path or (ROOT / path).exists(), path


@pytest.mark.parametrize(
    "path",
    [ROOT / "SECURITY.md", ROOT / "RELEASING.md", *sorted(GITHUB.rglob("*.*"))],
    ids=lambda path: path.name,
)
def test_no_address_is_invented(path: Path) -> None:
    """The project has no site, no mailbox and no chat: a reporter must not be sent to one."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    assert not re.findall(r"https?://\S+|[\w.]+@[\w-]+\.\w+", text)


def test_the_pins_are_written_in_one_location() -> None:
    assert requirements.FILE.read_text(encoding="utf-8") == requirements.made(), (
        "change the dependency groups in pyproject.toml, then run python tools/requirements.py"
    )


def test_every_pin_is_exact_and_every_group_is_a_part_of_dev() -> None:
    groups: dict[str, list[Any]] = PYPROJECT["dependency-groups"]
    pins = requirements.pins(groups, "dev")
    assert all(re.fullmatch(r"[\w.\[\]-]+==[\w.]+(; .+)?", pin) for pin in pins)
    names = [pin.partition("=")[0] for pin in pins]
    assert len(names) == len({*names})
    for group in groups:
        assert {*requirements.pins(groups, group)} <= {*pins}, group


def test_the_benchmarks_pin_the_same_versions() -> None:
    pins: dict[str, str] = {}
    for file in (requirements.FILE, ROOT / "benchmarks" / "requirements.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, equals, version = line.partition(";")[0].strip().partition("==")
            if equals:
                assert pins.setdefault(name, version) == version, name


def test_the_check_of_the_pins_sees_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "requirements-dev.txt"
    copy.write_text(requirements.made() + "left-pad==1.0\n", encoding="utf-8")
    monkeypatch.setattr(requirements, "FILE", copy)
    assert requirements.main(["--check"]) == 1
    assert "run python tools/requirements.py" in capsys.readouterr().out
    assert requirements.main([]) == 0
    assert requirements.main(["--check"]) == 0


def test_setup_does_nothing_after_the_installation() -> None:
    assert dev.do("setup", []) == 0


@pytest.mark.parametrize(("job", "runs"), [("coverage", ["1", "2"]), ("lint", ["1"])])
def test_only_coverage_goes_on_after_a_command_that_fails(
    job: str,
    runs: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A report on the tests that passed is worth having; the exit code says that one failed."""
    first = ["python", "-c", "import sys; print(1); sys.exit(3)"]
    monkeypatch.setitem(dev.JOBS, job, [first, ["python", "-c", "print(2)"]])
    monkeypatch.setattr(dev, "PYTHON", Path(sys.executable))
    assert dev.do(job, []) == 3
    assert capfd.readouterr().out.split() == runs
