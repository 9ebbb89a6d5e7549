"""The store ``encrypted``: what is written through it, and what is read through it."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Generator
from functools import partial
from typing import Any

from flex_tokenstore import (
    ANY_REVISION,
    Secret,
    TokenCorruptError,
    TokenIdentity,
    TokenStoreError,
    WrapperStore,
    hookimpl,
    revision_of,
)

from ._envelope import Reason, decrypt, is_envelope, parse, seal
from ._keys import Keys
from ._options import Options as _Options
from ._reasons import told
from ._sources import STORE, source_of

logger = logging.getLogger("flex_tokenstore.encrypted")

_TAG = "flex_tokenstore"
_to_json = json.JSONEncoder(separators=(",", ":")).encode
# What must not be lost, even where the caller wants to replace whatever is there.
_KEPT = ("newer format", "another identity")

_NOTHING: Secret[dict[str, Any]] = Secret({})

Steps = Generator[Any, Any, Any]


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

    @hookimpl
    def get_token(self) -> Any:
        """Has the inner store read the envelope, and decrypts it."""
        read = super().get_token
        self._stored = None
        return read() if not self._keys.due() else _run(_in_turn(self._load, read))

    @hookimpl
    def set_token(self, token: dict[str, Any], expected: str | None) -> Any:
        """Encrypts the token and has the inner store save it.

        Args:
            token: The JSON object of the token.
            expected: Revision that must be stored now, for an inner store that compares.
        """
        save = partial(super().set_token, token, expected)
        if expected == ANY_REVISION:
            return _run(_in_turn(self._load, self._look, save))
        return save() if not self._keys.due() else _run(_in_turn(self._load, save))

    @hookimpl
    def remove_token(self, expected: str | None) -> Any:
        """Has the inner store remove the envelope; without the key too.

        Args:
            expected: Revision that must be stored now, for an inner store that compares.
        """
        remove = partial(super().remove_token, expected)
        return _run(_in_turn(self._look, remove)) if expected == ANY_REVISION else remove()

    @hookimpl
    def prepare_save(self, expected: str | None) -> Any:
        """Sees that there is a key, and has the inner store check that it can save.

        Args:
            expected: Revision that the coming save expects; None: nothing is stored.
        """
        check = partial(super().prepare_save, expected)
        return check() if not self._keys.due() else _run(_in_turn(self._load, check))

    def _load(self) -> Any:
        """Loads the keys; on an event loop in a thread, and returns an awaitable."""
        if not self._keys.due():
            return None
        # Imported late: a sync program does not need it.
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self.load()
        return asyncio.to_thread(self.load)

    def _look(self) -> Any:
        """Refuses to replace or remove what another program must find again."""
        return _run(self._looking())

    def _looking(self) -> Steps:
        try:
            yield self.get_token()
        except TokenCorruptError as error:
            if error.reason in _KEPT:
                raise
        except TokenStoreError:
            pass  # no key, or an outage: the inner store itself will tell, when it is asked

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


def _in_turn(*calls: Any) -> Steps:
    result = None
    for call in calls:
        result = yield call()
    return result


def _run(steps: Steps) -> Any:
    """Runs the steps to their end; from the first that yields an awaitable on, as a coroutine."""
    try:
        result = next(steps)
        while not inspect.isawaitable(result):
            result = steps.send(result)
    except StopIteration as end:
        return end.value
    return _run_later(steps, result)


async def _run_later(steps: Steps, result: Any) -> Any:
    while True:
        try:
            if inspect.isawaitable(result):
                try:
                    result = await result
                except BaseException as error:  # noqa: BLE001 - handed on
                    result = steps.throw(error)
                    continue
            result = steps.send(result)
        except StopIteration as end:
            return end.value
