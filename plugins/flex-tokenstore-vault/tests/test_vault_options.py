"""The options, and what comes from the variables that Vault's own programs read."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore import Secret, StoreOptionsError, open_store
from flex_tokenstore.records import RemoteOptions
from flex_tokenstore_vault import Options
from tests.servers.tls import Certificates
from tests.support.handles import IDENTITY
from vault_support import POLICY, POLICY_KV1


@pytest.mark.sample(20)
@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"address": "vault.example.com:8200"}, "address"),
        ({"address": "redis://vault.example.com"}, "address"),
        ({"address": "https://user:SENTINEL@vault.example.com"}, "address"),
        ({"address": "https://user:12/SENTINEL@vault.example.com"}, "address"),
        ({"address": "https://user:12?SENTINEL@vault.example.com"}, "address"),
        ({"address": "https://vault.example.com:port"}, "address"),
        ({"address": "https://vault.example.com?x=1"}, "address"),
        ({"address": "https://"}, "address"),
        ({"address": "https://a b"}, "address"),
        ({"namespace": "ü"}, "namespace"),
        ({"namespace": "a\nb"}, "namespace"),
        ({"mount": ""}, "mount"),
        ({"mount": "a/../b"}, "mount"),
        ({"prefix": "a//b"}, "prefix"),
        ({"prefix": "a*"}, "prefix"),
        ({"timeout": 0}, "timeout"),
        ({"connect_timeout": -1}, "connect_timeout"),
        ({"timeout": "inf"}, "timeout"),
        ({"auth": "ldap"}, "auth"),
        ({"auth": "approle"}, "role_id"),
        ({"auth": "approle", "role_id": "r", "token": "SENTINEL"}, "token"),
        ({"auth": "kubernetes"}, "role"),
        ({"auth": "kubernetes", "role": "r", "secret_id": "SENTINEL"}, "secret_id"),
        ({"token": "SENTINEL with spaces"}, "token"),
        ({"token": "SENTINEL\n"}, "token"),
        ({"token": ""}, "token"),
        ({"token": "SENTINEL", "token_file": "x"}, "token_file"),
        ({"token": "SENTINEL", "ca_file": "/nowhere.pem"}, "ca_file"),
        ({"token": "SENTINEL", "ca_file": __file__, "address": "http://a"}, "ca_file"),
        ({"role_id": "r"}, "role_id"),
        (
            {"auth": "approle", "role_id": "r", "secret_id": "SENTINEL", "secret_id_file": "x"},
            "secret_id_file",
        ),
        ({"token": "SENTINEL", "secret_id_file": "x"}, "secret_id_file"),
        ({"adress": "https://a"}, "adress"),
        ({"token": "SENTINEL", "password": "SENTINEL"}, "password"),
        ({"token": "SENTINEL", "secret_id_wrapped": True}, "secret_id_wrapped"),
        ({"auth": "approle", "role_id": "r", "secret_id_wrapped": True}, "secret_id_wrapped"),
        ({"auth": "userpass", "password": "SENTINEL"}, "username"),
        ({"auth": "userpass", "username": "SENTINEL"}, "password"),
        ({"auth": "cert"}, "cert_file"),
        ({"auth": "none", "token": "SENTINEL"}, "token"),
        ({"token": "SENTINEL", "key_file": __file__}, "key_file"),
        ({"token": "SENTINEL", "cert_file": __file__}, "cert_file"),
    ],
)
@pytest.mark.parametrize("name", ["vault", "vault-kv1"])
def test_what_is_wrong_is_said_when_it_is_opened(
    name: str, given: dict[str, Any], option: str
) -> None:
    with pytest.raises(StoreOptionsError) as caught:
        open_store({"name": name, **given}, IDENTITY)
    assert caught.value.option == option
    assert "SENTINEL" not in str(caught.value)


def test_no_way_to_sign_in_is_told_when_it_is_opened() -> None:
    with pytest.raises(StoreOptionsError, match="set it, VAULT_TOKEN or token_file"):
        open_store("vault", IDENTITY)


def test_variables_of_vault_fill_in_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    ca_file, key_file = certificates
    monkeypatch.setenv("VAULT_ADDR", "https://vault.example.com:8200/")
    monkeypatch.setenv("VAULT_TOKEN", "from-environment")
    monkeypatch.setenv("VAULT_NAMESPACE", "team")
    monkeypatch.setenv("VAULT_CACERT", str(ca_file))
    monkeypatch.setenv("VAULT_CLIENT_CERT", str(ca_file))
    monkeypatch.setenv("VAULT_CLIENT_KEY", str(key_file))
    options = Options()
    assert options.address == "https://vault.example.com:8200"
    assert options.token == Secret("from-environment")
    assert options.namespace == "team"
    assert (options.ca_file, options.cert_file) == (str(ca_file), str(ca_file))
    assert options.key_file == str(key_file)
    monkeypatch.setenv("BAO_TOKEN", "of-openbao")
    assert Options().token == Secret("of-openbao")
    chosen = Options(address="http://localhost:1", token=Secret("mine"), namespace="other")
    assert chosen.address == "http://localhost:1"
    assert chosen.token == Secret("mine")
    assert chosen.namespace == "other"
    assert (chosen.ca_file, chosen.cert_file, chosen.key_file) == (None, None, None)
    assert Options(auth="approle", role_id="r").token is None


def test_a_variable_is_named_if_its_file_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAO_CLIENT_CERT", "/nowhere.pem")
    with pytest.raises(StoreOptionsError, match="set by the variable BAO_CLIENT_CERT") as caught:
        Options(token=Secret("x"))
    assert caught.value.option == "cert_file"


def test_the_file_that_vault_login_writes_is_the_last_resort(tmp_path: Path) -> None:
    (tmp_path / ".vault-token").write_text("x")  # HOME
    options = Options()
    assert options.token is None
    assert options.token_file == str(tmp_path / ".vault-token")


def test_place_and_lock_id_hold_no_secret_and_need_no_server() -> None:
    with open_store(
        {"name": "vault", "address": "https://v.example.com:8200", "token": "SENTINEL"}, IDENTITY
    ) as store:
        assert store.place == (f"https://v.example.com:8200 secret/flex-tokenstore/{IDENTITY.key}")
        assert store.lock_key == f"vault:{store.place}"


def test_the_readme_tells_of_every_option_and_of_the_policy_that_is_tested() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    for option in {each.name for each in fields(Options)} - {
        each.name
        for each in fields(RemoteOptions)  # they have one table for all stores
    }:
        assert f"`{option}`" in readme
    for line in POLICY.strip().splitlines():
        assert line in readme
    assert POLICY_KV1.strip().replace("kv1/", "kv/") in readme
