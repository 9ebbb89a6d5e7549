"""Each way to sign in, renewed before its lease ends, and had anew when it is refused."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from flex_tokenstore import Secret, TokenPermissionError, TokenUnavailableError
from tests.servers.openbao import OpenBao
from tests.servers.tls import Certificates
from tests.support.handles import Open, open_handle, opener, token
from vault_support import POLICY, POLICY_KV1, between, config


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(kind: str) -> Iterator[Open]:
    with opener(kind) as function:
        yield function


@pytest.fixture
def server(openbao_server: OpenBao) -> OpenBao:
    """With a policy for our path alone."""
    openbao_server.run("PUT", "sys/policies/acl/ours", {"policy": POLICY})
    openbao_server.run("PUT", "sys/policies/acl/ours-kv1", {"policy": POLICY_KV1})
    return openbao_server


def works(opened: Open, config: Any) -> None:
    """All that a store does."""
    store = opened(config)
    store.remove_token()
    assert store.get_token() is None
    store.set_token(token("a"))
    if config["name"] == "vault":
        with store.token_lock(0, 5):
            store.set_token(token("b"), token("a").revision)
    store.remove_token()


def issued(server: OpenBao, **settings: Any) -> str:
    made = server.run("POST", "auth/token/create", {"policies": ["ours"], **settings})
    return str(made["auth"]["client_token"])


def age_of(server: OpenBao, vault_token: str) -> Any:
    """What the server knows of a Vault token; None if it does not know it."""
    answer = server.ask("POST", "auth/token/lookup", {"token": vault_token})
    return answer.json()["data"] if answer.status_code == 200 else None


def accessors(server: OpenBao) -> set[str]:
    return set(server.names("auth/token/accessors"))


def test_the_policy_of_the_readme_is_enough(opened: Open, server: OpenBao) -> None:
    works(opened, config(server, token=issued(server, no_default_policy=True)))
    role = server.login_role(token_policies=["ours-kv1"])
    works(opened, config(server, mount="kv1", auth="approle", **role) | {"name": "vault-kv1"})


def test_a_token_from_the_environment(
    opened: Open, server: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ADDR", server.url + "/")
    monkeypatch.setenv("VAULT_TOKEN", issued(server))
    works(opened, {"name": "vault"})


def test_a_token_from_a_file_that_an_agent_replaces(
    opened: Open, server: OpenBao, tmp_path: Path
) -> None:
    sink = tmp_path / "sink"
    first = issued(server)
    sink.write_text(first + "\n")
    store = opened(config(server, token_file=str(sink)))
    store.set_token(token("a"))
    server.run("POST", "auth/token/revoke", {"token": first})
    with pytest.raises(TokenUnavailableError, match="replace the token in the file"):
        store.get_token()
    sink.write_text(issued(server))
    assert store.get_token() is not None
    sink.unlink()
    with pytest.raises(TokenUnavailableError, match="cannot be read"):
        opened(config(server, token_file=str(sink))).get_token()


@pytest.mark.sample(2)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_secret_id_from_a_file_that_is_replaced(
    opened: Open, server: OpenBao, tmp_path: Path, encoding: str
) -> None:
    role = server.login_role(token_policies=["ours"], token_type="batch")
    file = tmp_path / "secret_id"
    file.write_text("SENTINEL-old", encoding=encoding)
    options = {"auth": "approle", "role_id": role["role_id"], "secret_id_file": str(file)}
    store = opened(config(server, **options))
    with pytest.raises(TokenUnavailableError, match="secret_id"):
        store.get_token()
    file.write_text(role["secret_id"] + "\r\n", encoding=encoding)
    works(opened, config(server, **options))
    store.set_token(token("a"))
    assert store.get_token() is not None
    file.write_text("\n")
    with pytest.raises(TokenUnavailableError, match="is empty"):
        opened(config(server, **options)).get_token()
    file.unlink()
    with pytest.raises(TokenUnavailableError, match="secret_id cannot be read: No such file"):
        opened(config(server, **options)).get_token()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_token_file_with_a_byte_order_mark(
    opened: Open, server: OpenBao, tmp_path: Path, encoding: str
) -> None:
    sink = tmp_path / "sink"
    sink.write_text(issued(server) + "\r\n", encoding=encoding)
    works(opened, config(server, token_file=str(sink)))


def test_a_token_that_ended_is_told(opened: Open, server: OpenBao) -> None:
    vault_token = issued(server)
    store = opened(config(server, token=vault_token))
    store.set_token(token("a"))
    server.run("POST", "auth/token/revoke", {"token": vault_token})
    with pytest.raises(TokenUnavailableError) as caught:
        store.get_token()
    assert "may have expired or been revoked" in str(caught.value)
    assert vault_token not in str(caught.value)


def test_a_given_token_is_renewed(
    opened: Open, server: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flex_tokenstore_vault._signin.GIVEN", 0.0)
    vault_token = issued(server, ttl="1h")
    store = opened(config(server, token=vault_token))
    assert not age_of(server, vault_token).get("last_renewal_time")
    for _ in range(2):
        store.get_token()
    assert age_of(server, vault_token)["last_renewal_time"]
    for given in (issued(server, type="batch"), server.root_token):  # never renewable
        other = opened(config(server, token=given))
        for _ in range(3):
            other.get_token()


@pytest.mark.parametrize("mount", ["approle", "team/roles"])
def test_approle(opened: Open, server: OpenBao, mount: str) -> None:
    role = server.login_role(token_policies=["ours"])
    if mount != "approle":
        server.ask("DELETE", f"sys/auth/{mount}")
        server.run("POST", f"sys/auth/{mount}", {"type": "approle"})
        at = f"auth/{mount}/role/app"
        server.run(
            "POST",
            at,
            {
                "token_policies": ["ours"],
                "bind_secret_id": False,
                "secret_id_bound_cidrs": ["127.0.0.1/32"],
            },
        )
        role = {"role_id": server.run("GET", f"{at}/role-id")["data"]["role_id"]}
    works(opened, config(server, auth="approle", auth_mount=mount, **role))


def test_an_approle_token_that_was_revoked_is_had_anew(opened: Open, server: OpenBao) -> None:
    role = server.login_role(token_policies=["ours"])
    store = opened(config(server, auth="approle", **role))
    before = accessors(server)
    store.set_token(token("a"))
    (mine,) = accessors(server) - before
    server.run("POST", "auth/token/revoke-accessor", {"accessor": mine})
    assert store.get_token() is not None
    assert len(accessors(server) - before) == 1


@pytest.mark.slow
def test_an_approle_token_is_renewed_and_had_anew_near_its_longest_life(
    opened: Open, server: OpenBao
) -> None:
    """By its accessors: no request is ever refused, and each token serves for several renewals."""
    role = server.login_role(token_policies=["ours"], token_ttl="1s", token_max_ttl="3s")
    store = opened(config(server, auth="approle", **role))
    store.set_token(token("a"))
    known: set[str] = set()
    used = accessors(server)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        assert store.get_token() is not None
        known |= accessors(server) - used
        time.sleep(0.1)
    assert 1 <= len(known) <= 4


def test_an_expired_approle_token_is_had_anew(opened: Open, server: OpenBao) -> None:
    role = server.login_role(token_policies=["ours"], token_ttl="1s")
    store = opened(config(server, auth="approle", **role))
    store.set_token(token("a"))
    time.sleep(1.5)  # nothing else makes it end
    assert store.get_token() is not None


def test_a_sign_in_ahead_of_time_that_is_refused_costs_nothing_yet(
    opened: Open, server: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its secret_id serves once; the Vault token of a batch role is never renewed."""
    monkeypatch.setattr("flex_tokenstore_vault._signin.LATEST", 0.0)
    monkeypatch.setattr("flex_tokenstore_vault._signin.EARLIEST", 0.0)  # each call is due
    monkeypatch.setattr("flex_tokenstore_vault._signin.AGAIN", 0.0)
    role = server.login_role(
        token_policies=["ours"], token_type="batch", token_ttl="1h", secret_id_num_uses=1
    )
    store = opened(config(server, auth="approle", **role))
    store.set_token(token("a"))
    for _ in range(3):
        assert store.get_token() is not None
    with pytest.raises(TokenUnavailableError, match="expired or been used up"):
        opened(config(server, auth="approle", **role)).get_token()


