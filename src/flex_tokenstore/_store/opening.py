"""From a store config to a bound store object; the part that sync and async handles share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .. import hookspecs
from .._config.store_config import ParsedConfig, parse
from .._host.patience import Patience
from .._plugin.guard import Guard
from .._plugin.hooks import Abilities, Binding, bind, label_of, refuse_other_init
from .._plugin.mistakes import REPORT, mistake, mistake_in
from .._registry.loader import distribution_of
from .._values.host_program import current
from .._values.identity import TokenIdentity
from .._values.redaction import Redactor, secrets_of, watch_loggers
from .._values.secret import Secret
from .._values.token import (
    CheckedToken,
    Token,
    TokenObject,
    checked,
    is_newer,
    token_from_ours,
)
from .._values.token_form import shown_identity
from ..errors import (
    StoreLoadError,
    StoreOptionsError,
    TokenCorruptError,
    TokenIdentityError,
    UnknownStoreError,
)

if TYPE_CHECKING:
    from .._host.host_lock import HostLock

_REMEDY = "Check that it is up and reachable"
_OUR_STORES = "flex_tokenstore.stores."


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
            TokenCorruptError: It is not a token.
            TokenIdentityError: It is not this identity's.
        """
        if data is None:
            return None
        found = Secret(data)
        del data  # a traceback may show locals
        self.refuse_newer(found)
        if not issubclass(type(found.reveal()), Mapping):
            raise TokenCorruptError(
                f"the store has a bug: get_token of {self.binding.innermost.label} returned "
                f"{type(found.reveal()).__name__}; it must return the token as a dict, or None. "
                f"{REPORT}",
                store=self.name,
                place=self.place,
            )
        token, problem = _token_in(found, type(self.binding.plugin))
        if token is None:
            raise TokenCorruptError(
                f"what get_token of token store {self.name!r} returned is not a token: {problem}. "
                f"If another program wrote it, remove it with {self.identity.program.removal}; "
                f"if not, the store ({self.binding.innermost.label}) has a bug",
                store=self.name,
                place=self.place,
            )
        self._check_owner(token)
        self.redactor.note(token)
        return token

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


def open_binding(
    config: ParsedConfig, identity: TokenIdentity, *, prefer_async: bool, host_lock: str
) -> OpenedStore:
    """See ``open_store``."""
    check_arguments(identity, host_lock)
    mark = current.set(identity.program)
    try:
        return opened(choose(config, prefer_async=prefer_async), identity, host_lock)
    finally:
        current.reset(mark)


def check_arguments(identity: TokenIdentity, host_lock: str) -> None:
    """Raises TypeError or StoreOptionsError for what ``open_store`` does not take."""
    if not isinstance(identity, TokenIdentity):
        raise TypeError(f"identity must be a TokenIdentity, got {type(identity).__name__}")
    if host_lock not in ("on", "off"):
        raise StoreOptionsError(
            f'host_lock must be "on" or "off", got {host_lock!r:.40}', option="host_lock"
        )


def opened(chosen: Chosen, identity: TokenIdentity, host_lock: str) -> OpenedStore:
    """The store, made now."""
    return OpenedStore(chosen.name, make(chosen, identity), identity, host_lock == "on")


class Chosen(NamedTuple):
    """Which store to open, and with what: found and imported, but not made yet."""

    name: str
    cls: Any
    """The class to make; None for an object of the user's own."""
    own: object | None
    options: Any
    secrets: tuple[Secret[Any], ...]
    distribution: str
    inner: Chosen | None
    variables: Mapping[str, Any]
    """By option: the environment variable that it came from, for error messages."""

    @property
    def is_async(self) -> bool:
        """Its ``__init__`` may want the event loop in which its coroutines will run."""
        if self.own is not None or (self.inner is not None and self.inner.is_async):
            return True
        hooks = (inspect.getattr_static(self.cls, name, None) for name in hookspecs.HOOKS)
        return any(inspect.iscoroutinefunction(hook) for hook in hooks)


def choose(config: ParsedConfig, *, prefer_async: bool) -> Chosen:
    """The store that a config names. It may read many files: all imports and scans are here."""
    if config.error is not None:
        raise config.error
    if config.own is not None:
        return Chosen(type(config.own).__name__, None, config.own, None, (), "", None, {})
    assert config.name is not None
    return _choose_plugin(config.name, config.options, prefer_async=prefer_async)


