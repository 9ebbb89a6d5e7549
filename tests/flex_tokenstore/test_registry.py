"""The registry, above all with plugins that are broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flex_tokenstore import StoreLoadError, UnknownStoreError, list_stores, open_store

from .fakes import IDENTITY

GOOD = """
from flex_tokenstore import hookimpl
TOKENS = {}
class Store:
    '''Keeps tokens in a dict.'''
    def __init__(self, options, identity):
        self.key = identity.key
    @hookimpl
    def get_token(self):
        return TOKENS.get(self.key)
    @hookimpl
    def set_token(self, token):
        TOKENS[self.key] = token
    @hookimpl
    def remove_token(self):
        TOKENS.pop(self.key, None)
"""

BROKEN = {
    "raises": ("raise RuntimeError('SENTINEL')", "broken", "RuntimeError"),
    "exits": ("import sys; sys.exit(3)", "broken", "SystemExit"),
    "driverless": ("import no_such_driver", "missing-dependency", "no_such_driver"),
    "unparsable": ("class (", "broken", "SyntaxError"),
    "attributeless": ("Shop = 1", "broken", "AttributeError"),
    "classless": ("Store = 1", "broken", "not a class"),
    "hookless": (GOOD.replace("remove_token", "other"), "broken", "remove_token"),
    "misnamed": (GOOD.replace("set_token(self, token)", "set_token(self, tok)"), "broken", "tok"),
}


def install(
    site: Path, name: str, source: str, *, store: str | None = None, requires: str = ""
) -> None:
    module = f"plugin_{name}"
    (site / f"{module}.py").write_text(source)
    info = site / f"flex_tokenstore_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: flex-tokenstore-{name}\nVersion: 1.0\nSummary: A {name}\n"
        + (f"Requires-Dist: {requires}\n" if requires else "")
    )
    (info / "entry_points.txt").write_text(f"[flex_tokenstore]\n{store or name} = {module}:Store\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def found(name: str, *, check: bool = False) -> tuple[str, str]:
    (info,) = [info for info in list_stores(check=check) if info.name == name]
    return info.status, info.reason


def test_a_plugin_is_listed_opened_and_used(site: Path) -> None:
    install(site, "good", GOOD)
    assert found("good") == ("ok", "")
    (info,) = [info for info in list_stores(check=True) if info.name == "good"]
    assert (info.distribution, info.version, info.summary) == (
        "flex-tokenstore-good", "1.0", "A good",
    )  # fmt: skip
    assert (info.compare_and_set, info.lock, info.native_async) == (False, False, False)
    assert info.doc == "Keeps tokens in a dict."
    with open_store("good", IDENTITY) as store:
        assert store.get_token() is None


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_that_plugins_problem(site: Path, name: str) -> None:
    source, status, reason = BROKEN[name]
    install(site, name, source)
    install(site, f"beside{name}", GOOD)
    assert found(name)[0] == "ok", "listing imports nothing"
    assert found(name, check=True)[0] == status
    assert reason in found(name, check=True)[1]
    assert found(f"beside{name}", check=True) == ("ok", "")
    for _ in range(2):
        with pytest.raises(StoreLoadError, match=name):
            open_store(name, IDENTITY)


def test_one_that_needs_a_newer_version_of_us(site: Path) -> None:
    install(site, "newer", GOOD, requires="flex-integration-sdk>=99")
    assert found("newer")[0] == "incompatible"
    with pytest.raises(StoreLoadError, match=">=99"):
        open_store("newer", IDENTITY)


def test_a_name_claimed_twice(site: Path) -> None:
    install(site, "first", GOOD, store="twice")
    install(site, "second", GOOD, store="twice")
    statuses = {info.status for info in list_stores() if info.name == "twice"}
    assert statuses == {"duplicate"}
    with pytest.raises(StoreLoadError, match=r"flex-tokenstore-first.*flex-tokenstore-second"):
        open_store("twice", IDENTITY)


def test_built_in_names_are_reserved(site: Path) -> None:
    install(site, "thief", "raise RuntimeError", store="file")
    statuses = {info.distribution: info.status for info in list_stores() if info.name == "file"}
    assert statuses == {"flex-integration-sdk": "ok", "flex-tokenstore-thief": "reserved-name"}
    assert open_store("file", IDENTITY).abilities.compare_and_set


def test_broken_metadata(site: Path) -> None:
    install(site, "good2", GOOD)
    install(site, "nameless", GOOD)
    (site / "flex_tokenstore_nameless-1.0.dist-info" / "METADATA").write_bytes(b"\xff\xfe")
    install(site, "shapeless", GOOD)
    (site / "flex_tokenstore_shapeless-1.0.dist-info" / "entry_points.txt").write_text(
        "[flex_tokenstore]\nshapeless = nothing\n"
    )
    assert found("good2") == ("ok", "")
    assert found("shapeless")[0] == "broken"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("FLEX_TOKENSTORE_BLOCK", "Flex_Tokenstore.Kept"), ("FLEX_TOKENSTORE_ALLOW", "other")],
)
def test_a_blocked_plugin_is_never_imported(
    site: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    install(site, "kept", "import os; os.abort()")
    monkeypatch.setenv(variable, value)
    assert found("kept", check=True)[0] == "blocked"
    with pytest.raises(StoreLoadError, match="blocked"):
        open_store("kept", IDENTITY)
    assert found("memory", check=True)[0] == "ok"


def test_the_working_folder_cannot_plant_a_store(tmp_path: Path) -> None:
    install(tmp_path, "planted", GOOD)
    program = "from flex_tokenstore import list_stores; print([i.name for i in list_stores()])"
    for arguments in (["-c", program], ["-m", "timeit", "-n1", "-r1", program]):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert "file" in done.stdout
        assert "planted" not in done.stdout


def test_listing_imports_no_plugin(site: Path) -> None:
    install(site, "deadly", "import os; os.abort()")
    assert found("deadly") == ("ok", "")


def test_an_unknown_name_says_which_exist() -> None:
    with pytest.raises(UnknownStoreError, match=r"did you mean 'memory'.*file"):
        open_store("memroy", IDENTITY)
