"""Installed stores: what is listed, what loads, and what broken plugins may not do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flex_tokenstore import (
    StoreInfo,
    StoreLoadError,
    StoreOptionsError,
    UnknownStoreError,
    describe_store,
    hookimpl,
    list_stores,
    open_store,
)
from flex_tokenstore._registry.catalogue import load_store_class
from flex_tokenstore._registry.discovery import BUILT_IN, OURS
from tests.support.fakes import IDENTITY
from tests.support.plugins import GOOD, install


def shown(name: str, *, check: bool = False) -> StoreInfo:
    (info,) = [info for info in list_stores(check=check) if info.name == name]
    return info


def test_built_in_stores_are_listed_first_and_load() -> None:
    names = [info.name for info in list_stores()]
    assert sorted(names[: len(BUILT_IN)]) == sorted(BUILT_IN)
    assert shown("memory", check=True).compare_and_set is True
    assert load_store_class("file").__name__ == "FileStore"


def test_built_in_store_needs_no_scan() -> None:
    code = (
        "import sys; from flex_tokenstore._registry.catalogue import load_store_class;"
        "load_store_class('memory'); print('importlib_metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_good_plugin(site: Path, module: str) -> None:
    install(site, "good-plugin", f"good = {module}:Store", **{module: GOOD})
    listed = shown("good")
    assert (listed.distribution, listed.version, listed.summary) == (
        "good-plugin",
        "1.0",
        "A store for tests.",
    )
    assert (listed.origin, listed.status, listed.doc) == ("plugin", "ok", None)
    assert module not in sys.modules
    checked = shown("good", check=True)
    assert checked.status == "ok"
    assert checked.doc == "A store for tests."
    assert (checked.compare_and_set, checked.lock, checked.native_async) == (False, False, False)
    assert checked.options is not None
    assert [(o.name, o.type, o.doc) for o in checked.options] == [("url", "str", "where it is")]
    assert load_store_class("good").__name__ == "Store"
    with open_store({"name": "good", "url": "u"}, IDENTITY) as store:
        assert store.get_token() is None


MISSING_HOOK = GOOD.replace("    @hookimpl\n    def get_token", "    def get_token")
WRONG_SIGNATURE = GOOD.replace("def set_token(self, token)", "def set_token(self, tok)")
BROKEN = {
    "raises": ("raise RuntimeError('boom')", "broken", "RuntimeError"),
    "exits": ("import sys; sys.exit(3)", "broken", "SystemExit"),
    "driver": ("import no_such_driver", "missing-dependency", "no_such_driver"),
    "wrapped": (
        "try:\n import no_such_driver\nexcept ImportError as e:\n raise ImportError('x') from e",
        "missing-dependency",
        "no_such_driver",
    ),
    "syntax": ("x = 1\ndef (", "broken", "line 2"),
    "attribute": ("", "broken", "has no 'Store'"),
    "no-class": ("Store = 1", "broken", "not a class"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_plugin_that_does_not_import(site: Path, module: str, case: str) -> None:
    source, status, words = BROKEN[case]
    install(site, f"{case}-plugin", f"{case} = {module}:Store", **{module: source})
    assert shown(case).status == "ok"
    info = shown(case, check=True)
    assert info.status == status
    assert words in info.reason
    with pytest.raises(StoreLoadError, match=words) as first:
        load_store_class(case)
    with pytest.raises(StoreLoadError, match=words) as second:
        load_store_class(case)
    assert first.value.__cause__ is not None
    assert first.value.__cause__ is second.value.__cause__
    assert first.value is not second.value
    assert "pip install" not in str(first.value)
    assert shown("memory", check=True).status == "ok"


def test_failed_load_is_not_tried_again(site: Path, module: str, tmp_path: Path) -> None:
    count = tmp_path / "count"
    source = f"with open({str(count)!r}, 'a') as f: f.write('x')\nraise RuntimeError"
    install(site, "counting", f"counting = {module}:Store", **{module: source})
    for _ in range(3):
        with pytest.raises(StoreLoadError):
            load_store_class("counting")
        assert shown("counting", check=True).status == "broken"
    assert count.read_text() == "x"


def test_ctrl_c_while_importing_is_passed_on(site: Path, module: str) -> None:
    install(site, "slow", f"slow = {module}:Store", **{module: "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        load_store_class("slow")


@pytest.mark.parametrize(
    ("source", "words"), [(MISSING_HOOK, "get_token"), (WRONG_SIGNATURE, "'tok'")]
)
def test_class_that_is_no_store(site: Path, module: str, source: str, words: str) -> None:
    install(site, "odd", f"odd = {module}:Store", **{module: source})
    info = shown("odd", check=True)
    assert info.status == "broken"
    assert words in info.reason


def test_class_that_cannot_be_looked_at(site: Path, module: str) -> None:
    source = GOOD.replace("url: str", "url: NoSuchType").replace(
        "from dataclasses", "from __future__ import annotations\nfrom dataclasses", 1
    )
    install(site, "unresolved", f"unresolved = {module}:Store", **{module: source})
    info = shown("unresolved", check=True)
    assert info.status == "broken"
    assert "NoSuchType" in info.reason


@pytest.mark.parametrize(
    ("requires", "status"),
    [
        ("flex-integration-sdk>=999", "incompatible"),
        ("Flex.Integration_SDK >=999", "incompatible"),
        ("flex-integration-sdk>=0", "ok"),
        ("flex-integration-sdk>=999; extra == 'later'", "ok"),
        ("another>=999", "ok"),
    ],
)
def test_required_version(site: Path, module: str, requires: str, status: str) -> None:
    install(site, "newer", f"newer = {module}:Store", requires=requires, **{module: GOOD})
    assert shown("newer").status == status
    if status == "incompatible":
        with pytest.raises(StoreLoadError, match=">=999"):
            load_store_class("newer")
        assert module not in sys.modules
    else:
        load_store_class("newer")


BOUND = "flex-integration-sdk<0.2,>=0.1"


@pytest.mark.parametrize(
    ("installed", "status"),
    [
        ("0.1.0", "ok"),
        ("0.1.9", "ok"),
        ("0.0.9", "incompatible"),
        ("0.1.0rc1", "incompatible"),
        ("0.2.0.dev0", "incompatible"),
        ("0.2.0rc1", "incompatible"),
        ("0.2.0", "incompatible"),
        ("1.0", "incompatible"),
    ],
)
def test_a_version_bound_is_kept_to_whichever_version_of_ours_is_installed(
    site: Path, module: str, monkeypatch: pytest.MonkeyPatch, installed: str, status: str
) -> None:
    """A plugin of last year after an upgrade, and a new one before it: neither is imported."""
    requires = f"{BOUND}\nRequires-Dist: flex-integration-sdk[testing]; extra == 'test'"
    install(site, "bound", f"bound = {module}:Store", requires=requires, **{module: GOOD})
    monkeypatch.setattr("flex_tokenstore._version.__version__", installed)
    assert shown("bound", check=True).status == status
    if status == "ok":
        assert load_store_class("bound").__module__ == module
        return
    for reason in (shown("bound").reason, describe_store("bound").reason):
        assert f"it needs {BOUND}, but {installed} is installed" in reason
    with pytest.raises(StoreLoadError, match="'bound' of bound cannot be used: it needs") as caught:
        open_store("bound", IDENTITY)
    assert installed in str(caught.value)
    assert module not in sys.modules


def test_name_that_two_distributions_claim(
    site: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "first-plugin", f"both = {module}:Store", **{module: GOOD})
    install(site, "second-plugin", f"both = {module}:Store")
    infos = [info for info in list_stores(check=True) if info.name == "both"]
    assert [info.status for info in infos] == ["duplicate", "duplicate"]
    assert "second-plugin" in infos[0].reason
    with pytest.raises(StoreLoadError, match="first-plugin and of second-plugin"):
        load_store_class("both")
    assert module not in sys.modules
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", " Second_Plugin ,other")
    assert load_store_class("both").__module__ == module


def test_built_in_names_are_reserved(site: Path, module: str) -> None:
    install(site, "thief", f"file = {module}:Store", **{module: GOOD})
    (info,) = [info for info in list_stores(check=True) if info.distribution == "thief"]
    assert info.status == "reserved-name"
    assert load_store_class("file").__module__ == "flex_tokenstore.stores.file.store"
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("variable", "value", "blocked"),
    [
        ("FLEX_TOKENSTORE_BLOCK", "some_plugin", True),
        ("FLEX_TOKENSTORE_BLOCK", "", False),
        ("FLEX_TOKENSTORE_ALLOW", "other", True),
        ("FLEX_TOKENSTORE_ALLOW", "", True),
        ("FLEX_TOKENSTORE_ALLOW", "SOME.plugin", False),
        ("FLEX_TOKENSTORE_BLOCK", "some", True),
        ("FLEX_TOKENSTORE_BLOCK", " redis ,\n Some\r\n", True),
        ("FLEX_TOKENSTORE_BLOCK", "\ufeffsome", True),
        ("FLEX_TOKENSTORE_ALLOW", "some", False),
        ("FLEX_TOKENSTORE_ALLOW", " ", True),
    ],
)
def test_block_and_allow(
    site: Path,
    module: str,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    blocked: bool,
) -> None:
    install(site, "some-plugin", f"some = {module}:Store", **{module: GOOD})
    monkeypatch.setenv(variable, value)
    assert shown("some", check=True).status == ("blocked" if blocked else "ok")
    assert shown("memory").status == "ok"
    assert (module in sys.modules) is not blocked
    if blocked:
        with pytest.raises(StoreLoadError, match="blocked by FLEX_TOKENSTORE"):
            load_store_class("some")
        assert module not in sys.modules


@pytest.mark.sample(6)
@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("*", "no wildcards"),
        ("flex-tokenstore-*", "no wildcards"),
        ("some;other", "separate names by commas"),
        ("some other", "separate names by commas"),
        ("some\nother", "separate names by commas"),
        ("some:other", "separate names by commas"),
        ('"some"', "without quotes"),
        ("['some']", "separate names by commas"),
        ("some==1.0", "separate names by commas"),
    ],
)
@pytest.mark.parametrize("variable", ["FLEX_TOKENSTORE_BLOCK", "FLEX_TOKENSTORE_ALLOW"])
def test_a_list_that_cannot_be_read_is_an_error(
    site: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, hint: str
) -> None:
    """A rule that keeps nothing out must not look like one that does."""
    monkeypatch.setenv(variable, value)
    for attempt in (list_stores, lambda: load_store_class("file"), lambda: load_store_class("x")):
        with pytest.raises(StoreOptionsError, match=hint) as caught:
            attempt()
        assert variable in str(caught.value)


@pytest.mark.parametrize(
    "name", ["FLEX_TOKENSTORE_BLOK", "FLEX_TOKEN_STORE_BLOCK", "flex_tokenstore_allow"]
)
def test_a_misspelt_list_is_an_error(
    site: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "some")
    with pytest.raises(StoreOptionsError, match=rf"{name} is not known; did you mean FLEX_TOKENST"):
        load_store_class("file")


def test_a_name_that_matches_nothing_is_warned_about_once(
    site: Path, module: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("flex_tokenstore._config.env_text._warned", set())
    install(site, "some-plugin", f"some = {module}:Store", **{module: GOOD})
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", "some-plugin, some, som, memory")
    monkeypatch.setenv("FLEX_TOKENSTORE_ALLOW", "Flex_Integration.SDK,other")
    monkeypatch.setenv("FLEX_TOKENSTORE_LEVEL", "3")
    for _ in range(2):
        list_stores()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert any("'som' in FLEX_TOKENSTORE_BLOCK matches no installed" in text for text in said)
    assert any("'other' in FLEX_TOKENSTORE_ALLOW matches no installed" in text for text in said)
    assert any("FLEX_TOKENSTORE_LEVEL is not known" in text for text in said)


@pytest.mark.parametrize("value", ["file", "flex-integration-sdk"])
def test_a_built_in_store_can_be_blocked_but_need_not_be_allowed(
    site: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FLEX_TOKENSTORE_ALLOW", "")
    assert load_store_class("file").__name__ == "FileStore"
    monkeypatch.setenv("FLEX_TOKENSTORE_BLOCK", value)
    with pytest.raises(StoreLoadError, match="blocked"):
        load_store_class("file")
    assert shown("file").status == "blocked"


@pytest.mark.parametrize("allow", [None, "", "flex-integration-sdk", "other"])
def test_a_distribution_with_our_name_is_not_ours(
    site: Path, module: str, monkeypatch: pytest.MonkeyPatch, allow: str | None
) -> None:
    if allow is not None:
        monkeypatch.setenv("FLEX_TOKENSTORE_ALLOW", allow)
    points = f"other = {module}:Store\nmemory = {module}:Store"
    install(site, "Flex.Integration_SDK", points, **{module: GOOD})
    with pytest.raises(StoreLoadError, match=r"blocked|which has no such store"):
        load_store_class("other")
    assert load_store_class("memory").__module__ == "flex_tokenstore.stores.memory"
    assert module not in sys.modules
    planted = [info for info in list_stores(check=True) if info.status != "ok"]
    assert {info.name for info in planted} >= {"other", "memory"}
    assert all(info.origin == "plugin" for info in planted)
    assert module not in sys.modules


def test_the_built_in_stores_are_those_of_our_metadata() -> None:
    import importlib_metadata

    points = importlib_metadata.distribution(OURS).entry_points.select(group="flex_tokenstore")
    assert {point.name: point.value for point in points} == BUILT_IN


@pytest.mark.parametrize("metadata", ["Version: 1.0\n", "", b"\xff\xfe", "~"])
def test_what_a_damaged_installation_left_beside_a_good_plugin(
    site: Path, module: str, metadata: str | bytes
) -> None:
    """Without a name, or renamed by a pip that was interrupted."""
    install(site, "some-plugin", f"some = {module}:Store", **{module: GOOD})
    pip = metadata == "~"
    name = "~ome-plugin" if pip else "left-over"
    install(site, name, f"some = {module}:Store", metadata=None if pip else metadata)
    assert load_store_class("some").__name__ == "Store"
    assert describe_store("some").status == "ok"
    good, left = sorted(
        (info for info in list_stores(check=True) if info.name == "some"), key=lambda i: i.status
    )[::-1]
    assert (good.status, good.distribution) == ("ok", "some-plugin")
    assert left.status == "broken"
    assert str(site / f"{name.replace('-', '_')}-1.0.dist-info") in left.reason


@pytest.mark.parametrize(
    ("entry_points", "metadata", "name"),
    [
        ("x = no_colon", None, "x"),
        (b"[flex_tokenstore]\nno equals sign\n", None, "?"),
        (b"[flex_tokenstore]\nx = a:\xff\xfe\n", None, "?"),
        ("x = mod:Store", "Version: 1.0\n", "x"),
        ("x = mod:Store", "", "x"),
        ("x = mod:Store", b"\xff\xfe", "x"),
        ("x = mod:Store\nx = mod:Other", None, "x"),
    ],
)
def test_broken_metadata(
    site: Path, module: str, entry_points: str | bytes, metadata: str | bytes | None, name: str
) -> None:
    install(site, "good", f"good = {module}:Store", **{module: GOOD})
    install(site, "broken", entry_points, metadata=metadata)
    info = shown(name, check=True)
    assert info.status == "broken"
    assert info.reason
    assert shown("good", check=True).status == "ok"
    if name != "?":
        with pytest.raises(StoreLoadError, match="cannot be used"):
            load_store_class(name)


def test_shadowed_distribution_is_listed_once(
    site: Path, tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "twice", f"old = {module}:Store", **{module: GOOD})
    first = tmp_path / "first"
    install(first, "twice", f"new = {module}:Store")
    monkeypatch.syspath_prepend(str(first))
    assert [info.name for info in list_stores() if info.distribution == "twice"] == ["new"]
    for name in ("METADATA", "entry_points.txt"):  # an earlier version without any store
        (first / "twice-1.0.dist-info" / name).write_text("Name: twice\n" * (name == "METADATA"))
    assert [info.name for info in list_stores() if info.distribution == "twice"] == []


LISTING = (
    "import json, sys\n"
    "from flex_tokenstore import list_stores\n"
    "before = set(sys.modules)\n"
    "names = [i.name for i in list_stores()]\n"
    "print(json.dumps([names, sorted(m for m in sys.modules if m.startswith('planted'))]))\n"
)


def listed_by_child(folder: Path, *arguments: str, python_path: str) -> tuple[list[str], list[str]]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    names, modules = json.loads(done.stdout)
    return names, modules


def test_listing_imports_no_plugin(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(site, "planted", "planted = planted_module:Store", planted_module=GOOD)
    install(site, "exits", "exits = planted_exit:Store", planted_exit="raise SystemExit(3)")
    names, modules = listed_by_child(tmp_path, "-c", LISTING, python_path=str(site))
    assert {"planted", "exits", "memory", "file"} <= {*names}
    assert modules == []


@pytest.mark.each_value
@pytest.mark.parametrize("python_path", ["", ".", "{cwd}"])
@pytest.mark.parametrize("how", ["-c", "-m", "script"])
def test_working_folder_cannot_plant_a_store(tmp_path: Path, python_path: str, how: str) -> None:
    folder = tmp_path / "work"
    install(folder, "planted", "planted = planted_module:Store", planted_module=GOOD)
    (folder / "run_listing.py").write_text(LISTING)
    arguments = {"-c": ["-c", LISTING], "-m": ["-m", "run_listing"], "script": ["run_listing.py"]}
    python_path = python_path.format(cwd=folder)
    names, _ = listed_by_child(folder, *arguments[how], python_path=python_path)
    assert "planted" not in names
    assert "memory" in names


def test_relative_entry_of_sys_path_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    install(tmp_path / "sub", "planted", f"planted = {module}:Store", **{module: GOOD})
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("sub")
    assert "planted" not in [info.name for info in list_stores()]
    monkeypatch.syspath_prepend(str(tmp_path / "sub"))
    assert "planted" in [info.name for info in list_stores()]


def test_working_folder_may_be_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    code = f"import os; os.rmdir({str(folder)!r})\n{LISTING}"
    if os.name == "nt":
        pytest.skip("Windows does not remove the folder that a process stands in")
    assert "memory" in listed_by_child(folder, "-c", code, python_path="")[0]


def test_store_in_the_working_folder_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    install(tmp_path, "planted", f"planted = {module}:Store", **{module: GOOD})
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    with pytest.raises(UnknownStoreError, match="current directory"):
        load_store_class("planted")
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("memroy", "did you mean 'memory'"),
        ("zzz", "installed: .*file.*memory"),
        ("./token.json", "option 'path'"),
    ],
)
def test_unknown_name(name: str, words: str) -> None:
    with pytest.raises(UnknownStoreError, match=words) as caught:
        load_store_class(name)
    assert caught.value.store == name
    assert isinstance(caught.value, LookupError)


def test_hookimpl_is_the_marker_that_plugins_use() -> None:
    assert hookimpl.project_name == "flex_tokenstore"
