"""What the store writes and reads, over a file, in sync and async programs."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encrypted_support import encrypted, id_of, lines_of, write_private
from flex_tokenstore import (
    ANY_REVISION,
    Token,
    TokenConflictError,
    TokenCorruptError,
    TokenIdentity,
    TokenReadOnlyError,
    TokenStoreError,
    TokenUnavailableError,
    open_store,
    revision_of,
)
from flex_tokenstore_encrypted import EncryptedStore, Options
from tests.support.golden import TOKENS
from tests.support.handles import IDENTITY, OTHER, Open, opener, token

LAPTOP = TokenIdentity("https://staging.example.com", "my-client", "integ")


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


def over(path: Path, *keys: str, **options: Any) -> dict[str, Any]:
    return encrypted({"name": "file", "path": str(path)}, *keys, **options)


def stored(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def reason_of(call: Any) -> str | None:
    """Why what is stored cannot be used."""
    with pytest.raises(TokenCorruptError) as caught:
        call()
    error = caught.value
    assert error.revision is None  # so that a session leaves it where it is
    assert error.reason is not None
    assert error.place
    assert error.place in error.message
    shown = "".join(traceback.format_exception(error))
    assert "SENTINEL" not in shown
    return error.reason


def test_a_token_comes_back_and_cannot_be_read_in_the_file(opened: Open, path: Path) -> None:
    store = opened(over(path))
    kept = token("a")
    store.set_token(kept, None)
    assert store.get_token() == kept
    text = path.read_text()
    assert "SENTINEL" not in text
    assert set(stored(path)) == {"access_token", "flex_tokenstore"}
    tag = stored(path)["flex_tokenstore"]
    assert tag == {"format": 1, "identity": IDENTITY.key, "revision": kept.revision}
    store.set_token(token("b"), kept.revision)
    with pytest.raises(TokenConflictError):
        store.set_token(token("c"), kept.revision)
    with pytest.raises(TokenConflictError):
        store.set_token(token("c"), None)
    with pytest.raises(TokenConflictError):
        store.remove_token(kept.revision)
    store.remove_token(token("b").revision)
    assert store.get_token() is None


@pytest.mark.sample(1)
def test_each_kind_of_token_comes_back(opened: Open, path: Path) -> None:
    store = opened(over(path))
    for name, data in TOKENS.items():
        if name == "revision of a wrapper":
            continue  # it is the wrapper's own, and no part of the token
        store.set_token(Token(data))
        assert store.get_token() == Token(data)


@pytest.mark.sample(1)
def test_the_same_token_twice_gives_different_bytes(opened: Open, path: Path) -> None:
    store = opened(over(path))
    seen = set()
    for _ in range(5):
        store.set_token(token("a"))
        seen.add(stored(path)["access_token"])
    assert len(seen) == 5


@pytest.mark.each_value
@pytest.mark.parametrize("cipher", ["aes-256-gcm", "chacha20-poly1305"])
def test_both_ciphers_are_read_whichever_is_set(opened: Open, path: Path, cipher: str) -> None:
    opened(over(path, cipher=cipher)).set_token(token("a"), None)
    assert f".{cipher}." in stored(path)["access_token"]
    for other in ("aes-256-gcm", "chacha20-poly1305"):
        found = opened(over(path, cipher=other)).get_token()
        assert found is not None
        assert found.revision == token("a").revision


@pytest.mark.sample(1)
def test_old_keys_decrypt_and_the_first_encrypts(opened: Open, path: Path) -> None:
    opened(over(path, "a")).set_token(token("a"), None)
    store = opened(over(path, "b", "a"))
    found = store.get_token()
    assert found is not None
    assert f".{id_of('a')}." in stored(path)["access_token"]
    store.set_token(found, found.revision)
    assert f".{id_of('b')}." in stored(path)["access_token"]
    assert opened(over(path, "b")).get_token() == found
    assert reason_of(opened(over(path, "a")).get_token) == "unknown key"


def test_the_message_names_both_keys_and_what_to_do(path: Path) -> None:
    with open_store(over(path, "a"), IDENTITY) as store:
        store.set_token(token("a"), None)
    said = f"key {id_of('a')}.*first one is {id_of('b')}"
    with (
        open_store(over(path, "b"), IDENTITY) as store,
        pytest.raises(TokenCorruptError, match=said),
    ):
        store.get_token()


def test_a_key_file_that_changes_is_followed(opened: Open, path: Path, tmp_path: Path) -> None:
    keys = write_private(tmp_path / "keys", lines_of("a"))
    config = {
        "name": "encrypted",
        "inner": {"name": "file", "path": str(path)},
        "key_file": str(keys),
    }
    store, other = opened(config), opened(config)
    store.set_token(token("a"), None)
    assert other.get_token() is not None
    write_private(keys, lines_of("b", "a"))
    store.set_token(token("b"), token("a").revision)
    assert f".{id_of('b')}." in stored(path)["access_token"]
    assert other.get_token() is not None
    write_private(keys, lines_of("b"))
    assert other.get_token() is not None
    write_private(keys, lines_of("c"))
    assert reason_of(other.get_token) == "unknown key"
    write_private(keys, lines_of("c", "b"))
    assert other.get_token() is not None


def _tampered(text: str) -> str:
    return text[:-1] + ("A" if text[-1] != "A" else "Q")


@pytest.mark.each_value
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_tampered, "changed"),
        (lambda text: text[:-5], "cut"),
        (lambda text: text[:40], "cut"),
        (lambda text: text.replace(id_of("a"), id_of("x")), "unknown key"),
        (lambda text: text.replace(id_of("a"), id_of("b")), "changed"),
        (lambda text: text.replace("encrypted-1", "encrypted-2"), "newer format"),
        (lambda text: text.replace("aes-256-gcm", "chacha20-poly1305"), "changed"),
        (lambda text: text.replace(IDENTITY.key, OTHER.key), "changed"),
        (lambda text: "not-an-envelope", "changed"),
    ],
)
def test_what_was_done_to_it_is_told_and_it_is_left(
    opened: Open, path: Path, change: Any, reason: str
) -> None:
    store = opened(over(path, "a", "b"))
    store.set_token(token("a"), None)
    data = stored(path)
    data["access_token"] = change(data["access_token"])
    path.write_text(json.dumps(data))
    before = path.read_bytes()
    assert reason_of(store.get_token) == reason
    for expected in (None, "0" * 64):
        with pytest.raises(TokenConflictError):
            store.set_token(token("b"), expected)
        if expected is not None:
            with pytest.raises(TokenConflictError):
                store.remove_token(expected)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if "corrupt" in each.name] == []
    # A person who says "whatever is there" gets rid of it, unless its header tells that another
    # program must find it again. Nobody vouches for that header, but a removal can be refused.
    kept = {"encrypted-2": "newer format", OTHER.key: "another identity"}
    why = [kept[each] for each in kept if each in data["access_token"]]
    if why:
        for call in (lambda: store.set_token(token("b")), store.remove_token):
            assert reason_of(call) == why[0]
        assert path.read_bytes() == before
    else:
        store.remove_token()
        assert store.get_token() is None


def test_the_token_of_another_identity_is_told_even_if_its_tag_was_forged(
    opened: Open, tmp_path: Path
) -> None:
    mine, theirs = tmp_path / "mine.json", tmp_path / "theirs.json"
    for identity, path in ((IDENTITY, mine), (OTHER, theirs)):
        opened(over(path), identity).set_token(token("a", identity), None)
    forged = stored(theirs)
    forged["flex_tokenstore"]["identity"] = IDENTITY.key
    mine.write_text(json.dumps(forged))
    before = mine.read_bytes()
    store = opened(over(mine))
    assert reason_of(store.get_token) == "another identity"
    # Not with "whatever is there" either: it is another program's only copy.
    assert reason_of(lambda: store.set_token(token("b"))) == "another identity"
    assert reason_of(store.remove_token) == "another identity"
    assert mine.read_bytes() == before


@pytest.mark.each_value
@pytest.mark.parametrize("key", ["b", "gone"])
@pytest.mark.parametrize("reason", ["another identity", "newer format"])
def test_what_is_never_removed_is_known_without_its_key(
    opened: Open, tmp_path: Path, key: str, reason: str
) -> None:
    path = tmp_path / "token.json"
    theirs = OTHER if reason == "another identity" else IDENTITY
    opened(over(path, "a"), theirs).set_token(token("a", theirs), None)
    data = stored(path)
    data["flex_tokenstore"]["identity"] = IDENTITY.key
    if reason == "newer format":
        data["access_token"] = data["access_token"].replace("encrypted-1", "encrypted-2")
    path.write_text(json.dumps(data))
    before = path.read_bytes()
    keys = write_private(tmp_path / "keys", lines_of("b"))
    inner = {"name": "file", "path": str(path)}
    store = opened({"name": "encrypted", "inner": inner, "key_file": str(keys)})
    if key == "gone":
        keys.unlink()
    assert reason_of(store.remove_token) == reason
    if key != "gone":  # else it is told that there is no key
        assert reason_of(lambda: store.set_token(token("b"))) == reason
    assert path.read_bytes() == before


def test_an_outage_is_no_permission_to_remove(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read now may be what is never removed."""
    store = opened(over(path))
    store.set_token(token("a"), None)
    monkeypatch.setattr(EncryptedStore, "read_inner", _unavailable)
    with pytest.raises(TokenUnavailableError):
        store.remove_token()
    with pytest.raises(TokenUnavailableError):
        store.set_token(token("b"))
    assert stored(path)


