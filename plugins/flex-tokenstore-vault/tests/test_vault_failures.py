"""Each way in which the server may fail, and what is said then."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from flex_tokenstore import TokenConflictError, TokenUnavailableError, open_async_store
from tests.servers import free_port
from tests.servers.openbao import OpenBao
from tests.servers.tls import Certificates
from tests.support.handles import IDENTITY, Open, opener, token
from vault_support import POLICY, answering, config, fields


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server refuses for now is asked for again, but without pauses."""
    monkeypatch.setattr("flex_tokenstore.records._where.PAUSES", (0.001,) * 4)


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def fails(action: Callable[[], object], *words: str) -> TokenUnavailableError:
    """It raises, in the words given, and shows no secret anywhere in the traceback."""
    with pytest.raises(TokenUnavailableError) as caught:
        action()
    error = caught.value
    assert error.store == "vault"
    assert error.place is not None
    assert error.place in str(error)
    for word in words:
        assert word in str(error)
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(shown.format())
    assert "SENTINEL" not in text, text
    while cause := error.__cause__ or error.__context__:
        assert not isinstance(cause, httpx2.HTTPError), "the client's frames hold tokens"
        error = cause  # type: ignore[assignment]  # any exception
    return caught.value


def all_fail(opened: Open, config: Any, *words: str) -> None:
    """Whatever is asked of the store."""
    store = opened(config)
    fails(store.get_token, *words)
    fails(lambda: store.set_token(token("a")), *words)
    fails(lambda: store.set_token(token("a"), token("b").revision), *words)
    fails(store.remove_token, *words)
    fails(lambda: store.token_lock(0, 5).__enter__(), *words)


def test_nobody_listens(opened: Open) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    choice = {"name": "vault", "address": address, "token": "SENTINEL"}
    all_fail(opened, choice, address, "cannot be reached", "check the option address")
    role = {"auth": "approle", "role_id": "SENTINEL", "secret_id": "SENTINEL"}
    choice = {"name": "vault", "address": address, **role}
    all_fail(opened, choice, "cannot be reached")


def test_a_name_that_is_not_known(opened: Open) -> None:
    choice = {"name": "vault", "address": "http://nowhere.invalid", "token": "SENTINEL"}
    all_fail(opened, choice, "cannot be reached")


def test_a_server_that_hangs_is_given_up_in_time(opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        choice = {"name": "vault", "address": address, "token": "SENTINEL", "timeout": 0.2}
        since = time.monotonic()
        all_fail(opened, choice, "did not respond within 0.2 s")
        assert time.monotonic() < since + 20


def test_permission_denied_names_the_line_that_is_missing(
    opened: Open, openbao_server: OpenBao
) -> None:
    lines = [line for line in POLICY.splitlines() if line]
    opened(config(openbao_server)).set_token(token("a"))
    for missing in lines:
        rest = "\n".join(line for line in lines if line != missing) + '\npath "x" {}'
        openbao_server.run("PUT", "sys/policies/acl/less", {"policy": rest})
        made = openbao_server.run("POST", "auth/token/create", {"policies": ["less"]})
        store = opened(config(openbao_server, token=made["auth"]["client_token"]))
        fails(store.remove_token, missing)
        kept = opened(config(openbao_server)).get_token()
        if "secret/data" in missing:
            assert kept is not None
        else:
            assert kept is None, "removed, though older versions are still there"
            opened(config(openbao_server)).set_token(token("a"))


CONFLICT = b'{"errors": ["check-and-set parameter did not match the current version"]}'


@pytest.mark.sample(8)
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>SENTINEL</html>", "not in the form of Vault or OpenBao"),
        (200, b"[1]", "not in the form of Vault or OpenBao"),
        (404, b"<html></html>", "not in the form of Vault or OpenBao"),
        (404, b"", "not in the form of Vault or OpenBao"),
        (404, b"{}", "not in the form of Vault or OpenBao"),
        (404, b'{"detail": "Not Found"}', "not in the form of Vault or OpenBao"),
        (404, b'{"errors": [{"status": 404}]}', "not in the form of Vault or OpenBao"),
        (502, b"Bad Gateway", "HTTP 502, but not in the form of Vault"),
        (200, b'{"data": {"x": 1}}', "KV version 2"),
        (200, b'{"data": {"data": {}, "metadata": {"version": "1"}}}', "KV version 2"),
        (500, b'{"errors": ["local node not active"]}', "cannot respond now"),
        (501, b'{"errors": ["not initialized"]}', "vault operator init"),
        (429, b'{"errors": ["quota"]}', "quota"),
        (412, b'{"errors": ["required index state not present"]}', "try again"),
        (307, b"", "set the option address to the active node"),
        (403, b'{"errors": ["SENTINEL denied"]}', "may have expired or been revoked"),
        (418, b'{"errors": "SENTINEL"}', "HTTP 418"),
    ],
)
def test_an_odd_answer_is_never_taken_for_no_token(
    opened: Open, status: int, body: bytes, words: str
) -> None:
    with answering(status, body, Location="http://127.0.0.1:1/") as address:
        choice = {"name": "vault", "address": address, "token": "SENTINEL"}
        all_fail(opened, choice, words)