def test_a_store_that_is_closed_leaves_no_vault_token(kind: str, server: OpenBao) -> None:
    role = server.login_role(token_policies=["ours"])
    before = accessors(server)
    store = open_handle(kind, config(server, auth="approle", **role))
    store.get_token()
    assert len(accessors(server) - before) == 1
    store.close()
    assert accessors(server) <= before
    given = issued(server)
    other = open_handle(kind, config(server, token=given))
    other.get_token()
    other.close()
    assert age_of(server, given), "one that was given is left alone"


@pytest.mark.parametrize("wrong", ["role_id", "secret_id"])
def test_a_refused_sign_in_is_told(opened: Open, server: OpenBao, wrong: str) -> None:
    role = server.login_role(token_policies=["ours"]) | {wrong: "SENTINEL"}
    with pytest.raises(TokenUnavailableError) as caught:
        opened(config(server, auth="approle", **role)).get_token()
    assert "sign-in at auth/approle was refused" in str(caught.value)
    assert "SENTINEL" not in str(caught.value)
    with pytest.raises(TokenUnavailableError, match=r"auth/nowhere .*auth_mount"):
        opened(config(server, auth="approle", auth_mount="nowhere", **role)).get_token()


def test_a_token_file_that_changes_is_read_at_once(
    opened: Open, server: OpenBao, tmp_path: Path
) -> None:
    """An agent replaces its sink before the old token expires."""
    sink = tmp_path / "sink"
    sink.write_text(issued(server))
    store = opened(config(server, token_file=str(sink)))
    store.set_token(token("a"))
    less = issued(server, policies=["default"])
    for content in ("", "half SENTINEL", None):  # while it is written: the old one still works
        sink.unlink() if content is None else sink.write_text(content)
        assert store.get_token() is not None
    sink.write_text(less)
    with pytest.raises(TokenPermissionError):
        store.get_token()
    sink.write_text(issued(server))
    assert store.get_token() is not None


