"""Each row of the table of problems, shown by the server that has it: its own cause and remedy."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from flex_tokenstore import Token, TokenPermissionError, TokenUnavailableError
from flex_tokenstore.records import Kind
from flex_tokenstore_vault._problems import PROBLEMS
from tests.servers import free_port
from tests.servers.openbao import OpenBao
from tests.servers.tls import Certificates
from tests.support.handles import Handle, Open, opener, token
from vault_support import DATA, POLICY, answering, between, config

NAMES = {name: kind for kind, texts in PROBLEMS.items() for name in texts}


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flex_tokenstore.records._where.PAUSES", (0.001,) * 4)


def is_problem(error: TokenUnavailableError, name: str) -> bool:
    """The error has the text of that row, and is of its kind."""
    parts = re.split(r"\{.+?\}", PROBLEMS[NAMES[name]][name])
    assert re.search(".+".join(map(re.escape, parts)), str(error)), str(error)
    lasts = NAMES[name] in (Kind.DENIED, Kind.WRONG_SERVER)
    return isinstance(error, TokenPermissionError) is lasts


def read(store: Handle) -> None:
    store.get_token()


def refused(opened: Open, choice: Any, name: str, deed: Callable[[Handle], None] = read) -> None:
    store = opened(choice)
    with pytest.raises(TokenUnavailableError) as caught:
        deed(store)
    assert is_problem(caught.value, name)
    assert store.place in str(caught.value)
    assert "SENTINEL" not in str(caught.value)


def wrong_token(server: OpenBao) -> Any:
    return config(server, token="SENTINEL")


def wrong_namespace(server: OpenBao) -> Any:
    return config(server, namespace="nowhere")


def no_method(server: OpenBao) -> Any:
    return config(server, auth="userpass", username="x", password="SENTINEL", auth_mount="nowhere")


def no_file(server: OpenBao) -> Any:
    return config(server, token_file="/nowhere")


def no_token(server: OpenBao) -> Any:
    return config(server, auth="none")


def at(mount: str, name: str = "vault") -> Callable[[OpenBao], Any]:
    return lambda server: config(server, mount=mount) | {"name": name}


def wrapping(server: OpenBao) -> Any:
    role = server.login_role() | {"secret_id": "SENTINEL"}
    return config(server, auth="approle", secret_id_wrapped=True, **role)


REAL: dict[str, list[Callable[[OpenBao], Any]]] = {
    "token": [wrong_token, no_token],
    "namespace": [wrong_namespace],
    "no mount": [at("nowhere")],
    "other mount": [at("secret", "vault-kv1")],
    "not kv": [at("cubbyhole")],
    "other version": [at("kv1")],
    "sign-in": [no_method],
    "file": [no_file],
    "wrapped": [wrapping],
}


@pytest.mark.sample(12)
@pytest.mark.parametrize(
    ("name", "choice"),
    [(name, choice) for name, choices in REAL.items() for choice in choices],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_real_server_refuses(
    opened: Open, openbao_server: OpenBao, name: str, choice: Callable[[OpenBao], Any]
) -> None:
    refused(opened, choice(openbao_server), name)


def less(server: OpenBao, policy: str) -> str:
    """A Vault token with this policy, which may be changed under it."""
    server.run("PUT", "sys/policies/acl/less", {"policy": policy})
    made = server.run("POST", "auth/token/create", {"policies": ["less"]})
    return str(made["auth"]["client_token"])


def test_a_right_that_is_lost_while_a_program_runs(opened: Open, openbao_server: OpenBao) -> None:
    store = opened(config(openbao_server, token=less(openbao_server, POLICY)))
    store.set_token(token("a"))
    less(openbao_server, 'path "x" {}')
    for deed in (read, lambda store: store.set_token(token("b"), token("a").revision)):
        with pytest.raises(TokenPermissionError) as caught:
            deed(store)
        assert is_problem(caught.value, "denied")
        assert POLICY.splitlines()[1] in str(caught.value)
    with pytest.raises(TokenPermissionError) as caught:
        store.prepare_save(token("a").revision)
    assert is_problem(caught.value, "no save")
    less(openbao_server, POLICY)
    assert store.get_token() is not None


@pytest.fixture
def quota(openbao_server: OpenBao) -> Iterator[Callable[[str], None]]:
    """Sets one request in this interval for the mount; no more after the test."""

    def limit(interval: str) -> None:
        openbao_server.run(
            "POST", "sys/quotas/config", {"enable_rate_limit_response_headers": True}
        )
        body = {"path": "secret/", "rate": 1, "interval": interval}
        openbao_server.run("POST", "sys/quotas/rate-limit/ours", body)

    yield limit
    openbao_server.run("DELETE", "sys/quotas/rate-limit/ours")


def test_a_rate_limit_that_lasts(
    opened: Open, openbao_server: OpenBao, quota: Callable[[str], None]
) -> None:
    store = opened(config(openbao_server))
    store.get_token()
    quota("1h")
    store.get_token()  # the only one
    with pytest.raises(TokenUnavailableError) as caught:
        store.get_token()
    assert is_problem(caught.value, "quota")


def test_a_rate_limit_is_waited_for_as_long_as_the_server_says(
    openbao_server: OpenBao, quota: Callable[[str], None]
) -> None:
    with opener("sync") as within:
        store = within(config(openbao_server))
        store.get_token()
        quota("1s")
        for _ in range(2):
            assert store.get_token() is None


@pytest.mark.slow  # sends 40 MB
def test_a_token_that_is_too_large(opened: Open, openbao_server: OpenBao) -> None:
    data = {**token("a").to_dict(), "more": "x" * 40_000_000}
    choice = config(openbao_server, timeout=60)
    refused(opened, choice, "too large", lambda store: store.set_token(Token(data)))


def error(status: int, words: str, **headers: str) -> Callable[[], Any]:
    return lambda: answering(status, json.dumps({"errors": [words]}).encode(), **headers)


@contextmanager
def _named(address: str) -> Iterator[str]:
    yield address


@contextmanager
def nobody() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


@contextmanager
def silence() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def nobody_takes_calls() -> Iterator[str]:
    """A full queue of connections: no further one is made."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


