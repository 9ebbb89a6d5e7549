"""Keys in the system's keychain, by the package ``keyring``."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from flex_tokenstore import Secret, TokenStoreError

from ._backend import NoBackendError, backend, label_of
from ._key_text import from_text
from ._sources import ONLY_AT_SAVES, Read, unavailable, wrong

_TIME_LIMIT = 10.0  # seconds of one answer; it may have opened a window that waits for somebody
_TIME_LIMIT_AGAIN = 1.0  # seconds that each later read waits for it
_USABLE = 60.0  # seconds after which an answer that came too late is not used any more


class KeychainSource:
    """The option ``key_keychain``."""

    reads_again = True
    lasts = ONLY_AT_SAVES

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._question: _Question | None = None

    def stamp(self) -> object:
        """It is not seen whether the keychain has changed."""
        return None

    def read(self) -> Read:
        """Asks the keychain. While it does not answer it is not asked again."""
        question, limit = self._question, _TIME_LIMIT_AGAIN
        if question is None or question.is_old():
            question, limit = _Question(self._entry), _TIME_LIMIT
            self._question = question
        if not question.answered(limit):
            problem = (
                f"is not answered by the keychain within {_TIME_LIMIT:g} seconds: answer its "
                "window, or unlock it"
            )
            return Read((), unavailable("key_keychain", problem))
        self._question = None
        if question.error is not None:
            return Read((), question.error)
        keys, told = from_text(question.text)
        return Read(keys, wrong("key_keychain", f"({self._entry!r}) {told}") if told else None)


class _Question:
    """Asks once, in a thread of its own: a keychain may wait for somebody for ever."""

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._pid, self._end = os.getpid(), float("inf")
        self._thread: threading.Thread | None = None
        self.text: Secret[str] = Secret("")
        self.error: TokenStoreError | None = None
        thread = threading.Thread(target=self._ask, name="flex-tokenstore-keychain", daemon=True)
        try:
            thread.start()
            self._thread = thread
        except RuntimeError:  # the program ends, and no thread can be started any more
            self._ask()

    def answered(self, limit: float) -> bool:
        if self._thread is not None:
            self._thread.join(limit)
            return not self._thread.is_alive()
        return True

    def is_old(self) -> bool:
        """Its answer came long ago, or never comes: its thread is in the parent of a fork."""
        return self._pid != os.getpid() or time.monotonic() - self._end > _USABLE

    def _ask(self) -> None:
        try:
            keychain = backend()
            found = Secret[Any](keychain.get_password(*parts_of(self._entry)))
        except NoBackendError as error:
            kind = unavailable if error.later else wrong
            self.error = kind("key_keychain", str(error))
        except Exception as error:  # noqa: BLE001 - of any backend; its text may hold anything
            problem = f"cannot be read now ({type(error).__name__}): is the keychain locked?"
            self.error = unavailable("key_keychain", problem)
        else:
            if found.reveal() is None:
                self.error = wrong("key_keychain", _missing(self._entry, keychain))
            else:
                self.text = found
        self._end = time.monotonic()


def parts_of(entry: str) -> tuple[str, str]:
    """Service and user name of ``service/username``."""
    service, _, username = entry.partition("/")
    return service, username


def _missing(entry: str, keychain: object) -> str:
    return (
        f"names {entry!r}, which {label_of(keychain)} does not have. If tokens were encrypted with "
        "it before, it is in another keychain or another user's. Else make it with: python -m "
        f"flex_tokenstore_encrypted new-key --keychain {entry}"
    )