def test_userpass(opened: Open, server: OpenBao, tmp_path: Path) -> None:
    server.ask("POST", "sys/auth/userpass", {"type": "userpass"})
    user = {"password": "first SENTINEL", "token_policies": ["ours"], "token_type": "batch"}
    server.run("POST", "auth/userpass/users/a.b", user)
    given = {"auth": "userpass", "username": "a.b"}
    works(opened, config(server, password="first SENTINEL", **given))
    file = tmp_path / "password"
    file.write_text("second SENTINEL\n")
    store = opened(config(server, password_file=str(file), **given))
    with pytest.raises(TokenUnavailableError, match="check auth_mount, username and") as caught:
        store.get_token()
    assert "SENTINEL" not in str(caught.value)
    server.run("POST", "auth/userpass/users/a.b", {**user, "password": "second SENTINEL"})
    assert store.get_token() is None  # the file is read at each sign-in
    file.write_text("\n")
    with pytest.raises(TokenUnavailableError, match="is empty: it must contain the password"):
        opened(config(server, password_file=str(file), **given)).get_token()


def test_an_agent_that_signs_in_for_us(opened: Open, server: OpenBao) -> None:
    with between(server, lambda *_: None, agent=True) as address:
        works(opened, config(server, auth="none") | {"address": address})


def wrapped(server: OpenBao) -> dict[str, Any]:
    """Options with a secret_id that can be unwrapped once."""
    role = server.login_role(token_policies=["ours"], token_type="batch")
    headers = {"X-Vault-Token": server.root_token, "X-Vault-Wrap-TTL": "60s"}
    with httpx2.Client(verify=False, trust_env=False) as client:
        url = f"{server.url}/v1/auth/approle/role/app/secret-id"
        wrapping = client.post(url, headers=headers).json()["wrap_info"]["token"]
    return {**role, "secret_id": wrapping, "secret_id_wrapped": True, "auth": "approle"}


def test_a_wrapped_secret_id_is_unwrapped_once_for_all_handles(
    opened: Open, server: OpenBao, tmp_path: Path
) -> None:
    options = wrapped(server)
    for _ in range(2):
        works(opened, config(server, **options))
    file = tmp_path / "secret_id"
    file.write_text(options.pop("secret_id"))
    store = opened(config(server, **options, secret_id_file=str(file)))
    assert store.get_token() is None
    new = wrapped(server)
    file.write_text(new.pop("secret_id"))
    works(opened, config(server, **new, secret_id_file=str(file)))


