"""The envelope: its test vectors, and that no part of it can be changed, cut or spelt otherwise."""

from __future__ import annotations

import base64
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encrypted_support import id_of, key_of
from flex_tokenstore import Secret
from flex_tokenstore_encrypted._envelope import AEADS, Envelope, decrypt, parse, seal
from tests.support.handles import IDENTITY
from tests.support.vectors import table

PLAIN = b'{"access_token":"access-SENTINEL"}'


def sealed(plain: bytes = PLAIN, cipher: str = "aes-256-gcm", key: str = "a") -> str:
    aead = AEADS[cipher](key_of(key))
    return seal(cipher, id_of(key), aead, IDENTITY.key, Secret(plain))


def opened(text: str, key: str = "a") -> str:
    """What an envelope holds, or the reason for which it is refused."""
    envelope = parse(text)
    if not isinstance(envelope, Envelope):
        return envelope
    if envelope.key_id != id_of(key):
        return "unknown key"
    plain = decrypt(envelope, AEADS[envelope.cipher](key_of(key)))
    return "changed" if plain is None else plain.reveal().decode()


def test_the_vectors_of_the_page() -> None:
    rows = table("Test vectors of an encrypted token")
    assert {row["cipher"] for row in rows} == set(AEADS)
    for row in rows:
        key = bytes.fromhex(row["key"])
        envelope = parse(row["envelope"])
        assert isinstance(envelope, Envelope)
        aead = AEADS[row["cipher"]](key)
        plain = decrypt(envelope, aead)
        assert plain is not None
        assert plain.reveal().decode() == row["plaintext"]
        assert envelope.nonce.hex() == row["nonce"]
        made = aead.encrypt(envelope.nonce, row["plaintext"].encode(), envelope.header)
        text = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
        assert row["envelope"] == envelope.header.decode() + text


@pytest.mark.parametrize("cipher", AEADS)
def test_what_was_encrypted_is_read(cipher: str) -> None:
    for plain in (b"", b"x", PLAIN, b"y" * 100_000):
        assert opened(sealed(plain, cipher)) == plain.decode()


def test_the_same_twice_gives_different_texts() -> None:
    texts = [sealed() for _ in range(50)]
    assert len({text.split(".")[5] for text in texts}) == 50
    assert len({text.split(".")[6] for text in texts}) == 50


def test_nothing_of_the_plaintext_is_in_it() -> None:
    assert "SENTINEL" not in sealed()
    data = sealed().rpartition(".")[2]
    assert b"SENTINEL" not in base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))


@given(st.data())
def test_any_changed_letter_is_noticed(data: st.DataObject) -> None:
    text = sealed(cipher=data.draw(st.sampled_from(sorted(AEADS))))
    position = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(
        st.sampled_from(string.ascii_letters + string.digits + "-_.=+/ \n\0é")
        | st.characters(codec="utf-8")
    )
    changed = text[:position] + letter + text[position + 1 :]
    expected = {"cut", "changed", "unknown key", "newer format"}
    assert opened(changed) in ({PLAIN.decode()} if changed == text else expected)


@given(st.data())
def test_any_cut_or_addition_is_noticed(data: st.DataObject) -> None:
    text = sealed()
    end = data.draw(st.integers(1, len(text) - 1))
    assert opened(text[:end]) == "cut"
    added = data.draw(st.text(string.ascii_letters + "=.\n ", min_size=1))
    assert opened(text + added) == "changed"
    assert opened(text[end:]) != PLAIN.decode()


@given(st.data())
def test_any_flipped_bit_is_noticed(data: st.DataObject) -> None:
    """Of the bytes within the base64, so that the spelling stays right."""
    parts = sealed().split(".")
    number = data.draw(st.sampled_from([5, 6]))
    content = bytearray(base64.urlsafe_b64decode(parts[number] + "=="))
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    parts[number] = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    assert opened(".".join(parts)) == "changed"


@pytest.mark.parametrize("part", range(1, 7))
def test_no_part_can_come_from_another_envelope(part: int) -> None:
    parts = sealed().split(".")
    other = seal(
        "chacha20-poly1305",
        id_of("b"),
        AEADS["chacha20-poly1305"](key_of("a")),
        "another-0123456789abcdef",
        Secret(PLAIN[:-1] + b" }"),
    ).split(".")
    assert opened(".".join(parts)) == PLAIN.decode()
    assert parts[part] != other[part]
    parts[part] = other[part]
    assert opened(".".join(parts)) in {"cut", "changed", "unknown key"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("encrypted-1.", "encrypted-2."), "newer format"),
        (lambda text: "flex-encrypted-2.anything at all", "newer format"),
        (lambda text: "flex-encrypted-999999999.x", "newer format"),
        (lambda text: text.replace("encrypted-1.", "encrypted-0."), "changed"),
        (lambda text: text.replace("encrypted-1.", "encrypted-01."), "changed"),
        (lambda text: text.replace("encrypted-1.", "encrypted-"), "changed"),
        (lambda text: text.replace("aes-256-gcm", "aes-128-gcm"), "changed"),
        (lambda text: text.replace("flex", "Flex"), "changed"),
        (lambda text: text.replace(f".{len(PLAIN)}.", f".0{len(PLAIN)}."), "changed"),
        (lambda text: text.replace(f".{len(PLAIN)}.", f".{len(PLAIN) - 1}."), "changed"),
        (lambda text: text.replace(f".{len(PLAIN)}.", f".{len(PLAIN) + 9}."), "cut"),
        (lambda text: text.replace(f".{len(PLAIN)}.", ".-1."), "changed"),
        (lambda text: text.replace(f".{len(PLAIN)}.", ".٣٤."), "changed"),
        (lambda text: text + "=", "changed"),
        (lambda text: text + "\n", "changed"),
        (lambda text: text + ".", "changed"),
        (lambda text: " " + text, "changed"),
        (lambda text: "", "cut"),
    ],
)
def test_other_spellings_are_refused(change: object, reason: str) -> None:
    assert callable(change)
    assert opened(change(sealed())) == reason


def test_each_last_letter_of_base64_has_one_spelling() -> None:
    """Its unused bits are not authenticated: they must be zero."""
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    for plain in (b"", b"x", b"xy"):
        text = sealed(plain)
        good = [each for each in letters if opened(text[:-1] + each) == plain.decode()]
        assert good == [text[-1]]


def test_a_large_token_of_all_letters() -> None:
    token = {"access_token": "x" * 300_000, "more": "".join(map(chr, range(1, 0x3000)))}
    plain = json.dumps(token).encode()
    assert json.loads(opened(sealed(plain))) == token
