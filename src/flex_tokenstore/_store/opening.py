"""From a store config to an opened store, for sync and async handles alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from .._config.store_config import ParsedConfig, parse
from .._plugin.guard import Guard
from .._plugin.hooks import Binding, bind, label_of, refuse_other_init
from .._plugin.mistakes import mistake_in_init
from .._registry.loader import distribution_of
from .._values.host_program import current
from .._values.identity import TokenIdentity
from .._values.redaction import Redactor, secrets_of, watch_loggers
from .._values.secret import Secret
from ..errors import StoreLoadError, StoreOptionsError, UnknownStoreError
from . import plaintext
from .chosen import FALLBACK, Candidate, Chosen
from .opened import OpenedStore

HostLockSetting = Literal["on", "off"]


def open_binding(
    config: ParsedConfig,
    identity: TokenIdentity,
    *,
    prefer_async: bool,
    host_lock: str,
    require_encrypted: bool,
) -> OpenedStore:
    """See ``open_store``."""
    check_arguments(identity, host_lock, require_encrypted)
    mark = current.set(identity.program)
    try:
        chosen = ready(
            config, identity, prefer_async=prefer_async, require_encrypted=require_encrypted
        )
        return opened(chosen, identity, host_lock, require_encrypted)
    finally:
        current.reset(mark)


def check_arguments(identity: TokenIdentity, host_lock: str, require_encrypted: object) -> None:
    """Raises TypeError or StoreOptionsError for what ``open_store`` does not take."""
    if not isinstance(identity, TokenIdentity):
        raise TypeError(f"identity must be a TokenIdentity, got {type(identity).__name__}")
    if host_lock not in ("on", "off"):
        raise StoreOptionsError(
            f'host_lock must be "on" or "off", got {host_lock!r:.40}', option="host_lock"
        )
    if not isinstance(require_encrypted, bool):
        kind = type(require_encrypted).__name__
        raise TypeError(f"require_encrypted must be True or False, got {kind}")


def opened(
    chosen: Chosen, identity: TokenIdentity, host_lock: str, require_encrypted: bool = False
) -> OpenedStore:
    """The store of :func:`ready`, made now."""
    store = OpenedStore(chosen.name, make(chosen, identity), identity, host_lock == "on")
    if require_encrypted:
        plaintext.refuse_objects(store.binding)
    return store


def ready(
    config: ParsedConfig, identity: TokenIdentity, *, prefer_async: bool, require_encrypted: bool
) -> Chosen:
    """The store that a config names, checked, and with a choice made where it lists several.

    It may read many files, and wait for servers.
    """
    chosen = choose(config, prefer_async=prefer_async)
    if require_encrypted:
        plaintext.refuse_classes(chosen)
    innermost = chosen
    while innermost.inner is not None:
        innermost = innermost.inner
    if not innermost.candidates:
        return chosen
    if require_encrypted:
        plaintext.refuse_candidates(chosen, identity, make)
    from .fallback import settled  # most programs list no stores

    found = settled(chosen, identity, make)
    return found.for_asyncio() if prefer_async else found


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
            object.__setattr__(plugin, "_inner", inner)  # it may be a frozen dataclass
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
    listed: tuple[Candidate, ...] = ()
    checked, secrets = _checked_options(cls, name, options)
    if prefer_async:
        cls = getattr(cls, "async_class", None) or cls
    if name == FALLBACK:
        from .candidates import candidates  # most programs list no stores

        listed = candidates(checked.stores, choose)
    elif isinstance(cls, type) and issubclass(cls, WrapperStore):
        with _opening(name, secrets) as opening:
            inner = _choose_inner(name, checked, prefer_async=prefer_async)
        opening.check()
    variables = getattr(options, "variables", {})
    return Chosen(name, cls, None, checked, secrets, distribution, inner, variables, listed)


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
        return mistake_in_init(error, f"__init__ of {label_of(cls, distribution_of(cls))}", cls)

    return Guard(
        Redactor(secrets), name, "could not be opened", mistake=found, program=current.get()
    )
