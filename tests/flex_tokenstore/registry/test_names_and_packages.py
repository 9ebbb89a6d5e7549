"""What a store may be called, and what is told of a name of ours that is not installed."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from flex_tokenstore import StoreLoadError, UnknownStoreError, describe_store, list_stores
from flex_tokenstore._registry import catalogue, packages
from flex_tokenstore._registry.catalogue import load_store_class
from flex_tokenstore.embedding import problem_of_store_name
from tests.support.plugins import GOOD, install

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = [
    tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))
]
OPTIONAL = {"keychain"}
"""Extras without which a store works."""


@pytest.mark.parametrize("name", ["a", "my-store", "vault-kv1", "a" * 40])
def test_a_good_name(name: str) -> None:
    assert problem_of_store_name(name) == ""


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("FILE", "reserved-name", "only in upper and lower case"),
        ("Memory", "reserved-name", "only in upper and lower case"),
        ("weird name", "broken", "'weird-name' would be valid"),
        ("Redis", "broken", "'redis' would be valid"),
        ("my_store", "broken", "'my-store' would be valid"),
        ("a.b", "broken", "'a-b' would be valid"),
        ("x" * 41, "broken", "at most 40"),
        ("größe", "broken", "lower-case letters"),
    ],
)
def test_a_plugin_with_another_name_is_not_used(
    site: Path, module: str, name: str, status: str, told: str
) -> None:
    install(site, "odd", f"{name} = {module}:Store".encode().join([b"[flex_tokenstore]\n", b"\n"]))
    (site / f"{module}.py").write_text(GOOD)
    (info,) = [info for info in list_stores(check=True) if info.distribution == "odd"]
    assert (info.name, info.status) == (name, status)
    assert told in info.reason
    assert told in describe_store(name).reason
    with pytest.raises(StoreLoadError, match=r"'odd'|of odd") as caught:
        load_store_class(name)
    assert told in str(caught.value)
    assert module not in sys.modules


def test_a_good_name_is_used_beside_one_that_differs_in_case(site: Path, module: str) -> None:
    install(site, "good", f"mine = {module}:Store", **{module: GOOD})
    install(site, "odd", f"Mine = {module}:Store")
    assert load_store_class("mine").__module__ == module
    assert describe_store("mine").status == "ok"


@pytest.fixture
def bare(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No plugin is installed."""
    monkeypatch.setattr(catalogue, "candidates", list)


@pytest.mark.parametrize(
    ("name", "meant", "folder"),
    [
        ("keyring", None, "./plugins/flex-tokenstore-keyring"),
        ("keyrings", "keyring", "./plugins/flex-tokenstore-keyring"),
        ("Keychain", "keyring", "./plugins/flex-tokenstore-keyring"),
        ("credential_manager", "keyring", "./plugins/flex-tokenstore-keyring"),
        ("gnome-keyring", "keyring", "./plugins/flex-tokenstore-keyring"),
        ("redis", None, "./plugins/flex-tokenstore-redis"),
        ("Redis", "redis", "./plugins/flex-tokenstore-redis"),
        ("reddis", "redis", "./plugins/flex-tokenstore-redis"),
        ("valkey", "redis", "./plugins/flex-tokenstore-redis"),
        ("encryption", "encrypted", "./plugins/flex-tokenstore-encrypted"),
        ("sql", None, "'./plugins/flex-tokenstore-sql[postgresql]' (or [mysql], or [sqlite])"),
        ("db", "sql", "'./plugins/flex-tokenstore-sql[postgresql]' (or [mysql], or [sqlite])"),
        ("postgres", "sql", "'./plugins/flex-tokenstore-sql[postgresql]'"),
        ("postgresql", "sql", "'./plugins/flex-tokenstore-sql[postgresql]'"),
        ("MariaDB", "sql", "'./plugins/flex-tokenstore-sql[mysql]'"),
        ("sqlite", "sql", "'./plugins/flex-tokenstore-sql[sqlite]'"),
        ("vault", None, "./plugins/flex-tokenstore-vault"),
        ("hashicorp_vault", "vault", "./plugins/flex-tokenstore-vault"),
        ("openbao", "vault", "./plugins/flex-tokenstore-vault"),
        ("vault_kv1", "vault-kv1", "./plugins/flex-tokenstore-vault"),
        ("valut", "vault", "./plugins/flex-tokenstore-vault"),
    ],
)
def test_a_store_of_ours_that_is_not_installed(
    bare: None, name: str, meant: str | None, folder: str
) -> None:
    for attempt in (load_store_class, describe_store):
        with pytest.raises(UnknownStoreError) as caught:
            attempt(name)
        told = str(caught.value)
        assert told.endswith(f": python -m pip install . {folder}")
        assert (f"did you mean {meant!r}?" in told) is (meant is not None)
        assert "did you mean" not in told or meant is not None


@pytest.mark.parametrize("name", ["redsi", "postgres", "OpenBao", "vault_kv1", "FILE"])
def test_one_that_is_installed_is_only_named(name: str) -> None:
    with pytest.raises(UnknownStoreError, match=r"did you mean '") as caught:
        load_store_class(name)
    assert "pip" not in str(caught.value)


@pytest.mark.parametrize("name", ["acme", "zzz", "dynamodb", "lockers", "mymemory"])
def test_no_other_name_is_told_to_be_installed(bare: None, name: str) -> None:
    with pytest.raises(UnknownStoreError) as caught:
        load_store_class(name)
    assert "pip" not in str(caught.value)


def test_the_table_is_that_of_our_plugins() -> None:
    shipped = {
        store: project["name"]
        for project in PLUGINS
        for store in project["entry-points"]["flex_tokenstore"]
    }
    assert shipped == {name: each.distribution for name, each in packages.PACKAGES.items()}
    extras = {each["name"]: {*each.get("optional-dependencies", ())} - OPTIONAL for each in PLUGINS}
    called = [other for package in packages.PACKAGES.values() for other in package.also]
    assert len({*called, *packages.PACKAGES}) == len(called) + len(packages.PACKAGES)
    for package in packages.PACKAGES.values():
        assert {*package.extras, *package.also.values()} - {""} <= extras[package.distribution]
        assert bool(package.extras) is bool(extras[package.distribution])
        assert (ROOT / "plugins" / package.distribution).is_dir()
