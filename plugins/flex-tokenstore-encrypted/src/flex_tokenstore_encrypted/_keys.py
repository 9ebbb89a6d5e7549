"""The keys in use: which encrypts, which decrypt, and when they are read again."""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
from typing import Any, NamedTuple

from flex_tokenstore import Secret, TokenStoreError

from ._envelope import AEADS
from ._key_text import key_id
from ._sources import Source

logger = logging.getLogger("flex_tokenstore.encrypted")

AGAIN = 5.0  # seconds between two reads for a key that is missing; a session tries again as often


class Key:
    """One key, ready for each cipher."""

    def __init__(self, key: Secret[bytes]) -> None:
        self.id = key_id(key)
        # Making one takes longer than encrypting a token with it.
        self._aeads = {name: make(key.reveal()) for name, make in AEADS.items()}

    def aead(self, cipher: str) -> Any:
        """What encrypts and decrypts with it."""
        return self._aeads[cipher]


class _Held(NamedTuple):
    """What the last successful read found."""

    keys: dict[str, Key]
    """By key id; the first one encrypts."""
    stamp: object
    first: Key


class Keys:
    """The keys of one store. Threads can share it, and it works after a fork.

    Only :meth:`load` reads. What :meth:`first` and :meth:`find` return is what it found last: a key
    that has been removed from its source is not used any more.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._held: _Held | None = None
        self._tried: tuple[object, float] = (None, float("-inf"))
        self._failed: TokenStoreError | None = None
        self._told = ""
        self._lock = (os.getpid(), threading.Lock())

    def due(self, *, saving: bool = False) -> bool:
        """Nothing was read yet, or the source looks changed, or may have.

        Args:
            saving: A token is about to be encrypted.
        """
        held = self._held
        if held is None:
            return True
        if saving and time.monotonic() - self._tried[1] >= self._source.lasts:
            return True
        stamp = self._source.stamp()
        # A change that was read in vain is read again later: the file may be half written now.
        return stamp != held.stamp and (stamp != self._tried[0] or self._is_time())

    def load(self, missing: str | None = None) -> None:
        """Reads the keys, if that is due or the key with the id ``missing`` is not known.

        If that fails and there are keys from an earlier read, those go on being used.

        Raises:
            TokenStoreError: There are no keys.
        """
        began = time.monotonic()
        with self._one_at_a_time():
            if self._failed is not None and self._tried[1] >= began:
                # While this thread waited: each of many would wait for a program that hangs.
                raise copy.copy(self._failed)
            if self.due(saving=True) or (missing is not None and self._may_find(missing)):
                self._read()

    def first(self) -> Key | None:
        """The key that encrypts; None: nothing was read yet."""
        return None if self._held is None else self._held.first

    def find(self, wanted: str) -> Key | None:
        """The key with this id."""
        return None if self._held is None else self._held.keys.get(wanted)

    def _may_find(self, missing: str) -> bool:
        # One that another thread found while this one waited is known by now.
        return self._source.reads_again and self.find(missing) is None and self._is_time()

    def _is_time(self) -> bool:
        return time.monotonic() - self._tried[1] >= AGAIN

    def _read(self) -> None:
        # Before the read: what changes meanwhile is read again.
        stamp = self._source.stamp()
        found = self._source.read()
        self._tried = (stamp, time.monotonic())
        if found.error is None:
            keys = {each.id: each for each in map(Key, found.keys)}
            self._held = _Held(keys, stamp, next(iter(keys.values())))
            self._failed, self._told = None, ""
            return
        if self._held is None:
            self._failed = found.error
            raise copy.copy(found.error)  # a copy for each caller: they would mix their tracebacks
        if found.error.message != self._told:  # once for each trouble, until a read succeeds
            self._told = found.error.message
            logger.warning("%s. The keys that were read before are still used", self._told)

    def _one_at_a_time(self) -> threading.Lock:
        pid, lock = self._lock
        if pid != os.getpid():  # after a fork its holder is not there to release it
            lock = threading.Lock()
            self._lock = (os.getpid(), lock)
        return lock
