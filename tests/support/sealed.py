"""A wrapper store with keys that have ids: enough of one that encrypts, to encrypt again."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from flex_tokenstore import TokenCorruptError, TokenIdentity, WrapperStore
from flex_tokenstore._registry import registered


class Sealed(WrapperStore):
    """Keeps ``<key>:<identity>:<token in base64>``, with the first of its keys."""

    encrypted_at_rest: ClassVar[bool] = True  # it says so; it is for tests

    @dataclass(kw_only=True)
    class Options:
        inner: Any = "file"
        keys: list[str]
        migrate: bool = False

    def __init__(self, options: Options, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self._before: str | None = None
        self._whose = identity.key

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        self._before = self.options.keys[0]
        hidden = base64.b64encode(json.dumps(token).encode()).decode()
        return {"access_token": f"{self._before}:{self._whose}:{hidden}"}

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        self._before, found, text = token["access_token"].partition(":")
        if not found:
            self._before = None
            if self.options.migrate:
                return token
            raise TokenCorruptError("it is not sealed", reason="plaintext")
        if self._before not in self.options.keys:
            raise TokenCorruptError(f"no key {self._before}", reason="unknown key")
        plain: dict[str, Any] = json.loads(base64.b64decode(text.partition(":")[2]))
        return plain

    def rekey_state(self) -> tuple[str | None, str | None]:
        return self._before, self.options.keys[0]


def register(patch: pytest.MonkeyPatch) -> None:
    """Makes it a store named ``sealed``, until the patch ends."""
    patch.setitem(registered._registered, "sealed", Sealed)