PAGE = b"<html>SENTINEL</html>"
ELSEWHERE = {"Location": "https://127.0.0.1:1/v1/secret"}
FAKE: dict[str, list[Callable[[], Any]]] = {
    "behind": [error(412, "required index state not present")],
    "trouble": [error(status, "SENTINEL") for status in (500, 502, 503, 504)],
    "page for now": [lambda: answering(502, PAGE), lambda: answering(503, PAGE)],
    "page": [lambda: answering(200, PAGE), lambda: answering(404, PAGE)],
    "standby": [
        lambda: answering(307, b"", **ELSEWHERE),
        lambda: answering(302, PAGE, **ELSEWHERE),
    ],
    "new": [error(501, "SENTINEL")],
    "request": [error(405, "SENTINEL")],
    "refused": [error(418, "SENTINEL"), error(400, "SENTINEL")],
    "no token": [error(400, "missing client token")],
    "sealed": [error(503, "Vault is sealed")],
    "quota": [error(429, "SENTINEL", **{"Retry-After": "9" * 400})],
    "not versioned": [lambda: answering(200, b'{"data": {"x": 1}}')],
    "unreachable": [nobody, lambda: _named("http://nowhere.invalid")],
    "silent": [silence],
    "connect": [nobody_takes_calls],
}


