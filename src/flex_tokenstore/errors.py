"""What can go wrong with a token store, as one tree.

Every class is also the built-in exception that fits it, so ``except OSError`` and
``except ValueError`` do what one expects::

    TokenStoreError
    ├── UnknownStoreError        (LookupError)      no store has that name
    ├── StoreLoadError           (ImportError)      the plugin cannot be imported or is not a store
    ├── StoreOptionsError        (ValueError)       an option is unknown, missing or of a wrong type
    ├── TokenUnavailableError    (OSError)          the store cannot be reached or used now
    │   └── TokenPermissionError (PermissionError)  a file or folder is not private to its owner
    │       └── TokenReadOnlyError                  this program only reads the store
    ├── TokenCorruptError        (ValueError)       what is stored is not a token
    ├── TokenConflictError       (RuntimeError)     what is stored is not what was expected
    ├── TokenIdentityError       (ValueError)       what is stored is another client's token
    ├── TokenLockTimeoutError    (TimeoutError)     the lock could not be acquired in time
    ├── GrantError               (RuntimeError)     a token request failed
    ├── AsyncioRequiredError     (RuntimeError)     a coroutine of ours, and asyncio does not run
    └── SessionClosedError       (RuntimeError)     the session is closed, or of another event loop

Messages say what happened, in which store and where, and what to do next. None ever holds
a token, a client secret or a passphrase.
"""

from __future__ import annotations

import copy
from typing import Literal, TypeVar

__all__ = [
    "AsyncioRequiredError",
    "GrantError",
    "GrantReason",
    "SessionClosedError",
    "StoreLoadError",
    "StoreOptionsError",
    "TokenConflictError",
    "TokenCorruptError",
    "TokenIdentityError",
    "TokenLockTimeoutError",
    "TokenPermissionError",
    "TokenReadOnlyError",
    "TokenStoreError",
    "TokenUnavailableError",
    "UnknownStoreError",
]


GrantReason = Literal["rejected", "doubtful", "transient", "failed"]
"""How a token request failed; :class:`GrantError` says what each means."""


class TokenStoreError(Exception):
    """Base of all errors of this package.

    Args:
        message: What happened and what to do next; never a secret.
        store: Name of the store, such as ``"file"``; None: not known.
        place: Location of the token: a path, a key, or an address without its password; None: not
            known.
    """

    def __init__(
        self, message: str = "", *, store: str | None = None, place: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.store = store
        self.place = place

    def __str__(self) -> str:
        return self.message


class UnknownStoreError(TokenStoreError, LookupError):
    """No installed store has this name."""


class StoreLoadError(TokenStoreError, ImportError):
    """A store's plugin cannot be imported, or its entry point does not name a token store."""


class StoreOptionsError(TokenStoreError, ValueError):
    """An option of a store is unknown, missing, or has a wrong type.

    Args:
        option: Name of the option; None: not one option is wrong but the config.
    """

    def __init__(
        self,
        message: str = "",
        *,
        option: str | None = None,
        store: str | None = None,
        place: str | None = None,
    ) -> None:
        super().__init__(message, store=store, place=place)
        self.option = option


class TokenUnavailableError(TokenStoreError, OSError):
    """The store cannot answer now. It does not mean that no token is stored."""


class TokenPermissionError(TokenUnavailableError, PermissionError):
    """This user may not use the file, folder or key; or others may read or change it."""


class TokenReadOnlyError(TokenPermissionError):
    """This program only reads the token (store ``read-only``), and another one has to renew it."""


class TokenCorruptError(TokenStoreError, ValueError):
    """What is stored is not a token that can be read.

    Args:
        revision: Pass it to ``remove_token`` as ``expected`` to move exactly this content aside.
            None: the content must be left where it is, since it is another program's file, has a
            newer format, or the key to it is not known.
        reason: A few constant words for programs, such as ``"unknown key"``, from a store that can
            tell what is wrong; ``"unreadable"`` from a wrapper that cannot. A session then neither
            removes the content, nor revokes: it may be a token that another program can read. None:
            the store cannot tell.
    """

    def __init__(
        self,
        message: str = "",
        *,
        revision: str | None = None,
        reason: str | None = None,
        store: str | None = None,
        place: str | None = None,
    ) -> None:
        super().__init__(message, store=store, place=place)
        self.revision = revision
        self.reason = reason


class TokenConflictError(TokenStoreError, RuntimeError):
    """Another revision is stored than the expected one. Nothing was changed."""


class TokenIdentityError(TokenStoreError, ValueError):
    """The stored token belongs to another client, server or profile, or its owner is not known."""


class TokenLockTimeoutError(TokenStoreError, TimeoutError):
    """The token lock could not be acquired in time: another program holds it."""


class GrantError(TokenStoreError, RuntimeError):
    """A token request failed. The session's grants raise it.

    Args:
        reason: ``"rejected"``: the server rejects this refresh token for good (RFC 6749 section
            5.2, ``invalid_grant``). ``"doubtful"``: it looks like a rejection, but a gateway may
            have sent it; it counts as one only if nothing else comes for a minute. ``"transient"``:
            no response, or one that says nothing about the token (5xx, a time-out); worth one more
            try. ``"failed"``: anything else.
    """

    sent: bool = True
    """False if the request did not leave this program: no connection, or no secret to send."""
    busy: bool = False
    """True if it was not sent because all connections to the server were in use. The session
    releases its lock and tries again."""
    retry_after: float | None = None
    """Seconds that the server asks to wait before the next token request; None: it did not say."""
    why: str | None = None
    """Of a sign-in, why there was no refresh token to use: ``"empty"`` (nothing is stored),
    ``"no_refresh_token"`` (what is stored has none), ``"rejected"`` (the server rejected it) or
    ``"store_unavailable"``; None: not known. Set by the session, after the grant has raised."""
    rejected_by: str | None = None
    """Of a sign-in, the message of the last rejection of a refresh token, which names the host."""

    def __init__(
        self,
        message: str = "",
        *,
        reason: GrantReason = "failed",
        store: str | None = None,
        place: str | None = None,
    ) -> None:
        super().__init__(message, store=store, place=place)
        self.reason = reason


class AsyncioRequiredError(TokenStoreError, RuntimeError):
    """The async classes need a running asyncio event loop. They do not work under trio or curio."""


class SessionClosedError(TokenStoreError, RuntimeError):
    """The session was closed, belongs to another event loop, or its loop was shut down or is the
    one that this sync call blocks."""


E_ = TypeVar("E_", bound=BaseException)


def fresh_copy(error: E_) -> E_:
    """A copy to raise in one more caller: one object in two threads mixes their tracebacks."""
    try:
        twin = copy.copy(error)
    except Exception:  # noqa: BLE001 - an error class of a stranger may resist; the original will do
        return error
    # copy.copy leaves it out: it is not in the __dict__.
    twin.__cause__ = error.__cause__
    twin.__suppress_context__ = True
    return twin
