"""What a release hands out: built as `python3 dev.py build` does, without a network."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import Parser
from functools import cache
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import flex_integration_sdk
from flex_tokenstore import StoreLoadError, list_stores, open_store
from tests.support.fakes import IDENTITY
from tools import build

PLUGINS = build.PROJECTS[1:]
SKELETON = "src/flex_integration_sdk/cli/_skeleton/"
# Everything else of a clone is for those who change the project.
BESIDE_SOURCES = {"PKG-INFO", "pyproject.toml", ".gitignore", "README.md", "LICENSE"}
OF_THE_PROJECT = {"CHANGELOG.md", "SECURITY.md", "docs"}


def sources(project: Path) -> set[str]:
    """The files of its packages, as paths below its folder; without what tools leave there."""
    paths = [path.relative_to(project) for path in (project / "src").rglob("*") if path.is_file()]
    caches = ("__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".hypothesis")
    return {path.as_posix() for path in paths if not {*path.parts} & {*caches}}


def contents(archive: Path) -> set[str]:
    """Paths below the one folder of a source distribution."""
    with tarfile.open(archive) as opened:
        names = [PurePosixPath(member.name) for member in opened if member.isfile()]
    assert len({name.parts[0] for name in names}) == 1
    return {PurePosixPath(*name.parts[1:]).as_posix() for name in names}


def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = [each for each in wheel.namelist() if each.endswith(".dist-info/METADATA")]
    return Parser().parsestr(wheel.read(name).decode())


Build = Callable[[Path], tuple[Path, Path]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds a project once, since that takes a second or two."""
    return cache(lambda project: build.build(project, tmp_path_factory.mktemp("dist")))


@pytest.mark.sample(1)
@pytest.mark.parametrize("project", build.PROJECTS, ids=lambda project: project.name)
def test_a_source_distribution_has_all_that_its_wheel_needs_and_no_tests(
    project: Path, built: Build
) -> None:
    source, wheel_file = built(project)
    names = contents(source)
    own = {name for name in names if name.startswith("src/")}
    assert own == sources(project)
    others = {PurePosixPath(name).parts[0] for name in names - own}
    assert others == BESIDE_SOURCES | (OF_THE_PROJECT if project == build.ROOT else set())
    # The tests of the package that `flex-sdk stores new` writes are a part of that package.
    tests = {name for name in names if "tests" in PurePosixPath(name).parts}
    assert all(name.startswith(SKELETON) for name in tests)
    with zipfile.ZipFile(wheel_file) as wheel:
        packaged = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert {f"src/{name}" for name in packaged} == sources(project)
        if project == build.ROOT:
            assert metadata(wheel)["Version"] == flex_integration_sdk.__version__


@pytest.mark.parametrize("project", PLUGINS, ids=lambda project: project.name)
def test_an_installed_plugin_is_incompatible_with_the_next_minor_version(
    project: Path, built: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is in its wheel, which an installer unpacks into a folder of ``sys.path``."""
    site = tmp_path / "site"
    present = Version(flex_integration_sdk.__version__)
    following = f"{present.major}.{present.minor + 1}.0"
    with zipfile.ZipFile(built(project)[1]) as wheel:
        wheel.extractall(site)
        required = [Requirement(each) for each in metadata(wheel).get_all("Requires-Dist", [])]
    assert any(each.name == "flex-integration-sdk" and each.specifier for each in required)
    monkeypatch.syspath_prepend(str(site))

    def states() -> dict[str, str]:
        mine = [info for info in list_stores() if info.distribution == project.name]
        return {info.name: info.status for info in mine}

    assert set(states().values()) == {"ok"}
    monkeypatch.setattr("flex_tokenstore._version.__version__", following)
    assert set(states().values()) == {"incompatible"}
    reason = rf"needs flex-integration-sdk\S+, but {following}"
    for name in states():
        with pytest.raises(StoreLoadError, match=reason):
            open_store(name, IDENTITY)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_built_works_in_a_new_environment(tmp_path: Path) -> None:
    """The commands of RELEASING.md, as printed there."""
    if shutil.which("sh") is None:
        pytest.skip("needs the program sh")
    probe = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(tmp_path)]
    if subprocess.run([*probe, "hatchling"], capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no index here")
    assert build.main([str(tmp_path / "dist")]) == 0
    page = (build.ROOT / "RELEASING.md").read_text(encoding="utf-8")
    part = page[page.index("## 5. ") : page.index("## 6. ")]
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", part, re.DOTALL | re.MULTILINE))
    assert "stores list --check" in script
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLEX_", "PYTHON", "COV", "PYTEST_", "VIRTUAL_ENV", "XDG_"))
    }
    done = subprocess.run(
        ["sh", "-euc", re.sub(r"^python3 ", f"{shlex.quote(sys.executable)} ", script, flags=re.M)],
        cwd=tmp_path,
        env={**kept, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"version {flex_integration_sdk.__version__}\n" in done.stdout
    for plugin in PLUGINS:
        listed = rf"^status +(\S+)\nfrom +{re.escape(plugin.name)} "
        assert set(re.findall(listed, done.stdout, re.MULTILINE)) == {"ok"}
    built = [line for line in done.stdout.splitlines() if re.fullmatch(r"[\w.]+-\S+\.whl", line)]
    assert len(built) == len(build.PROJECTS)