@pytest.mark.sample(18)
@pytest.mark.parametrize(
    ("name", "server"),
    [(name, server) for name, servers in FAKE.items() for server in servers],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_another_server_does(opened: Open, name: str, server: Callable[[], Any]) -> None:
    with server() as address:
        choice = {"name": "vault", "address": address, "token": "SENTINEL"}
        choice |= {"timeout": 0.3, "connect_timeout": 0.3} if name in ("silent", "connect") else {}
        refused(opened, choice, name)


def test_no_auth_method_at_the_mount_as_a_404(opened: Open) -> None:
    with answering(404, b'{"errors": []}') as address:
        choice = {"name": "vault", "address": address, "auth": "approle", "role_id": "SENTINEL"}
        refused(opened, choice, "no method")


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks4://127.0.0.1:9", "http://a:port"])
def test_a_proxy_of_the_environment(
    opened: Open, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    choice = {"name": "vault", "address": "http://v.example.com", "token": "SENTINEL"}
    refused(opened, choice, "unreachable" if proxy.endswith(":9") and "http" in proxy else "proxy")


def test_system_certificates_that_cannot_be_read(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = {"name": "vault", "address": "https://v.example.com", "token": "SENTINEL"}
    for path in ("/nowhere.pem", __file__):
        monkeypatch.setenv("SSL_CERT_FILE", path)
        refused(opened, choice, "system ca")


def test_a_connection_that_breaks(opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def hang_up() -> None:
            for _ in range(2):  # the second try, on another connection
                listener.accept()[0].close()

        thread = Thread(target=hang_up)
        thread.start()
        refused(opened, {"name": "vault", "address": address, "token": "SENTINEL"}, "broken")
        thread.join()


def test_a_copy_that_is_not_there(opened: Open, openbao_server: OpenBao) -> None:
    openbao_server.run("POST", DATA, {"data": {"token": "SENTINEL"}})

    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        return (404, b'{"errors": []}') if method == "GET" and "/corrupt-" in path else None

    with between(openbao_server, tamper) as address:
        choice = config(openbao_server) | {"address": address}
        refused(opened, choice, "copy", lambda store: store.set_token(token("a")))


@pytest.mark.slow
def test_tls_of_another_ca(opened: Open, tls_openbao: OpenBao, other_certificates: Any) -> None:
    for given in ({}, {"ca_file": str(other_certificates.certificate)}):
        with pytest.raises(TokenUnavailableError, match=r"TLS failed.*set ca_file"):
            opened(config(tls_openbao, **given)).get_token()


@pytest.mark.slow
def test_a_client_certificate(
    opened: Open, mutual_openbao: OpenBao, certificates: Certificates, other_certificates: Any
) -> None:
    server = mutual_openbao
    trusted = config(server, ca_file=str(certificates.certificate))
    other = {
        "cert_file": str(other_certificates.certificate),
        "key_file": str(other_certificates.key),
    }
    for choice in (trusted, trusted | other):
        with pytest.raises(TokenUnavailableError, match=r"demands a client certificate.*cert_file"):
            opened(choice).get_token()
    mine = {"cert_file": str(certificates.certificate), "key_file": str(certificates.key)}
    store = opened(trusted | mine)
    store.set_token(token("a"))
    assert store.get_token() is not None


@pytest.mark.slow
def test_a_client_certificate_signs_in(
    opened: Open, mutual_openbao: OpenBao, certificates: Certificates
) -> None:
    server = mutual_openbao
    mine = {name: str(certificates.certificate) for name in ("ca_file", "cert_file")}
    mine["key_file"] = str(certificates.key)
    choice = config(server, auth="cert", **mine)
    server.ask("POST", "sys/auth/cert", {"type": "cert"})
    server.ask("DELETE", "auth/cert/certs/ours")
    refused(opened, choice, "sign-in")
    server.run("PUT", "sys/policies/acl/ours", {"policy": POLICY})
    body = {"certificate": certificates.certificate.read_text(), "token_policies": ["ours"]}
    server.run("POST", "auth/cert/certs/ours", body)
    for role in ({}, {"role": "ours"}):
        store = opened(choice | role)
        store.set_token(token("a"))
        assert store.get_token() is not None
        store.remove_token()
    refused(opened, choice | {"role": "others"}, "sign-in")


def test_every_row_is_shown() -> None:
    text = Path(__file__).read_text()
    named = {
        *REAL,
        *FAKE,
        *(name for name in NAMES if f'"{name}")' in text or f'"{name}",' in text),
    }
    assert named == {*NAMES}
