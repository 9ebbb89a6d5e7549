"""The store ``encrypted``: what is written through it, and what is read through it."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from flex_tokenstore import (
    ANY_REVISION,
    Secret,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    WrapperStore,
    hookimpl,
    revision_of,
)

from ._envelope import Reason, decrypt, is_envelope, kept, parse, seal
from ._keys import Keys
from ._options import Options as _Options
from ._reasons import told
from ._sources import STORE, source_of

logger = logging.getLogger("flex_tokenstore.encrypted")

_TAG = "flex_tokenstore"
_to_json = json.JSONEncoder(separators=(",", ":")).encode
# What the inner store cannot use at all it may replace, as it does without encryption.
_UNREADABLE = (TokenCorruptError, TokenIdentityError)

_NOTHING: Secret[dict[str, Any]] = Secret({})


class EncryptedStore(WrapperStore):
    """Encrypts the token, and has the inner store keep it.

    The cipher is AES-256-GCM or ChaCha20-Poly1305. Lock and compare-and-set are those of the inner
    store.
    """

    Options = _Options
    encrypted_at_rest: bool = True
    plaintext_option = "migrate"

    def __init__(self, options: _Options, identity: TokenIdentity) -> None:
        super().__init__(options, identity)
        self._identity = identity
        self._cipher: str = options.cipher
        self._keys = Keys(source_of(options))
        self._missing: str | None = None
        self._stored: str | None = None
        self._warned = False
        # A token that is not encrypted may stay so until it is next saved.
        self.encrypted_at_rest = not options.migrate

    def load(self) -> None:
        """Reads the keys: at first, when the key file has changed, and if a key is missing."""
        self._keys.load(self._missing)

    def wrap(self, token: dict[str, Any]) -> dict[str, Any]:
        """The envelope, in place of the access token."""
        key = self._keys.first()
        assert key is not None  # the base class has called load()
        # With its revision, so that a reader need not compute it. In ASCII: a token may contain a
        # lone surrogate, which has no UTF-8.
        tag = {**token.get(_TAG, {}), "revision": revision_of(token)}
        plain = Secret(_to_json({**token, _TAG: tag}).encode())
        aead = key.aead(self._cipher)
        self._stored = key.id
        return {"access_token": seal(self._cipher, key.id, aead, self._identity.key, plain)}

    def unwrap(self, token: dict[str, Any]) -> dict[str, Any]:
        """The token in the envelope.

        Raises:
            TokenCorruptError: There is none that can be used; ``reason`` says why.
        """
        found, reason, key_id = self._opened(token)
        if reason is not None:
            raise self._corrupt(reason, key_id)
        self._stored = key_id
        return found.reveal()

    def rekey_state(self) -> tuple[str | None, str | None]:
        """Tells by their ids which key a token is encrypted with, and which one encrypts now.

        Returns:
            The id of the key of the token that was last read or saved through this object; None:
            none was, or it is not encrypted. And the id of the first key, with which the next token
            is encrypted; None: no key was read yet.
        """
        first = self._keys.first()
        return self._stored, None if first is None else first.id

    def load_due(self, *, saving: bool) -> bool:
        """Whether the keys were not read yet, or have changed."""
        return self._keys.due(saving=saving)

    @hookimpl
    def get_token(self) -> Any:
        """Has the inner store read the envelope, and decrypts it."""
        self._stored = None
        return super().get_token()

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        """Encrypts the token and has the inner store save it.

        Args:
            token: The JSON object of the token.
            expected: Revision that must be stored now, for an inner store that compares.
        """
        return self._after_look(partial(super().set_token, token, expected), expected)

    @hookimpl
    def remove_token(self, expected: str | None) -> Any:
        """Has the inner store remove the envelope; without the key too.

        Args:
            expected: Revision that must be stored now, for an inner store that compares.
        """
        return self._after_look(partial(super().remove_token, expected), expected)

    @hookimpl
    def prepare_save(self, expected: str | None) -> Any:
        """Sees that there is a key, and has the inner store check that it can save.

        Args:
            expected: Revision that the coming save expects; None: nothing is stored.
        """
        return super().prepare_save(expected)

    def _after_look(self, change: Callable[[], Any], expected: str | None) -> Any:
        """Changes what is stored, unless another program must find it again."""
        if expected != ANY_REVISION:
            return change()
        try:
            found = Secret(self.read_inner())
        except _UNREADABLE:
            return change()
        if inspect.isawaitable(found.reveal()):
            return self._after_look_later(found, change)
        self._refuse_kept(found)
        return change()

    async def _after_look_later(self, later: Secret[Any], change: Callable[[], Any]) -> Any:
        try:
            found = Secret(await later.reveal())
        except _UNREADABLE:
            found = Secret(None)
        self._refuse_kept(found)
        changed = change()
        return await changed if inspect.isawaitable(changed) else changed

    def _refuse_kept(self, found: Secret[Any]) -> None:
        """Of what the inner store holds; without a key."""
        is_object = isinstance(found.reveal(), dict)
        text = Secret(found.reveal().get("access_token") if is_object else None)
        reason = kept(text.reveal(), self._identity.key) if isinstance(text.reveal(), str) else None
        if reason is not None:
            raise self._corrupt(reason, None)

    def _opened(
        self, stored: dict[str, Any]
    ) -> tuple[Secret[dict[str, Any]], Reason | None, str | None]:
        """The token, or why there is none; and the id of its key. It raises nothing."""
        tag = stored.get(_TAG) or {}
        if not is_envelope(stored["access_token"]) and "revision" not in tag:
            if not self.options.migrate:
                return _NOTHING, "plaintext", None
            self._warn_of_plaintext()
            return Secret(stored), None, None
        envelope = parse(stored["access_token"])
        if isinstance(envelope, str):
            return _NOTHING, envelope, None
        key = self._keys.find(envelope.key_id)
        if key is None:
            self._missing = envelope.key_id
            return _NOTHING, "unknown key", envelope.key_id
        plain = decrypt(envelope, key.aead(envelope.cipher))
        if plain is None:
            return _NOTHING, "changed", key.id
        # Only now: what is not authenticated says nothing about whose token it is.
        if envelope.identity != self._identity.key:
            return _NOTHING, "another identity", key.id
        found: Secret[dict[str, Any]] = Secret(json.loads(str(plain.reveal(), "utf-8")))
        # The inner store compares by the revision beside the envelope, which is not encrypted.
        if tag.get("revision") != revision_of(found.reveal()):
            return _NOTHING, "changed", key.id
        return found, None, key.id

    def _warn_of_plaintext(self) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "%s holds a token that is not encrypted. It is read since the option migrate is "
                "on; it is encrypted when it is next saved. Then set migrate=false",
                self.place,
            )

    def _corrupt(self, reason: Reason, key_id: str | None) -> TokenCorruptError:
        text = told(reason, self._identity, key_id, self.rekey_state()[1])
        # Without a revision: a session neither moves it aside nor removes it.
        return TokenCorruptError(
            f"{self.place} {text}", reason=reason, store=STORE, place=self.place
        )