def test_threads_unwrap_a_secret_id_once(server: OpenBao) -> None:
    with opener("sync") as within:
        stores = [within(config(server, **(options := wrapped(server)))) for _ in "x"]
        stores += [within(config(server, **options)) for _ in range(3)]
        with ThreadPoolExecutor() as pool:
            assert list(pool.map(lambda store: store.get_token(), stores)) == [None] * 4


def test_a_wrapping_token_that_somebody_used(opened: Open, server: OpenBao) -> None:
    options = wrapped(server)
    server.run("POST", "sys/wrapping/unwrap", token=options["secret_id"])
    with pytest.raises(TokenUnavailableError, match="somebody else may have") as caught:
        opened(config(server, **options)).get_token()
    assert options["secret_id"] not in str(caught.value)


@pytest.mark.slow
def test_a_projected_service_account_token(
    opened: Open, server: OpenBao, tmp_path: Path, certificates: Certificates
) -> None:
    """The kubernetes method asks a Kubernetes API; the jwt method takes the same request."""
    command = ["openssl", "rsa", "-in", str(certificates.key), "-pubout"]
    public = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    server.ask("DELETE", "sys/auth/k8s")
    server.run("POST", "sys/auth/k8s", {"type": "jwt"})
    server.run("POST", "auth/k8s/config", {"jwt_validation_pubkeys": [public]})
    server.run(
        "POST",
        "auth/k8s/role/app",
        {
            "role_type": "jwt",
            "bound_audiences": ["vault"],
            "user_claim": "sub",
            "token_policies": ["ours"],
            "token_ttl": "1s",
            "token_max_ttl": "1s",
        },
    )
    projected = tmp_path / "token"
    projected.write_text(signed(certificates.key, "vault") + "\n")
    choice = config(
        server, auth="kubernetes", auth_mount="k8s", role="app", jwt_file=str(projected)
    )
    store = opened(choice)
    store.set_token(token("a"))
    projected.write_text(signed(certificates.key, "others"))
    time.sleep(1.5)  # its Vault token has ended: the file is read again
    with pytest.raises(TokenUnavailableError) as caught:
        store.get_token()
    assert "sign-in at auth/k8s was refused" in str(caught.value)
    projected.write_text(signed(certificates.key, "vault"))
    assert store.get_token() is not None
    works(opened, choice)


def signed(key: Path, audience: str) -> str:
    """A JWT, signed with RS256."""
    import base64
    import json

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    claims = {
        "sub": "system:serviceaccount:default:app",
        "aud": audience,
        "iss": "kubernetes",
        "iat": int(time.time()),
        "nbf": int(time.time()) - 5,
        "exp": int(time.time()) + 600,
    }
    head = {"alg": "RS256", "typ": "JWT"}
    text = b".".join(part(json.dumps(piece).encode()) for piece in (head, claims))
    command = ["openssl", "dgst", "-sha256", "-sign", str(key)]
    signature = subprocess.run(command, input=text, capture_output=True, check=True).stdout
    return (text + b"." + part(signature)).decode()


def test_a_namespace(opened: Open, server: OpenBao) -> None:
    server.ask("POST", "sys/namespaces/team")
    server.ask("DELETE", "team/sys/mounts/kv")
    with pytest.raises(TokenUnavailableError, match="no namespace 'nowhere'"):
        opened(config(server, namespace="nowhere")).get_token()
    store = opened(config(server, namespace="team", mount="kv"))
    with pytest.raises(TokenUnavailableError, match="no secrets engine is mounted at kv/"):
        store.get_token()
    server.ask("POST", "team/sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
    store.set_token(token("a"))
    assert "(namespace team)" in store.place
    assert server.names("team/kv/metadata/flex-tokenstore")


def test_secrets_in_options_do_not_print() -> None:
    from flex_tokenstore_vault import Options

    options = Options(auth="approle", role_id="r", secret_id=Secret("SENTINEL"))
    assert "SENTINEL" not in repr(options)
