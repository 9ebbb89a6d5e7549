"""What the first version of format 1 wrote is read, replaced and removed; and written now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from encrypted_golden import CIPHERS, FILE
from encrypted_support import encrypted, key_of
from flex_tokenstore import Token
from flex_tokenstore_encrypted._envelope import AEADS, Envelope, decrypt, parse
from tests.support.golden import NEXT, TOKENS, WRAPPED
from tests.support.handles import IDENTITY, Open, opener

GOLDEN: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    with opener(request.param) as function:
        yield function


def plain_of(stored: dict[str, Any]) -> Any:
    """The parts of an envelope without what is random, with its plaintext."""
    envelope = parse(stored["access_token"])
    assert isinstance(envelope, Envelope)
    plain = decrypt(envelope, AEADS[envelope.cipher](key_of("golden")))
    assert plain is not None
    parts = stored["access_token"].split(".")[:5]
    return parts, plain.reveal().decode(), stored["flex_tokenstore"]


@pytest.mark.each_value
@pytest.mark.parametrize("cipher", CIPHERS)
def test_tokens_of_the_first_version(cipher: str, opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    store = opened(encrypted({"name": "file", "path": str(path)}, "golden", cipher=cipher))
    assert GOLDEN[cipher].keys() == TOKENS.keys()
    for name, stored in GOLDEN[cipher].items():
        if name == WRAPPED:  # no program has it: its wrapper took the revision out
            continue
        expected = Token(TOKENS[name])
        for then in (NEXT, None):
            path.write_text(json.dumps(stored))
            path.chmod(0o600)
            assert store.get_token() == expected
            if then is None:
                store.remove_token(expected.revision)
            else:
                store.set_token(then, expected.revision)
            assert store.get_token() == then
        store.remove_token()
        store.set_token(expected, None)
        assert plain_of(json.loads(path.read_text())) == plain_of(stored), name


def test_the_identity_is_that_of_the_golden_file() -> None:
    assert {
        stored["flex_tokenstore"]["identity"]
        for sections in GOLDEN.values()
        for stored in sections.values()
    } == {IDENTITY.key}
