"""The store: which items of the keyring a token is in, and what is told when it fails."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flex_tokenstore import (
    Secret,
    TokenCorruptError,
    TokenIdentity,
    TokenIdentityError,
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenUnavailableError,
    hookimpl,
    host_lock,
)

from ._backends import Backend, choose
from ._items import KeyringItems
from ._options import STORE
from ._options import Options as KeyringOptions
from ._problems import Failed, Problem
from ._record import Found, TooLarge, look, remove, save

logger = logging.getLogger("flex_tokenstore_keyring")

T = TypeVar("T")

WRITE_WAIT = 30.0  # seconds; a write takes half a second on a slow keyring, in parts some more
_PAUSES = (0.0, 0.005, 0.02)  # seconds between two looks at what others are writing
_warned: set[str] = set()


class KeyringStore:
    """Keeps the token in the system's keyring, such as the Keychain, for one user on one host."""

    encrypted_at_rest = True
    plaintext_option = "allow_plaintext"
    Options = KeyringOptions

    def __init__(self, options: KeyringOptions, identity: TokenIdentity) -> None:
        self._options = options
        self._identity = identity
        self._base = f"{options.service}/{identity.key}"
        # Which backend it will be is not known yet: nothing connects before the first call.
        self.encrypted_at_rest = not options.allow_plaintext
        self._backend: tuple[int, Backend] | None = None

    @property
    def place(self) -> str:
        """The name of the items, and the backend once it is known."""
        backend = self._backend
        where = "the system's keyring" if backend is None else backend[1].label
        return f"{self._base} in {where}"

    @hookimpl
    def get_token(self) -> dict[str, Any] | None:
        found = self._told("be read", self._read)
        self._check(found)
        return None if found.token is None else found.token.reveal()

    @hookimpl
    def set_token(self, token: dict[str, Any]) -> None:
        # In ASCII: on Windows, two bytes for each character.
        text = Secret(json.dumps(token, separators=(",", ":")))
        del token  # a traceback may show locals
        self._write("be saved", lambda items, found: save(items, self._base, found, text))

    @hookimpl
    def remove_token(self) -> None:
        self._write("be removed", lambda items, found: remove(items, self._base, found))

    @hookimpl
    def lock_id(self) -> str:
        return f"keyring:{self._base}"

    def _read(self) -> Found:
        items = self._items()
        for pause in _PAUSES:
            try:
                found = look(items, self._base)
                if found.is_certain:
                    return found
            except Failed as failed:
                if not failed.problem.passing:
                    raise
            time.sleep(pause)
        # It may look absent or damaged because it is being written. Not at once: where many write,
        # the lock is hardly ever free.
        with host_lock(STORE, wait=WRITE_WAIT, make=False):
            return look(items, self._base)

    def _write(self, doing: str, step: Callable[[KeyringItems, Found], None]) -> None:
        def write() -> None:
            items = self._items()
            with host_lock(STORE, wait=WRITE_WAIT):
                found = look(items, self._base)
                if found.newer:
                    self._check(found)
                self._check_owner(found)
                step(items, found)

        self._told(doing, write)

    def _items(self) -> KeyringItems:
        """The keyring; chosen again in a forked child, and if there was none before."""
        chosen = self._backend
        if chosen is None or chosen[0] != os.getpid():
            options = self._options
            backend = choose(options.backend, allow_plaintext=options.allow_plaintext)
            self._backend = chosen = (os.getpid(), backend)
            _tell(backend)
        backend = chosen[1]
        return KeyringItems(backend.keyring, self._options.chunk or backend.largest)

    def _told(self, doing: str, step: Callable[[], T]) -> T:
        """Runs a step; its errors become ours, each with what to do."""
        try:
            return step()
        except Failed as failed:
            problem = failed.problem
        except TooLarge:
            problem = Problem("it is larger than this keyring can keep. The old one is still there")
        except TokenLockTimeoutError:
            problem = Problem(
                f"another program has been writing to the keyring for {WRITE_WAIT:g} s. Perhaps "
                "the keyring asks its user something, in a window: answer it; or that program "
                "hangs: stop it"
            )
        # After the block: the error would have what failed for its context.
        kind = TokenPermissionError if problem.denied else TokenUnavailableError
        raise kind(
            f"the token {self.place} could not {doing}: {problem.text}",
            store=STORE,
            place=self.place,
        )

    def _check(self, found: Found) -> None:
        if found.newer:
            raise TokenCorruptError(
                f"{self.place} was written by a newer version of this package; upgrade "
                "flex-integration-sdk and flex-tokenstore-keyring",
                store=STORE,
                place=self.place,
            )
        if found.problem:
            # Without a revision: it cannot be put aside, and is not deleted unasked.
            raise TokenCorruptError(
                f"{self.place} does not hold a token: {found.problem}. If no other program wrote "
                f"it, {self._identity.program.removal} removes it",
                store=STORE,
                place=self.place,
            )

    def _check_owner(self, found: Found) -> None:
        if found.token is None:
            return
        tag = found.token.reveal().get("flex_tokenstore")
        owner = tag.get("identity") if isinstance(tag, dict) else None
        if owner != self._identity.key:
            raise TokenIdentityError(
                f"{self.place} holds a token of another client, environment or profile, or one "
                f"that another program stored, not a token of {self._identity.key}; it is neither "
                "used nor overwritten. Remove the item with the system's own program for "
                "passwords, or choose another service",
                store=STORE,
                place=self.place,
            )


def _tell(backend: Backend) -> None:
    """Says once in a process which backend it is, and why."""
    if backend.name in _warned:
        return
    _warned.add(backend.name)
    if backend.encrypts:
        logger.info("tokens are kept in %s: %s", backend.label, backend.why)
    else:
        logger.warning(
            "tokens are kept in %s, which is not known to encrypt them: %s, and the option "
            "allow_plaintext allows it",
            backend.label,
            backend.why,
        )
