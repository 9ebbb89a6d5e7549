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
from flex_tokenstore import records

ROOT = Path(__file__).resolve().parents[2]
SKELETON = ROOT / "src" / "flex_integration_sdk" / "cli" / "_skeleton"
PUBLIC = {module.__name__: module.__all__ for module in (flex_tokenstore, records)}
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
            assert module in PUBLIC, f"{module} is not public"
            assert name in PUBLIC[module], f"{name} is not public"


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


def test_pyproject_names_every_plugin() -> None:
    """The one file, beside the pages for users, in which a new plugin has to be named."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    linter = tool["importlinter"]
    (contract,) = [c for c in linter["contracts"] if "stranger" in c["name"]]
    ours = sorted(name for plugin in PLUGINS for name in packages(plugin))
    all_of_them = ["flex_tokenstore", "flex_integration_sdk", *ours]
    folders = sorted(f"plugins/{plugin.name}/src" for plugin in PLUGINS)
    lists = {
        "[tool.importlinter] root_packages": (linter["root_packages"], all_of_them),
        f"contract {contract['name']!r}, source_modules": (contract["source_modules"], ours),
        "[tool.coverage.run] source_pkgs": (tool["coverage"]["run"]["source_pkgs"], all_of_them),
        "[tool.mypy] mypy_path": (tool["mypy"]["mypy_path"], folders),
    }
    missing = [
        f"{place}: add {name!r}"
        for place, (named, needed) in lists.items()
        for name in needed
        if name not in named
    ]
    gone = [
        f"{place}: remove {name!r}"
        for place, (named, needed) in lists.items()
        for name in named
        if name.startswith(("flex_tokenstore_", "plugins/")) and name not in needed
    ]
    assert not missing + gone, "pyproject.toml:\n" + "\n".join(missing + gone)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_here_is_checked_with_the_settings_of_the_repository(plugin: Path) -> None:
    """What `flex-sdk stores new` writes has settings of its own, which ruff would use instead."""
    tool = tomllib.loads((plugin / "pyproject.toml").read_text()).get("tool", {})
    extra = sorted({"ruff", "mypy", "pytest"} & {*tool})
    assert not extra, f"{plugin.name}/pyproject.toml: remove [tool.{'], [tool.'.join(extra)}]"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_here_is_not_described_as_the_package_that_it_was_made_from(plugin: Path) -> None:
    written = tomllib.loads((SKELETON / "pyproject.toml").read_text())["project"]["description"]
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    assert project["description"] != written, f"{plugin.name}/pyproject.toml: description"
    assert project["license"] == "Apache-2.0"
