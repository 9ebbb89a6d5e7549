"""From a store config to a bound store object; the part that sync and async handles share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from ._binding import Abilities, Binding, bind
from ._token import Token, is_newer
from .errors import (
    StoreOptionsError,
    TokenCorruptError,
    TokenIdentityError,
    TokenStoreError,
    TokenUnavailableError,
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
        self.abilities: Abilities = _abilities(binding)
        self._host_lock = host_lock

    @property
    def place(self) -> str:
        """Where the token is, for people."""
        place = getattr(self.binding.plugin, "place", None)
        return place if isinstance(place, str) else f"token store {self.name!r}"

    def lock_key(self) -> object:
        """What the in-process gate is keyed by: two handles on one token give equal keys."""
        hook = self.binding.lock_id
        return hook.function() if hook is not None else _ById(self.binding.plugin)

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
        if is_newer(data):
            raise TokenCorruptError(
                f"{self.place} holds a token that a newer version of this package wrote; upgrade "
                "flex-integration-sdk",
                store=self.name,
                place=self.place,
            )
        try:
            token = Token(data)  # type: ignore[arg-type]  # checked there
        except ValueError as error:
            raise TokenCorruptError(
                f"what token store {self.name!r} gave is no token: {error}; remove it with "
                "`flex-sdk token remove`",
                store=self.name,
                place=self.place,
            ) from None
        self._check_owner(token)
        return token

    def write(self, token: Token) -> dict[str, Any]:
        """What ``set_token`` is given."""
        self._check_owner(token)
        return token.to_dict()

    def _check_owner(self, token: Token) -> None:
        if token.identity_key == self.identity.key:
            return
        whose = (
            "a token that another program stored"
            if token.identity_key is None
            else f"the token of another client, environment or profile ({token.identity_key})"
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
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's store raises
            raise TokenUnavailableError(
                f"token store {self.name!r} could not {doing}: {type(error).__name__}"
                f"{_shown(error, token)}. Check that it is up and reachable",
                store=self.name,
                place=self.place,
            ) from (None if _leaks(error, token) else without_frames(error))


def open_binding(
    config: StoreConfig, identity: TokenIdentity, *, prefer_async: bool, host_lock: str
) -> OpenedStore:
    """See ``open_store``."""
    if host_lock not in ("on", "off"):
        raise StoreOptionsError('host_lock must be "on" or "off"', option="host_lock")
    from ._config import normalise

    name, options, own = normalise(config)
    if own is not None:
        name = type(own).__name__
        binding = bind(own, store=name, marked=False)
        return OpenedStore(name, binding, identity, host_lock == "on")
    assert name is not None
    plugin = make_plugin(name, options, identity, prefer_async=prefer_async)
    return OpenedStore(name, bind(plugin, store=name, marked=True), identity, host_lock == "on")


def make_plugin(
    name: str, options: Mapping[str, Any], identity: TokenIdentity, *, prefer_async: bool
) -> object:
    """A store object made from its name and options."""
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
        raise TokenUnavailableError(
            f"token store {name!r} could not be opened: {type(error).__name__}", store=name
        ) from without_frames(error)
    open_inner = getattr(plugin, "_open_inner", None)
    if open_inner is not None:
        open_inner(identity, prefer_async)
    return plugin


def _abilities(binding: Binding) -> Abilities:
    inner = getattr(binding.plugin, "_inner", None)
    return _abilities(inner) if isinstance(inner, Binding) else binding.abilities


class _ById:
    """A store object as a dictionary key, by identity; keeps it alive: an id is reused."""

    def __init__(self, thing: object) -> None:
        self._thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other._thing is self._thing

    def __hash__(self) -> int:
        return id(self._thing)


def _shown(error: Exception, token: Token | None) -> str:
    if token is None:
        # What a driver says while reading may hold what it read.
        return ""
    return "" if _leaks(error, token) else f": {error}"


def _leaks(error: BaseException, token: Token | None) -> bool:
    if token is None:
        return False
    text = f"{error}{error.args!r}{error.__cause__}{error.__context__}"
    refresh = token.refresh_token
    return token.access_token.reveal() in text or (refresh is not None and refresh.reveal() in text)


HostLockSetting = Literal["on", "off"]