def make(chosen: Chosen, identity: TokenIdentity) -> Binding:
    """The hooks of the store, which is made now."""
    name, secrets = chosen.name, chosen.secrets
    with _opening(name, secrets, chosen.cls) as opening:
        if chosen.own is not None:
            return bind(chosen.own, store=name, marked=False)
        plugin, inner = _made(chosen.cls, name, chosen.options, identity), None
        if chosen.inner is not None:
            with naming_inner(name):
                inner = make(chosen.inner, identity)
            plugin._inner = inner
        binding = bind(plugin, store=name, marked=True, inner=inner)
        binding.distribution = chosen.distribution
        # A wrapper's error may quote the password of the store that it wraps.
        binding.secrets = secrets + (() if inner is None else inner.secrets)
        return binding
    if isinstance(opening.error, StoreOptionsError):
        from .._config.options import name_variable

        name_variable(opening.error, chosen.variables)
    raise opening.error


@contextmanager
def naming_inner(store: str) -> Iterator[None]:
    """Errors within are of the option ``inner`` of that store."""
    try:
        yield
    except (StoreOptionsError, UnknownStoreError, StoreLoadError) as error:
        error.message = f"option 'inner' of token store {store!r}: {error.message}"
        error.args = (error.message,)
        if isinstance(error, StoreOptionsError):
            error.option = "inner" if error.option is None else f"inner.{error.option}"
        raise


def _choose_plugin(name: str, options: Mapping[str, Any], *, prefer_async: bool) -> Chosen:
    from .._plugin.wrapper import WrapperStore
    from .._registry.catalogue import load_store_class

    cls: Any = load_store_class(name)
    distribution, inner = distribution_of(cls), None
    checked, secrets = _checked_options(cls, name, options)
    if prefer_async:
        cls = getattr(cls, "async_class", None) or cls
    if isinstance(cls, type) and issubclass(cls, WrapperStore):
        with _opening(name, secrets) as opening:
            inner = _choose_inner(name, checked, prefer_async=prefer_async)
        opening.check()
    variables = getattr(options, "variables", {})
    return Chosen(name, cls, None, checked, secrets, distribution, inner, variables)


def _choose_inner(store: str, options: Any, *, prefer_async: bool) -> Chosen:
    if not hasattr(options, "inner"):
        raise StoreLoadError(
            f"token store {store!r} wraps another, but its Options have no field `inner` for "
            "the config of that one",
            store=store,
        )
    with naming_inner(store):
        return choose(parse(options.inner), prefer_async=prefer_async)


def _made(cls: type, name: str, options: Any, identity: TokenIdentity) -> Any:
    factory: Callable[..., object] = cls
    try:
        return factory(options, identity)
    except TypeError:
        # Looked at only now: a class without hooks, or with another signature, is the plugin's
        # mistake and not an outage.
        bind(cls, store=name, marked=True)
        refuse_other_init(cls, name)
        raise


def _checked_options(
    cls: type, name: str, options: Mapping[str, Any]
) -> tuple[Any, tuple[Secret[Any], ...]]:
    """The options as the store takes them, and the secrets among them."""
    from .._config.options import check_options

    with _opening(name, ()) as opening:
        checked = check_options(cls, options, store=name)
        return checked, secrets_of(checked)
    raise opening.error


def _opening(name: str, secrets: tuple[Secret[Any], ...], cls: Any = None) -> Guard:
    """For the code of a plugin that runs while it is opened; ``cls`` is what is made."""
    # Each time: a plugin makes its loggers when it is imported.
    watch_loggers()

    def found(error: Exception) -> str | None:
        if not isinstance(cls, type):
            return None
        return mistake_in(error, f"__init__ of {label_of(cls, distribution_of(cls))}", cls)

    return Guard(
        Redactor(secrets), name, "could not be opened", mistake=found, program=current.get()
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


def _token_in(found: Secret[Any], store: type) -> tuple[Token | None, str]:
    """The token, or why it is not one. It raises nothing: the frames would hold the data."""
    if type(found.reveal()) not in (dict, TokenObject, CheckedToken):
        # Its methods are a stranger's: what they raise is an error of the store, with any text.
        plain, problem = checked(found)
        if plain is None:
            return None, problem
        found = Secret(plain)
    try:
        # A stranger's wrapper, subclass or object may have changed what a store of ours checked.
        if type(found.reveal()) is CheckedToken and str(store.__module__).startswith(_OUR_STORES):
            return token_from_ours(found.reveal()), ""
        return Token(found.reveal()), ""
    except ValueError as error:
        return None, str(error)


HostLockSetting = Literal["on", "off"]