def _unavailable(store: EncryptedStore) -> None:
    raise TokenUnavailableError("the server does not answer")


@pytest.mark.each_value
@pytest.mark.parametrize("revision", [None, "0" * 64, ""])
def test_a_forged_revision_is_noticed(opened: Open, path: Path, revision: object) -> None:
    """The inner store compares by it, and it is not encrypted."""
    store = opened(over(path))
    store.set_token(token("a"), None)
    data = stored(path)
    data["flex_tokenstore"]["revision"] = revision
    if revision is None:
        del data["flex_tokenstore"]["revision"]
    path.write_text(json.dumps(data))
    assert reason_of(store.get_token) == "changed"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_swap_with_a_forged_tag_and_any_changed_byte_is_refused(data: st.DataObject) -> None:
    """Through the hooks, over any inner store: it is what ``unwrap`` gets."""
    identities = (IDENTITY, OTHER, LAPTOP)
    stores = {each.key: _made(each) for each in identities}
    wrapped: dict[str, dict[str, Any]] = {}
    for each in identities:
        plain = token(data.draw(st.text("abcXYZ019-_.", max_size=20)), each).to_dict()
        made = stores[each.key].wrap(plain)
        made["flex_tokenstore"] = {
            "format": 1,
            "identity": each.key,
            "revision": revision_of(plain),
        }
        wrapped[each.key] = made
    reader, owner, tagged = (data.draw(st.sampled_from(identities)).key for _ in range(3))
    text: str = wrapped[owner]["access_token"]
    # The length of an envelope is not the same in each run: a time is in it.
    place = data.draw(st.none() | st.integers(0, 100_000).map(lambda number: number % len(text)))
    if place is not None:
        byte = data.draw(st.integers(0, 255).map(chr))
        text = text[:place] + byte + text[place + 1 :]
    forged = {
        "format": 1,
        "identity": reader,
        "revision": wrapped[tagged]["flex_tokenstore"]["revision"],
    }
    content = {"access_token": text, "flex_tokenstore": forged}
    # The revisions of two tokens may be equal, and then so is all that they say.
    honest = (
        text == wrapped[reader]["access_token"]
        and forged["revision"] == (wrapped[reader]["flex_tokenstore"]["revision"])
    )
    if not honest:
        with pytest.raises(TokenCorruptError) as caught:
            stores[reader].unwrap(content)
        assert caught.value.revision is None
        assert caught.value.reason
        assert "SENTINEL" not in str(caught.value)
    else:
        found = stores[reader].unwrap(content)
        assert found["flex_tokenstore"]["identity"] == reader


