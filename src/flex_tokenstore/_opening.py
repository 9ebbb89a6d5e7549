"""From a store config to a bound store object; the part that sync and async handles share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from ._binding import Abilities, Binding, bind
from ._config import hidden, normalise
from ._guard import Guard, refuse_other_init
from ._identity import TokenIdentity
from ._patience import Patience
from ._redaction import Redactor, secrets_of, watch_loggers
from ._secret import Secret
from ._token import Token, TokenObject, checked, is_newer
from ._token_form import shown_identity
from .errors import (
    StoreLoadError,
    StoreOptionsError,
    TokenCorruptError,
    TokenIdentityError,
)

if TYPE_CHECKING:
    from ._host_lock import HostLock

_REMEDY = "Check that it is up and reachable"

StoreConfig = str | Mapping[str, Any] | object
"""A store's name, a mapping with ``name`` and its options, or an object with the three methods."""


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
        self._patience = Patience()
        self.redactor = Redactor(binding.secrets)

    @property
    def place(self) -> str:
        """Where the token is, for people."""
        place = self.binding.place
        return f"token store {self.name!r}" if place is None else self.redactor.text(place)

    def lock_key(self) -> object:
        """What the in-process gate is keyed by: two handles on one token give equal keys.

        Raises:
            StoreLoadError: The store's ``lock_id`` is not a string.
            TokenUnavailableError: It failed.
        """
        hook = self.binding.lock_id
        if hook is None:
            return _ById(self.binding.innermost.plugin)
        with self.guard("name its lock") as failed:
            key = hook.function()
            if inspect.iscoroutine(key):
                key.close()
            if isinstance(key, str):
                return self.redactor.key(key)
            raise StoreLoadError(
                f"lock_id of token store {self.name!r} must return a string, got "
                f"{type(key).__name__}"
            )
        raise failed.error

    def host_lock(self) -> HostLock | None:
        """The lock for a store that brings none; None where it is switched off."""
        if not self._host_lock:
            return None
        from ._folders import state_folder
        from ._host_lock import HostLock

        path = state_folder() / f"{self.identity.key}.lock"
        return HostLock(path, patience=self._patience)

    def read(self, data: object) -> Token | None:
        """What ``get_token`` gave, checked.

        Raises:
            TokenCorruptError: It is no token.
            TokenIdentityError: It is not this identity's.
        """
        if data is None:
            return None
        found = Secret(data)
        del data  # a traceback may show locals
        self.refuse_newer(found)
        token, problem = _token_in(found)
        if token is None:
            raise TokenCorruptError(
                f"what token store {self.name!r} gave is no token: {problem}; remove it with "
                "`flex-sdk token remove`",
                store=self.name,
                place=self.place,
            )
        self._check_owner(token)
        self.redactor.note(token)
        return token

    def refuse_newer(self, found: Secret[Any]) -> None:
        """Raises TokenCorruptError for a token that an older program must leave alone."""
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
            TypeError: It is no ``Token``.
            TokenIdentityError: It is not this identity's.
        """
        if not isinstance(token, Token):
            kind = type(token.reveal()).__name__
            raise TypeError(f"set_token takes a Token, got {kind}; make one with Token(…)")
        self._check_owner(token)
        return token.to_dict()

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
            f"{self.place} holds {whose}, not one of {self.identity.key}; it is neither used nor "
            "overwritten. Remove it, choose another place, or, for a file of the JavaScript SDK, "
            "set the option share_with_js",
            store=self.name,
            place=self.place,
        )

    def guard(self, doing: str, token: Token | None = None) -> Guard:
        """For a call of the store's own code; see :class:`Guard`."""
        self.redactor.note(token)
        what = f"could not {doing}"
        return Guard(self.redactor, self.name, what, _REMEDY, lambda: self.place)


def open_binding(
    config: StoreConfig, identity: TokenIdentity, *, prefer_async: bool, host_lock: str
) -> OpenedStore:
    """See ``open_store``."""
    config = hidden(config)
    if not isinstance(identity, TokenIdentity):
        raise TypeError(f"identity must be a TokenIdentity, got {type(identity).__name__}")
    if host_lock not in ("on", "off"):
        raise StoreOptionsError('host_lock must be "on" or "off"', option="host_lock")
    name, binding = bind_config(config, identity, prefer_async=prefer_async)
    return OpenedStore(name, binding, identity, host_lock == "on")


def bind_config(
    config: StoreConfig, identity: TokenIdentity, *, prefer_async: bool
) -> tuple[str, Binding]:
    """A store's name and its hooks, from its config."""
    config = hidden(config)
    name, options, own = normalise(config)
    if own is not None:
        name = type(own).__name__
        with _opening(name, ()) as opening:
            return name, bind(own, store=name, marked=False)
        raise opening.error
    assert name is not None
    return name, _bind_plugin(name, options, identity, prefer_async=prefer_async)


def _bind_plugin(
    name: str, options: Mapping[str, Any], identity: TokenIdentity, *, prefer_async: bool
) -> Binding:
    """The hooks of a store object made from its name and options."""
    from ._registry import load_store_class
    from ._wrapper import WrapperStore

    cls: Any = load_store_class(name)
    checked = _checked_options(cls, name, options)
    secrets, inner = secrets_of(checked), None
    with _opening(name, secrets) as opening:
        if prefer_async:
            cls = getattr(cls, "async_class", None) or cls
        plugin = _made(cls, name, checked, identity)
        if isinstance(plugin, WrapperStore):
            inner = plugin._open_inner(name, checked, identity, prefer_async=prefer_async)
        binding = bind(plugin, store=name, marked=True, inner=inner)
        binding.secrets = secrets + (() if inner is None else inner.secrets)
        return binding
    raise opening.error


def _made(cls: type, name: str, options: Any, identity: TokenIdentity) -> object:
    factory: Callable[..., object] = cls
    try:
        return factory(options, identity)
    except TypeError:
        # Looked at only now: a class without hooks, or with another signature, is the plugin's
        # mistake and not an outage.
        bind(cls, store=name, marked=True)
        refuse_other_init(cls, name)
        raise


def _checked_options(cls: type, name: str, options: Mapping[str, Any]) -> Any:
    from ._options import check_options

    with _opening(name, ()) as opening:
        return check_options(cls, options, store=name)
    raise opening.error


def _opening(name: str, secrets: tuple[Secret[Any], ...]) -> Guard:
    """For the code of a plugin that runs while it is opened."""
    watch_loggers()
    return Guard(Redactor(secrets), name, "could not be opened")


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


def _token_in(found: Secret[Any]) -> tuple[Token | None, str]:
    """The token, or why it is none. It does not raise: the error's frames would hold the data."""
    if type(found.reveal()) not in (dict, TokenObject):
        # Its methods are a stranger's: what they raise is an error of the store, with any text.
        plain, problem = checked(found)
        if plain is None:
            return None, problem
        found = Secret(plain)
    try:
        return Token(found.reveal()), ""
    except ValueError as error:
        return None, str(error)


HostLockSetting = Literal["on", "off"]
