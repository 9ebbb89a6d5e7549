"""Keys as people write them: what is taken, and what is said of all else."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from encrypted_support import id_of, key_of, line_of, lines_of
from flex_tokenstore import Secret
from flex_tokenstore_encrypted._key_text import from_bytes, from_text, key_id, with_first
from tests.support.vectors import table


def ids(data: bytes) -> list[str]:
    keys, problem = from_bytes(Secret(data))
    assert problem == ""
    return [key_id(key) for key in keys]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (key_of("a"), ["a"]),
        (lines_of("a").encode(), ["a"]),
        (line_of("a").encode(), ["a"]),
        (lines_of("a", "b", "c").encode(), ["a", "b", "c"]),
        (f"# the first\n\n{line_of('a')}  # of May\r\n\t{line_of('b')}\r\n".encode(), ["a", "b"]),
        (line_of("a").replace("+", "-").replace("/", "_").encode(), ["a"]),
        (line_of("a").rstrip("=").encode(), ["a"]),
        (b"\xef\xbb\xbf" + lines_of("a").encode(), ["a"]),
        (lines_of("a", "b").encode("utf-16"), ["a", "b"]),  # as PowerShell's > writes it
    ],
)
def test_what_is_taken(data: bytes, names: list[str]) -> None:
    assert ids(data) == [id_of(name) for name in names]


def test_url_safe_letters_are_tried() -> None:
    text = base64.urlsafe_b64encode(bytes(range(224, 256))).decode()
    assert "_" in text or "-" in text
    assert from_text(Secret(text))[1] == ""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b" \n\t\r\n", "it is empty"),
        (b"# nothing yet\n", "only comments"),
        (key_of("a")[:31], "31 bytes that are not text"),
        (key_of("a") + b"\x80", "33 bytes that are not text"),
        (key_of("a") + b"\n", "32 raw bytes and a line end"),
        (key_of("a") * 2, "64 bytes that are not text"),
        (b"SENTINEL" * 4, "base64 of 24 bytes"),  # 32 letters: not a raw key
        (b"SENTINEL is a pass phrase of me!", "is not base64"),
        (key_of("a").hex().encode(), "hexadecimal digits"),
        (base64.b64encode(key_of("a")[:31]), "base64 of 31 bytes"),
        (base64.b64encode(key_of("a") + b"x"), "base64 of 33 bytes"),
        (line_of("a").encode()[:-2], "not base64"),
        (line_of("a").encode() + b"=", "not base64"),
        (line_of("a").encode().replace(b"=", b"!"), "not base64"),
        (f"{line_of('a')} {line_of('b')}".encode(), "not base64"),
        (f"{line_of('a')}\n\nSENTINEL\n".encode(), "in line 3"),
        (lines_of("a", "b", "a").encode(), "key of line 1 again in line 3"),
        (bytes(32), "all its bytes are equal"),
        (base64.b64encode(b"\xff" * 32), "all its bytes are equal"),
        (lines_of("a").encode("utf-16-le"), "not text"),
        (b"\xff\xfe\x00", "not text"),
        (b"key=SENTINEL", "in line 1"),
        ("Schlüssel SENTINEL".encode(), "in line 1"),
    ],
)
def test_what_is_refused(data: bytes, said: str) -> None:
    keys, problem = from_bytes(Secret(data))
    assert keys == ()
    assert said in problem
    assert "SENTINEL" not in problem
    assert line_of("a")[:8] not in problem


def test_a_changed_last_letter_is_noticed() -> None:
    """It has bits that no byte takes; another program may not take it."""
    text = line_of("a")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    good = [each for each in letters if not from_text(Secret(f"{text[:-2]}{each}="))[1]]
    assert good[0] == text[-2] or text[-2] in good
    assert len({ids(f"{text[:-2]}{each}=".encode())[0] for each in good}) == len(good)


@pytest.mark.parametrize("data", [key_of("a"), lines_of("a", "c").encode()])
def test_a_new_first_key_stands_before_the_old_ones(data: bytes) -> None:
    made = with_first(Secret(key_of("b")), Secret(data)).reveal()
    assert ids(made) == [id_of("b"), *ids(data)]


def test_comments_are_kept() -> None:
    made = with_first(Secret(key_of("b")), Secret(b"# of May\n" + lines_of("a").encode()))
    assert b"# of May" in made.reveal()


def test_the_ids_of_the_page() -> None:
    rows = table("Test vectors of an encrypted token")
    assert rows
    for row in rows:
        assert key_id(Secret(bytes.fromhex(row["key"]))) == row["envelope"].split(".")[2]


def test_an_id_tells_nothing_of_its_key(tmp_path: Path) -> None:
    assert id_of("a") not in key_of("a").hex()
    assert len({id_of(str(number)) for number in range(200)}) == 200