def _made(identity: TokenIdentity) -> EncryptedStore:
    from flex_tokenstore import Secret

    class Placed(EncryptedStore):
        place = "there"  # it has no inner store

    store = Placed(Options(inner="memory", key=Secret(lines_of("a", "b"))), identity)
    store.load()
    return store


@pytest.mark.sample(1)
def test_plaintext_is_refused_until_migrate_is_on(
    opened: Open, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = token("a")
    opened({"name": "file", "path": str(path)}).set_token(plain, None)
    before = path.read_bytes()
    store = opened(over(path))
    assert reason_of(store.get_token) == "plaintext"
    with pytest.raises(TokenConflictError):
        store.set_token(token("b"), None)
    assert path.read_bytes() == before
    migrating = opened(over(path, migrate=True))
    assert migrating.get_token() == plain
    assert migrating.get_token() == plain
    assert len([each for each in caplog.records if "not encrypted" in each.message]) == 1
    assert path.read_bytes() == before
    migrating.set_token(plain, plain.revision)
    assert "SENTINEL" not in path.read_text()
    assert store.get_token() == plain


def test_with_migrate_it_does_not_count_as_encrypted() -> None:
    from flex_tokenstore import Secret

    key = Secret(lines_of("a"))
    assert EncryptedStore(Options(inner="memory", key=key), IDENTITY).encrypted_at_rest
    migrating = EncryptedStore(Options(inner="memory", key=key, migrate=True), IDENTITY)
    assert not migrating.encrypted_at_rest


@pytest.mark.sample(1)
def test_an_envelope_without_its_tag_is_not_taken_for_plaintext(opened: Open, path: Path) -> None:
    opened(over(path)).set_token(token("a"), None)
    data = stored(path)
    del data["flex_tokenstore"]["revision"]
    path.write_text(json.dumps(data))
    assert reason_of(opened(over(path, migrate=True)).get_token) == "changed"


def test_a_key_that_cannot_be_read_is_told_before_a_token_is_requested(
    opened: Open, path: Path, tmp_path: Path
) -> None:
    keys = write_private(tmp_path / "keys", lines_of("a"))
    config = {
        "name": "encrypted",
        "inner": {"name": "file", "path": str(path)},
        "key_file": str(keys),
    }
    store = opened(config)
    write_private(keys, "SENTINEL")
    for call in (store.get_token, store.prepare_save, lambda: store.set_token(token("a"))):
        with pytest.raises(TokenStoreError, match="key_file") as caught:
            call()
        assert "SENTINEL" not in "".join(traceback.format_exception(caught.value))
    assert not path.exists()
    write_private(keys, lines_of("a"))
    store.prepare_save()
    store.set_token(token("a"), None)
    # It can be removed without a key.
    write_private(keys, "SENTINEL")
    opened(config).remove_token(ANY_REVISION)
    assert not path.exists()


def test_which_key_is_used_is_told(path: Path) -> None:
    with open_store(over(path, "a"), IDENTITY) as store:
        store.set_token(token("a"), None)
    with open_store(over(path, "b", "a"), IDENTITY) as store:
        plugin: Any = store._opened.binding.plugin
        found = store.get_token()
        assert found is not None
        assert plugin.rekey_state() == (id_of("a"), id_of("b"))
        store.set_token(found, found.revision)
        assert plugin.rekey_state() == (id_of("b"), id_of("b"))
        store.remove_token()
        assert store.get_token() is None
        assert plugin.rekey_state() == (None, id_of("b"))


@pytest.mark.sample(1)
def test_a_backup_opens_on_another_host_and_path(opened: Open, tmp_path: Path) -> None:
    first, second = tmp_path / "one.json", tmp_path / "two.json"
    opened(over(first)).set_token(token("a"), None)
    second.write_bytes(first.read_bytes())
    second.chmod(0o600)
    assert opened(over(second)).get_token() == opened(over(first)).get_token()


@pytest.mark.sample(1)
def test_a_replica_reads_and_does_not_write(opened: Open, path: Path) -> None:
    writer = opened(over(path))
    writer.set_token(token("a"), None)
    inner = {"name": "file", "path": str(path)}
    for config in (
        {"name": "read-only", "inner": over(path)},
        encrypted({"name": "read-only", "inner": inner}),
    ):
        replica = opened(config)
        assert replica.get_token() == writer.get_token()
        with pytest.raises(TokenReadOnlyError):
            replica.set_token(token("b"))
        with pytest.raises(TokenReadOnlyError):
            replica.set_token(token("b"), token("a").revision)
        with pytest.raises(TokenReadOnlyError):
            replica.remove_token()
        with pytest.raises(TokenReadOnlyError):
            replica.prepare_save()
