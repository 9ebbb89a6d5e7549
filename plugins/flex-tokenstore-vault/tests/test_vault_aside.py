"""Content that is no token is copied, and the copy is read back, before anything is removed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flex_tokenstore import ANY_REVISION, Secret, TokenCorruptError, TokenUnavailableError
from flex_tokenstore_vault import Options, VaultKv1Store, VaultStore
from tests.servers.openbao import OpenBao
from tests.support.handles import IDENTITY, Open, opener, token
from vault_support import DATA, KEY, METADATA, POLICY, POLICY_KV1, between, config

BROKEN = {"token": "precious SENTINEL", "number": 12}
KV1 = f"kv1/{KEY}"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server refuses for now is asked for again, but without pauses."""
    monkeypatch.setattr("flex_tokenstore.records._where.PAUSES", (0.001,) * 4)


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


@pytest.fixture(params=["vault", "vault-kv1"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def choice(name: str, server: OpenBao, **options: Any) -> dict[str, Any]:
    mount = "secret" if name == "vault" else "kv1"
    return config(server, **{"mount": mount, **options}) | {"name": name}


def damage(name: str, server: OpenBao, content: Any = BROKEN) -> None:
    if name == "vault":
        server.run("POST", DATA, {"data": content})
    else:
        server.run("POST", KV1, content)


def stored(name: str, server: OpenBao, beside: str = "") -> Any:
    answer = server.run("GET", f"{DATA if name == 'vault' else KV1}{beside}")
    return answer["data"]["data"] if name == "vault" else answer["data"]


def copies(name: str, server: OpenBao) -> list[str]:
    found = server.names(METADATA if name == "vault" else KV1)
    return [each for each in found if each.startswith("corrupt-")]


def refuses_and_keeps(name: str, server: OpenBao, store: Any, *words: str) -> None:
    """Neither a removal nor a save does anything, and each says why."""
    for replace in (store.remove_token, lambda: store.set_token(token("a"))):
        with pytest.raises(TokenUnavailableError) as caught:
            replace()
        for word in (*words, "nothing was removed"):
            assert word in str(caught.value)
        assert "SENTINEL" not in str(caught.value)
    assert stored(name, server) == BROKEN
    if name == "vault":
        versions = server.run("GET", METADATA)["data"]["versions"]
        assert not any(version["destroyed"] for version in versions.values())


@pytest.mark.parametrize("where", ["mount", "secret"])
def test_where_each_write_must_name_a_version(
    opened: Open, openbao_server: OpenBao, where: str
) -> None:
    damage("vault", openbao_server)
    path = "secret/config" if where == "mount" else METADATA
    openbao_server.run("POST", path, {"cas_required": True})
    try:
        store = opened(choice("vault", openbao_server))
        with pytest.raises(TokenCorruptError) as caught:
            store.get_token()
        store.remove_token(caught.value.revision)
        assert store.get_token() is None
        (copy,) = copies("vault", openbao_server)
        assert stored("vault", openbao_server, f"/{copy}") == BROKEN
        store.set_token(token("a"))
        store.set_token(token("b"), token("a").revision)
        store.remove_token()
    finally:
        openbao_server.run("POST", "secret/config", {"cas_required": False})


def test_a_right_to_make_the_copy_is_missing(
    opened: Open, openbao_server: OpenBao, name: str
) -> None:
    damage(name, openbao_server)
    path = DATA if name == "vault" else KV1
    rules = (POLICY if name == "vault" else POLICY_KV1) + (
        f'path "{path}/*" {{ capabilities = ["deny"] }}'
    )
    openbao_server.run("PUT", "sys/policies/acl/less", {"policy": rules})
    made = openbao_server.run("POST", "auth/token/create", {"policies": ["less"]})
    store = opened(choice(name, openbao_server, token=made["auth"]["client_token"]))
    refuses_and_keeps(name, openbao_server, store, "permission denied")
    assert copies(name, openbao_server) == []


REFUSALS = [
    (400, "check-and-set parameter required for this call"),
    (400, "the check-and-set parameter did not match the current version"),
    (400, "check-and-set: something new"),
    (400, "request is too large"),
    (412, "required index state not present"),
    (413, "too large"),
    (429, "request path: rate limit quota exceeded"),
    (500, "internal error"),
    (503, "Vault is sealed"),
]


@pytest.mark.each_value
@pytest.mark.parametrize(("status", "words"), REFUSALS, ids=lambda part: str(part)[:24])
def test_the_copy_is_refused(
    opened: Open, openbao_server: OpenBao, name: str, status: int, words: str
) -> None:
    damage(name, openbao_server)

    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        refused = method == "POST" and "/corrupt-" in path
        return (status, json.dumps({"errors": [words]}).encode()) if refused else None

    with between(openbao_server, tamper) as address:
        store = opened(choice(name, openbao_server) | {"address": address})
        refuses_and_keeps(name, openbao_server, store)
    assert copies(name, openbao_server) == []


@pytest.mark.sample(2)
@pytest.mark.parametrize("lost", ["is not there", "is other content", "cannot be read"])
def test_the_copy_was_acknowledged_and(
    opened: Open, openbao_server: OpenBao, name: str, lost: str
) -> None:
    damage(name, openbao_server)
    other: dict[str, Any] = {"token": "another"}
    if name == "vault":
        other = {"data": other, "metadata": {"version": 1}}
    answers = {
        "is not there": (404, b'{"errors": []}'),
        "is other content": (200, json.dumps({"request_id": "x", "data": other}).encode()),
        "cannot be read": (500, b'{"errors": ["internal error"]}'),
    }

    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        return answers[lost] if method == "GET" and "/corrupt-" in path else None

    with between(openbao_server, tamper) as address:
        store = opened(choice(name, openbao_server) | {"address": address})
        refuses_and_keeps(name, openbao_server, store)


@pytest.mark.sample(2)
def test_tries_that_fail_later_make_one_copy(
    opened: Open, openbao_server: OpenBao, name: str
) -> None:
    """The write over the content fails twice; the third time all works."""
    damage(name, openbao_server)
    failures = [1, 1]

    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        over = method in ("POST", "DELETE") and path in (DATA, KV1)
        if over and failures:
            failures.pop()
            return 418, b'{"errors": ["not now"]}'
        return None

    with between(openbao_server, tamper) as address:
        store = opened(choice(name, openbao_server) | {"address": address})
        for _ in range(2):
            with pytest.raises(TokenUnavailableError):
                store.remove_token()
        store.remove_token()
    (copy,) = copies(name, openbao_server)
    assert stored(name, openbao_server, f"/{copy}") == BROKEN


@pytest.mark.sample(4)
@pytest.mark.parametrize(("status", "words"), REFUSALS[1:], ids=lambda part: str(part)[:24])
def test_a_refused_save_is_not_taken_for_a_lost_comparison(
    opened: Open, openbao_server: OpenBao, status: int, words: str
) -> None:
    def tamper(method: str, path: str, sent: bytes) -> tuple[int, bytes] | None:
        return (status, json.dumps({"errors": [words]}).encode()) if method == "POST" else None

    with between(openbao_server, tamper) as address:
        store = opened(choice("vault", openbao_server) | {"address": address})
        with pytest.raises(TokenUnavailableError) as caught:
            store.set_token(token("a"), None)
        assert "by others" not in str(caught.value)
        with pytest.raises(TokenUnavailableError):
            store.token_lock(0, 5).__enter__()


@pytest.mark.parametrize("fields", [{}, {"access_token": {"kind": "of tomorrow"}}])
def test_a_newer_format_is_left_alone(
    opened: Open, openbao_server: OpenBao, name: str, fields: dict[str, object]
) -> None:
    """By the store itself too, in the step that compares."""
    newer = {**token("n").to_dict(), **fields}
    newer["flex_tokenstore"]["format"] = 2
    content = {"token": json.dumps(newer)}
    damage(name, openbao_server, content)
    made = choice(name, openbao_server)
    store = opened(made)
    options = Options(
        address=made["address"], token=Secret(made["token"]), mount=str(made["mount"])
    )
    calls: list[Callable[[], object]] = [
        store.get_token,
        store.remove_token,
        lambda: store.set_token(token("a")),
    ]
    plugin: VaultStore | VaultKv1Store
    if name == "vault":
        plugin = versioned = VaultStore(options, IDENTITY)
        calls.append(lambda: versioned.set_token(token("a").to_dict(), ANY_REVISION))
        calls.append(lambda: versioned.remove_token(ANY_REVISION))
    else:
        plugin = plain = VaultKv1Store(options, IDENTITY)
        calls.append(lambda: plain.set_token(token("a").to_dict()))
        calls.append(plain.remove_token)
    for call in calls:
        with pytest.raises(TokenCorruptError, match="upgrade") as caught:
            call()
        assert caught.value.revision is None
    plugin.close()
    assert stored(name, openbao_server) == content
    assert copies(name, openbao_server) == []
