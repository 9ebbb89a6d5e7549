"""``register_store``: a program registers a store itself, as a frozen program must."""

from __future__ import annotations

import importlib
import json
import modulefinder
import os
import subprocess
import sys
import sysconfig
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import (
    StoreInfo,
    StoreLoadError,
    TokenIdentity,
    describe_store,
    hookimpl,
    list_stores,
    open_store,
    register_store,
    store_config_from_env,
)
from flex_tokenstore._registry.catalogue import load_store_class
from tests.support.fakes import IDENTITY
from tests.support.plugins import GOOD, install

ROOT = Path(__file__).resolve().parents[3]


class Mine:
    """A store for tests."""

    @dataclass(kw_only=True)
    class Options:
        url: str = "x"

    def __init__(self, options: Options, identity: TokenIdentity) -> None: ...

    @hookimpl
    def get_token(self) -> None: ...

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None: ...

    @hookimpl
    def remove_token(self) -> None: ...


class Other(Mine):
    """Another one."""


def listed(name: str, *, check: bool = False) -> list[StoreInfo]:
    return [info for info in list_stores(check=check) if info.name == name]


def test_a_registered_store_works_by_its_name(site: Path) -> None:
    register_store("mine", Mine)
    register_store("mine", Mine)
    (info,) = listed("mine", check=True)
    assert (info.origin, info.status) == ("registered by the program", "ok")
    assert (info.distribution, info.version, info.summary) == ("", "", "A store for tests.")
    assert info.compare_and_set is False
    assert describe_store("mine") == info
    assert load_store_class("mine") is Mine
    config = store_config_from_env("ACME", {"ACME": "mine", "ACME__URL": "u"})
    assert config is not None
    with open_store(config, IDENTITY) as store:
        assert (store.name, store.get_token()) == ("mine", None)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("file", "'file' is the name of a store of flex-integration-sdk"),
        ("MEMORY", "'MEMORY' is the name of a store of flex-integration-sdk"),
        ("My Store", "'my-store' would be valid"),
        ("", "lower-case letters"),
        ("a" * 41, "at most 40"),
    ],
)
def test_a_name_that_no_plugin_may_have_is_refused(site: Path, name: str, told: str) -> None:
    with pytest.raises(StoreLoadError, match=told):
        register_store(name, Mine)
    assert all(info.origin != "registered by the program" for info in list_stores())


def test_a_second_class_under_the_same_name_is_refused(site: Path) -> None:
    register_store("mine", Mine)
    with pytest.raises(StoreLoadError, match=r"'mine': .*:Mine and .*:Other\. Choose another"):
        register_store("mine", Other)
    assert load_store_class("mine") is Mine