@pytest.mark.sample(2)
@pytest.mark.parametrize("required", [False, True])
def test_one_who_may_replace_anything_is_not_kept_from_it_by_others_for_ever(
    opened: Open, required: bool
) -> None:
    """On a server where somebody else always writes between a read and a write."""
    asked = []

    def reply(sent: bytes) -> tuple[int, bytes]:
        asked.append(sent)
        about = {"version": len(asked), "created_time": "2026-01-01T00:00:00Z"}
        if not sent:
            stored = {"data": fields(token("other")), "metadata": about}
            return 200, json.dumps({"data": stored}).encode()
        if b'"cas"' in sent:
            return 400, CONFLICT
        if required:
            return 400, b'{"errors": ["check-and-set parameter required for this call"]}'
        return 200, json.dumps({"data": about}).encode()

    with answering(200, reply) as address:
        store = opened({"name": "vault", "address": address, "token": "x"})
        if required:  # the engine takes no write without a version
            fails(
                lambda: store.set_token(token("a")),
                "changed by other programs at each of 100 tries",
            )
            return
        store.set_token(token("a"))
        writes = [sent for sent in asked if sent]
        assert [b'"cas"' in sent for sent in writes] == [True, True, True, False]
        with pytest.raises(TokenConflictError):
            store.set_token(token("b"), token("a").revision)


def test_what_a_server_says_to_a_write_is_not_quoted(opened: Open) -> None:
    echo = json.dumps({"errors": ["check-and-set: cannot store access-a-SENTINEL"]}).encode()
    with answering(400, echo) as address:
        store = opened({"name": "vault", "address": address, "token": "SENTINEL"})
        fails(lambda: store.set_token(token("a"), None))


@pytest.mark.slow
def test_http_to_a_server_with_tls(
    opened: Open, tls_openbao: OpenBao, certificates: Certificates
) -> None:
    plain = tls_openbao.url.replace("https", "http")
    all_fail(opened, config(tls_openbao) | {"address": plain}, "https://?")


@pytest.mark.slow
def test_on_disk_with_tls_and_a_policy_for_our_path_alone(
    tls_openbao: OpenBao, certificates: Certificates
) -> None:
    """Sealed, restarted, token expired: told each time, and nothing is lost."""
    server = tls_openbao
    server.run("PUT", "sys/policies/acl/ours", {"policy": POLICY})
    role = server.login_role(token_policies=["ours"], token_ttl="2s")
    choice = config(server, auth="approle", ca_file=str(certificates.certificate), **role)
    for kind in ("sync", "async"):
        with opener(kind) as within:
            store = within(choice)
            store.set_token(token("a"))
            server.seal()
            fails(store.get_token, "it is sealed: unseal it")
            fails(lambda: store.set_token(token("b")), "sealed")  # noqa: B023 - called at once
            server.unseal()
            assert store.get_token() is not None
            server.kill()
            fails(store.get_token, "cannot be reached")
            server.restart()
            assert store.get_token() is not None
            time.sleep(2.5)  # its Vault token has ended
            store.set_token(token("b"), token("a").revision)
            with store.token_lock(0, 5):
                store.remove_token(token("b").revision)
            with_system_cas = within(choice | {"ca_file": None})
            fails(with_system_cas.get_token, "TLS failed", "set ca_file")


def test_tls_to_a_server_without_it(opened: Open, openbao_server: OpenBao) -> None:
    https = openbao_server.url.replace("http", "https")
    all_fail(opened, config(openbao_server) | {"address": https}, "TLS failed", "supports TLS")


def test_a_call_that_is_cancelled_leaves_the_store_usable(openbao_server: OpenBao) -> None:
    async def main() -> None:
        async with await open_async_store(config(openbao_server), IDENTITY) as store:
            await store.set_token(token("a"))
            for _ in range(20):
                task = asyncio.create_task(store.get_token())
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert await store.get_token() is not None

    asyncio.run(main())


def test_the_event_loop_is_not_blocked_while_the_server_is_silent(openbao_server: OpenBao) -> None:
    """Nobody would have it go on before the timeout if the loop stood still."""
    openbao_server.run("PUT", "sys/policies/acl/ours", {"policy": POLICY})
    role = openbao_server.login_role(token_policies=["ours"])

    async def main() -> None:
        choice = config(openbao_server, auth="approle", timeout=60, **role)
        async with await open_async_store(choice, IDENTITY) as store:
            openbao_server.pause()  # before it signs in
            try:
                call = asyncio.create_task(store.get_token())
                for _ in range(50):
                    await asyncio.sleep(0.001)
            finally:
                openbao_server.resume()
            assert not call.done()
            assert await call is None

    asyncio.run(main())
