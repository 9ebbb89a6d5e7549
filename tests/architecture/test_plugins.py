"""Our own plugins stand where a stranger's would: on the framework's public names."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import flex_integration_sdk
import flex_tokenstore

ROOT = Path(__file__).resolve().parents[2]
SKELETON = ROOT / "src" / "flex_integration_sdk" / "cli" / "_skeleton"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))


def packages(plugin: Path) -> list[str]:
    return [path.parent.name for path in plugin.glob("src/*/__init__.py")]


def imports(plugin: Path) -> set[tuple[str, str]]:
    """What its modules import from outside of it: module and name."""
    found: set[tuple[str, str]] = set()
    for path in plugin.glob("src/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {(alias.name, "") for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found |= {(node.module or "", alias.name) for alias in node.names}
    return found


def test_there_are_plugins() -> None:
    assert PLUGINS


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_public_names_of_the_framework_alone(plugin: Path) -> None:
    others = {name for other in PLUGINS if other != plugin for name in packages(other)}
    for module, name in imports(plugin):
        package = module.partition(".")[0]
        assert package not in {"flex_integration_sdk", "tests", *others}, module
        if package == "flex_tokenstore":
            assert module == "flex_tokenstore", f"{module} is not public"
            assert name in flex_tokenstore.__all__, f"{name} is not public"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_is_a_distribution_of_its_own(plugin: Path) -> None:
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    assert project["name"] == plugin.name
    assert list(project["entry-points"]) == ["flex_tokenstore"]
    assert (plugin / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert (plugin / "README.md").exists()
    for package in packages(plugin):
        assert (plugin / "src" / package / "py.typed").exists()


@pytest.mark.parametrize("folder", [*PLUGINS, SKELETON], ids=lambda folder: folder.name)
def test_a_plugin_says_which_versions_of_the_framework_it_works_with(folder: Path) -> None:
    """From the present minor version up to the next one, which may change the hooks.

    It fails when the version of the framework is raised: then each plugin is tried with the new
    one, and its bound is moved, in the same commit.
    """
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    requirements = map(Requirement, project["dependencies"])
    (bound,) = [each.specifier for each in requirements if each.name == "flex-integration-sdk"]
    installed = Version(flex_integration_sdk.__version__)
    following = f"{installed.major}.{installed.minor + 1}"
    assert bound.contains(installed, prereleases=True)
    for newer in (f"{following}.0", f"{following}.0.dev0", f"{installed.major + 1}.0"):
        assert not bound.contains(newer, prereleases=True), newer


def test_import_linter_knows_every_plugin() -> None:
    """The one place in which a new plugin has to be named."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    ours = {name for plugin in PLUGINS for name in packages(plugin)}
    assert ours <= set(linter["root_packages"])
    (contract,) = [c for c in linter["contracts"] if "stranger" in c["name"]]
    assert ours == set(contract["source_modules"])
