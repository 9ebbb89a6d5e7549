"""From a store config to a bound store object; the part that sync and async handles share."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from ._binding import Abilities, Binding, bind
from ._config import hidden, normalise
from ._secret import Secret
from ._token import Token, is_newer, shown_identity
from .errors import (
    StoreOptionsError,
    TokenCorruptError,
    TokenIdentityError,
    TokenStoreError,
    TokenUnavailableError,
    fresh_copy,
    without_frames,
)

if TYPE_CHECKING:
    from ._host_lock import HostLock
    from ._identity import TokenIdentity

logger = logging.getLogger("flex_tokenstore")

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

    @property
    def place(self) -> str:
        """Where the token is, for people."""
        return self.binding.place or f"token store {self.name!r}"

    def lock_key(self) -> object:
        """What the in-process gate is keyed by: two handles on one token give equal keys."""
        hook = self.binding.lock_id
        return hook.function() if hook is not None else _ById(self.binding.innermost.plugin)

    def host_lock(self) -> HostLock | None:
        """The lock for a store that brings none; None where it is switched off."""
        if not self._host_lock:
            return None
        from ._folders import state_folder
        from ._host_lock import HostLock

        return HostLock(state_folder() / f"{self.identity.key}.lock")

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
        if is_newer(found.reveal()):
            raise TokenCorruptError(
                f"{self.place} holds a token that a newer version of this package wrote; upgrade "
                "flex-integration-sdk",
                store=self.name,
                place=self.place,
            )
        token, problem = _token_in(found)
        if token is None:
            raise TokenCorruptError(
                f"what token store {self.name!r} gave is no token: {problem}; remove it with "
                "`flex-sdk token remove`",
                store=self.name,
                place=self.place,
            )
        self._check_owner(token)
        return token

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
            else f"the token of another client, environment or profile ({shown_identity(token.identity_key)})"
        )
        raise TokenIdentityError(
            f"{self.place} holds {whose}, not one of {self.identity.key}; it is neither used nor "
            "overwritten. Remove it, choose another place, or, for a file of the JavaScript SDK, "
            "set the option share_with_js",
            store=self.name,
            place=self.place,
        )

    @contextmanager
    def guard(self, doing: str, token: Token | None = None) -> Iterator[None]:
        """Turns what a store raises into an error of ours that shows no secret."""
        try:
            yield
        except TokenStoreError as error:
            if error.store is None:
                error.store = self.name
            # A plugin's frames may hold what it read or was to write. A copy, for contextlib
            # gives the error itself its frames back.
            without_frames(error)
            raise fresh_copy(error)  # noqa: B904 - it keeps the cause that it has
        except Exception as error:  # noqa: BLE001 - whatever a stranger's store raises
            leaks = _leaks(error, (*self.binding.secrets, *_secrets_of(token)))
            # While reading, what a driver says may hold what it read.
            said = "" if token is None or leaks else f": {error}"
            without_frames(error)
            raise TokenUnavailableError(
                f"token store {self.name!r} could not {doing}: {type(error).__name__}{said}. Check "
                "that it is up and reachable",
                store=self.name,
                place=self.place,
            ) from (None if leaks else error)


def open_binding(
    config: StoreConfig, identity: TokenIdentity, *, prefer_async: bool, host_lock: str
) -> OpenedStore:
    """See ``open_store``."""
    config = hidden(config)
    if host_lock not in ("on", "off"):
        raise StoreOptionsError('host_lock must be "on" or "off"', option="host_lock")
    name, binding = bind_config(config, identity, prefer_async=prefer_async)
    return OpenedStore(name, binding, identity, host_lock == "on")


def bind_config(
    config: StoreConfig, identity: TokenIdentity, *, prefer_async: bool
) -> tuple[str, Binding]:
    """A store's name and its hooks, from its config."""
    from ._wrapper import WrapperStore

    config = hidden(config)
    name, options, own = normalise(config)
    if own is not None:
        name = type(own).__name__
        return name, bind(own, store=name, marked=False)
    assert name is not None
    plugin, checked = _make_plugin(name, options, identity, prefer_async=prefer_async)
    inner = None
    if isinstance(plugin, WrapperStore):
        inner = plugin._open_inner(name, checked, identity, prefer_async=prefer_async)
    binding = bind(plugin, store=name, marked=True, inner=inner)
    binding.secrets = _secrets_of(checked) + (() if inner is None else inner.secrets)
    return name, binding


def _make_plugin(
    name: str, options: Mapping[str, Any], identity: TokenIdentity, *, prefer_async: bool
) -> tuple[object, Any]:
    """A store object made from its name and options, and these options, checked."""
    from ._options import check_options
    from ._registry import load_store_class

    cls: Any = load_store_class(name)
    if prefer_async:
        cls = getattr(cls, "async_class", None) or cls
    checked = check_options(cls, options, store=name)
    factory: Callable[..., object] = cls
    try:
        plugin = factory(checked, identity)
    except TokenStoreError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a stranger's store raises
        without_frames(error)
        raise TokenUnavailableError(
            f"token store {name!r} could not be opened: {type(error).__name__}", store=name
        ) from (None if _leaks(error, _secrets_of(checked)) else error)
    return plugin, checked


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
    try:
        return Token(found.reveal()), ""
    except ValueError as error:
        return None, str(error)
    except RecursionError:
        return None, "it is nested too deeply"


def _secrets_of(thing: object) -> tuple[Secret[Any], ...]:
    """The secrets of a token, or of a store's options."""
    if isinstance(thing, Token):
        return tuple(each for each in (thing.access_token, thing.refresh_token) if each)
    if isinstance(thing, Secret):
        return (thing, *_password_of(thing))
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        parts: Iterable[Any] = [getattr(thing, each.name) for each in dataclasses.fields(thing)]
    elif isinstance(thing, Mapping):
        parts = thing.values()
    elif isinstance(thing, (list, tuple)):
        parts = thing
    else:
        return ()  # such as a program's own client: what is in there is its own matter
    return tuple(secret for each in parts for secret in _secrets_of(each))


def _password_of(secret: Secret[Any]) -> tuple[Secret[Any], ...]:
    """Of an address, which drivers show without its password, or only the password itself."""
    from urllib.parse import unquote, urlsplit

    try:
        password = Secret(urlsplit(secret.reveal()).password)
    except (ValueError, AttributeError, TypeError):
        return ()
    return (password, Secret(unquote(password.reveal() or ""))) if password else ()


def _leaks(error: BaseException, secrets: tuple[Secret[Any], ...]) -> bool:
    """Whether the error, or one that led to it, says a secret."""
    said, seen = [], set[int]()
    queue: list[BaseException | None] = [error]
    while queue:
        each = queue.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            said.append(f"{each}{each.args!r}{getattr(each, '__notes__', '')}")
            queue += (each.__cause__, each.__context__)
    text = Secret("".join(said))
    return any(each.reveal() in text.reveal() for each in secrets if isinstance(each.reveal(), str))


HostLockSetting = Literal["on", "off"]
