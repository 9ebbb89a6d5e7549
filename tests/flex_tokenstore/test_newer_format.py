"""A token of a newer version is left alone, whatever store holds it."""

from __future__ import annotations

import pytest

from flex_tokenstore import TokenCorruptError, TokenSession, open_store
from tests.flex_tokenstore.fakes import IDENTITY, DictStore, Server, stored


def test_a_newer_format_is_neither_used_nor_replaced() -> None:
    server, plain = Server(), DictStore()
    newer = stored(server)
    newer["flex_tokenstore"]["format"] = 2
    plain.token = newer
    with TokenSession(open_store(plain, IDENTITY), server) as session:
        with pytest.raises(TokenCorruptError, match="newer version") as caught:
            session.token()
        assert caught.value.revision is None
    assert plain.token is newer
    assert server.calls == []
