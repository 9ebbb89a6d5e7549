"""A ``fallback`` whose list has one place twice: encrypted, and in the clear."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from encrypted_support import lines_of, write_private
from flex_tokenstore import TokenCorruptError, TokenSession, open_store
from tests.support.fakes import IDENTITY, Server
from tests.support.kinds import issued


@pytest.mark.parametrize("call", ["token", "revoke", "remove"])
def test_a_key_that_fails_leads_a_fallback_to_no_token_in_the_clear(
    tmp_path: Path, call: str
) -> None:
    path = tmp_path / "token.json"
    file = {"name": "file", "path": str(path)}
    key = write_private(tmp_path / "key", lines_of("a"))
    command = [sys.executable, "-c", f"print(open({str(key)!r}).read())"]
    encrypted = {"name": "encrypted", "inner": file, "key_command": command}
    config = {"name": "fallback", "stores": [encrypted, file]}
    with open_store(config, IDENTITY) as store:
        store.set_token(issued())
    before, server = path.read_bytes(), Server()
    key.unlink()
    with (
        open_store(config, IDENTITY) as store,
        TokenSession(store, server, lock_timeout=0.1) as session,
    ):
        assert store.layers == ("fallback", "file")
        with pytest.raises(TokenCorruptError) as caught:
            getattr(session, call)()
    assert (caught.value.reason, caught.value.revision) == ("wrapped", None)
    assert path.read_bytes() == before
    assert server.calls == []
