"""A store that is open: what sync and async handles do alike, whatever the store gives back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .._host.patience import Patience
from .._plugin.guard import Guard
from .._plugin.hooks import Abilities, Binding
from .._plugin.mistakes import REPORT, mistake
from .._values.identity import TokenIdentity
from .._values.redaction import Redactor
from .._values.secret import Secret
from .._values.token import (
    CheckedToken,
    Token,
    TokenObject,
    checked,
    is_newer,
    is_wrapped,
    token_from_ours,
)
from .._values.token_form import shown_identity
from ..errors import StoreLoadError, TokenCorruptError, TokenIdentityError

if TYPE_CHECKING:
    from .._host.host_lock import HostLock

_REMEDY = "Check that it is up and reachable"
WRAPPED = "wrapped"  # the ``reason`` of an error for what a wrapper stored and none has unwrapped
_OURS = ("flex_tokenstore.stores.", "flex_tokenstore.records.")


class OpenedStore:
    """A bound store, whose it is, and what both kinds of handle do alike."""

    def __init__(
        self, name: str, binding: Binding, identity: TokenIdentity, host_lock: bool
    ) -> None:
        self.name = name
        self.binding = binding
        self.identity = identity
        self.abilities: Abilities = binding.abilities
        self._host_lock = host_lock
        self._patience: Patience | None = None
        self.redactor = Redactor(binding.secrets)

    @property
    def place(self) -> str:
        """Where the token is, for people."""
        place = self.binding.place
        return f"token store {self.name!r}" if place is None else self.redactor.text(place)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the store and of those that it wraps, the innermost one last."""
        return tuple(layer.store for layer in self.binding.layers)

    def lock_key(self) -> object:
        """The key of the single flight in this process: two handles on one token have equal keys.

        Raises:
            StoreLoadError: The store's ``lock_id`` is not a string.
            TokenUnavailableError: It failed.
        """
        hook = self.binding.lock_id
        if hook is None:
            return _ById(self.binding.innermost.plugin)
        with self.guard("name its lock", "lock_id") as failed:
            key = hook.function()
            if inspect.iscoroutine(key):
                # Else Python warns that nobody awaited it.
                key.close()
            if isinstance(key, str):
                # Not with the tokens that it has read: a key that one has a part of would change.
                return Redactor(self.redactor.options).key(key)
            raise StoreLoadError(
                f"lock_id of token store {self.name!r} must return a string, got "
                f"{type(key).__name__}"
            )
        raise failed.error

    def host_lock(self) -> HostLock | None:
        """The lock for a store that brings none; None where it is switched off."""
        if not self._host_lock:
            return None
        # Imported late: a store with a lock of its own needs neither.
        from .._host.host_lock import HostLock
        from .._host.paths import state_folder

        path = state_folder(self.identity.program) / f"{self.identity.key}.lock"
        if self._patience is None:  # of two threads one loses what it has waited so far
            self._patience = Patience()
        return HostLock(path, patience=self._patience)

    def read(self, data: object) -> Token | None:
        """What ``get_token`` returned, checked.

        Raises:
            TokenCorruptError: It is not a token, or one that no store of the chain has unwrapped.
            TokenIdentityError: It is not this identity's.
        """
        if data is None:
            return None
        found = Secret(data)
        del data  # a traceback may show locals
        self.refuse_newer(found)
        if not issubclass(type(found.reveal()), (dict, Mapping)):
            raise TokenCorruptError(
                f"the store has a bug: get_token of {self.binding.innermost.label} returned "
                f"{type(found.reveal()).__name__}; it must return the token as a dict, or None. "
                f"{REPORT}",
                store=self.name,
                place=self.place,
            )
        self._refuse_wrapped(found)
        token, problem = _token_in(found, self.binding.get_token.function)
        if token is None:
            raise TokenCorruptError(
                f"what get_token of token store {self.name!r} returned is not a token: {problem}. "
                f"If another program wrote it, remove it with {self.identity.program.removal}; "
                f"if not, the store ({self.binding.innermost.label}) has a bug",
                reason=self._reason(),
                store=self.name,
                place=self.place,
            )
        self._check_owner(token)
        self.redactor.note(token)
        return token

    def _reason(self) -> str | None:
        """Of content that is not a token: what a wrapper made of it, another key may read."""
        from .._plugin.wrapper import UNREADABLE  # a program without wrappers does not need it

        return UNREADABLE if self._unwraps() else None

    def _unwraps(self) -> bool:
        """Whether a layer makes the token from something else."""
        from .._plugin.wrapper import unwraps  # a program without wrappers does not need it

        return any(unwraps(layer.plugin) for layer in self.binding.layers)

    def refuse_newer(self, found: Secret[Any]) -> None:
        """Raises TokenCorruptError for a token that an older program must not change."""
        if is_newer(found.reveal()):
            raise TokenCorruptError(
                f"{self.place} holds a token that a newer version of this package wrote; upgrade "
                "flex-integration-sdk",
                store=self.name,
                place=self.place,
            )

    def write(self, token: Token | Secret[Any]) -> dict[str, Any]:
        """What ``set_token`` is given; from :func:`taken`.

        Raises:
            TypeError: It is not a ``Token``.
            TokenCorruptError: A wrapper stored it in place of a token.
            TokenIdentityError: It is not this identity's.
        """
        if not isinstance(token, Token):
            kind = type(token.reveal()).__name__
            raise TypeError(f"set_token takes a Token, got {kind}; make one with Token(…)")
        self._check_owner(token)
        written = token.to_dict()
        # Wrapped once more, it would keep this revision, which no reader could compute.
        if is_wrapped(written):
            raise TokenCorruptError(
                "this is not a token: a store that wraps another one (encrypts, for example) "
                "stored it in place of one; read it through that store. Nothing was saved",
                reason=WRAPPED,
                store=self.name,
                place=self.place,
            )
        return written

    def refuse_to_lose(self, found: Secret[Any], *, even_wrapped: bool) -> None:
        """Raises TokenCorruptError for what only another program can read, before it is replaced.

        Args:
            found: What the innermost store holds.
            even_wrapped: Except for what a wrapper stored.
        """
        self.refuse_newer(found)
        if even_wrapped or not is_wrapped(found.reveal()):
            return
        # What a wrapper of the chain cannot unwrap is its own business.
        if not self._unwraps():
            self._refuse_wrapped(found)

    def _refuse_wrapped(self, found: Secret[Any]) -> None:
        """As a token, it would be sent to the server and be replaced by a plain one."""
        if is_wrapped(found.reveal()):
            raise TokenCorruptError(
                f"{self.place} holds what another store wrapped (encrypted, for example), which is "
                "neither used nor overwritten: as token_store choose that store, with this one as "
                "its inner one",
                reason=WRAPPED,
                store=self.name,
                place=self.place,
            )

    def _check_owner(self, token: Token) -> None:
        if token.identity_key == self.identity.key:
            return
        whose = (
            "a token that another program stored"
            if token.identity_key is None
            else "the token of another client, environment or profile "
            f"({shown_identity(token.identity_key)})"
        )
        self.redactor.note(token)  # its tag may have the token in it
        whose = self.redactor.text(whose)
        raise TokenIdentityError(
            f"{self.place} holds {whose}, not a token of {self.identity.key}; it is neither used "
            "nor overwritten. Remove it, or choose another location",
            store=self.name,
            place=self.place,
        )

    def guard(self, doing: str, hook: str, token: Token | None = None) -> Guard:
        """For a call of the store's own code, its method ``hook``; see :class:`Guard`."""
        if token is not None:
            self.redactor.note(token)
        return Guard(
            self.redactor,
            self.name,
            f"could not {doing}",
            _REMEDY,
            lambda: self.place,
            lambda error: mistake(error, self.binding, hook),
            program=self.identity.program,
        )


class _ById:
    """A store object as a dictionary key, by identity; keeps it alive: an id is reused."""

    def __init__(self, thing: object) -> None:
        self._thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other._thing is self._thing

    def __hash__(self) -> int:
        return id(self._thing)


def taken(token: Any) -> Token | Secret[Any]:
    """A handle's argument, in a form that a traceback with locals does not show."""
    return token if isinstance(token, Token) else Secret(token)


def _token_in(found: Secret[Any], hook: Callable[..., Any]) -> tuple[Token | None, str]:
    """The token, or why it is not one. It raises nothing: the frames would hold the data."""
    if type(found.reveal()) not in (dict, TokenObject, CheckedToken):
        # Its methods are a stranger's: what they raise is an error of the store, with any text.
        plain, problem = checked(found)
        if plain is None:
            return None, problem
        found = Secret(plain)
    try:
        # A stranger's wrapper, subclass or object may have changed what code of ours checked.
        if type(found.reveal()) is CheckedToken and str(hook.__module__).startswith(_OURS):
            return token_from_ours(found.reveal()), ""
        return Token(found.reveal()), ""
    except ValueError as error:
        return None, str(error)