@pytest.mark.parametrize(
    ("name", "cls", "error"),
    [
        (3, Mine, TypeError),
        ("mine", object(), TypeError),
        ("mine", dict, StoreLoadError),
    ],
)
def test_what_is_not_a_store_is_refused(
    site: Path, name: Any, cls: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        register_store(name, cls)
    assert not listed("mine")


def test_a_plugin_that_claims_the_name_too(
    site: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "some-plugin", f"mine = {module}:Store", **{module: GOOD})
    register_store("mine", Mine)
    plugin, own = listed("mine")
    assert [plugin.status, own.status] == ["duplicate", "duplicate"]
    assert "this program" in plugin.reason + own.reason
    with pytest.raises(StoreLoadError, match=r"of some-plugin and of this program, .*ambiguous"):
        load_store_class("mine")
    assert module not in sys.modules
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", "some-plugin")
    assert load_store_class("mine").__module__ != module


def test_an_installed_plugin_with_the_same_class_is_no_clash(site: Path, module: str) -> None:
    """The program runs frozen for its users, and with the plugin installed for its author."""
    install(site, "some-plugin", f"mine = {module}:Store", **{module: GOOD})
    cls = importlib.import_module(module).Store
    register_store("mine", cls)
    (info,) = listed("mine", check=True)
    assert (info.origin, info.status, info.distribution) == ("plugin", "ok", "some-plugin")
    assert load_store_class("mine") is cls


@pytest.mark.parametrize(
    ("variable", "value", "blocked"),
    [
        ("FLEX_TOKENSTORE_BLOCK", "mine", True),
        ("FLEX_TOKENSTORE_ALLOW", "other", True),
        ("FLEX_TOKENSTORE_ALLOW", "mine", False),
    ],
)
def test_the_rules_of_the_environment_hold(
    site: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, blocked: bool
) -> None:
    register_store("mine", Mine)
    monkeypatch.setenv(variable, value)
    (info,) = listed("mine")
    assert info.status == ("blocked" if blocked else "ok")
    if blocked:
        with pytest.raises(StoreLoadError, match=r"of this program, .* is blocked"):
            load_store_class("mine")


def test_many_threads_register_the_same_name(site: Path) -> None:
    classes, refused = [type(f"Store{number}", (Mine,), {}) for number in range(16)], []
    start = threading.Barrier(len(classes))

    def register(cls: type) -> None:
        start.wait()
        try:
            register_store("mine", cls)
        except StoreLoadError:
            refused.append(cls)

    threads = [threading.Thread(target=register, args=(cls,)) for cls in classes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == len(classes) - 1
    assert load_store_class("mine") not in refused


FROZEN = """
import json, os, sys
sys.frozen = True
from flex_tokenstore import (
    StoreLoadError, TokenIdentity, UnknownStoreError, list_stores, open_store, register_store,
    store_config_from_env,
)
from frozen_module import Store

identity = TokenIdentity("https://api.example.com", "my-client", "integ")
told = []
for name in ("mine", "redis"):
    try:
        open_store(name, identity)
    except UnknownStoreError as error:
        told.append(str(error))
register_store("mine", Store)
with open_store(store_config_from_env("FLEX_INTEGRATION_TOKEN_STORE"), identity) as store:
    told.append(store.name)
with open_store("memory", identity) as store:
    told.append(store.name)
print(json.dumps([told, [[i.name, i.origin, i.status] for i in list_stores(check=True)]]))
"""


def test_a_tool_that_freezes_a_program_finds_all_its_modules(tmp_path: Path) -> None:
    """Such a tool follows the import statements; what is loaded by its name needs one."""
    program, source = tmp_path / "program.py", ROOT / "src"
    # The last two are imported by those who need them, with a statement.
    program.write_text(
        "import flex_tokenstore.embedding, flex_tokenstore.auth, flex_tokenstore.records"
    )
    finder = modulefinder.ModuleFinder([str(source)])
    finder.run_script(str(program))
    needed = {
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for path in (source / "flex_tokenstore").rglob("*.py")
        if "testing" not in path.parts
    }
    assert len(needed) > 60
    assert not needed - {*finder.modules}


def test_a_program_without_any_metadata(tmp_path: Path) -> None:
    """As a frozen one: the modules are there, and no distribution is."""
    (tmp_path / "flex_tokenstore").symlink_to(ROOT / "src" / "flex_tokenstore", True)
    for library in Path(sysconfig.get_path("platlib")).iterdir():
        if library.suffix not in (".dist-info", ".pth"):
            (tmp_path / library.name).symlink_to(library, library.is_dir())
    (tmp_path / "frozen_module.py").write_text(GOOD)
    # -S: without site-packages, where this project's metadata are.
    done = subprocess.run(
        [sys.executable, "-S", "-W", "error", "-c", FROZEN],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("FLEX_")},
            "PYTHONPATH": str(tmp_path),
            "FLEX_INTEGRATION_TOKEN_STORE": "mine",
            "FLEX_INTEGRATION_TOKEN_STORE__URL": "u",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (unknown, redis, *names), stores = json.loads(done.stdout)
    assert "a frozen program must register a plugin's class with register_store(" in unknown
    assert "in the package flex-tokenstore-redis: add it to the frozen program" in redis
    assert "pip" not in unknown + redis
    assert names == ["mine", "memory"]
    assert stores == [
        ["fallback", "built-in", "ok"],
        ["file", "built-in", "ok"],
        ["memory", "built-in", "ok"],
        ["read-only", "built-in", "ok"],
        ["mine", "registered by the program", "ok"],
    ]
