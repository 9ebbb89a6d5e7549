"""A store plugin's hooks, checked by pluggy once and bound for direct calls."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any, NamedTuple

import pluggy

from .. import hookspecs
from .._values.secret import Secret
from ..errors import StoreLoadError
from .hook_kinds import check_kinds

_NEEDED = {"set_token": frozenset({"token"}), "token_lock": frozenset({"wait", "lease"})}
_LISTED = ", ".join(hookspecs.REQUIRED)


class Abilities(NamedTuple):
    """What a store can do beyond keeping a token; derived from what it implements."""

    compare_and_set: bool
    """It refuses to replace a token other than the expected one."""
    lock: bool
    """It has a token lock of its own, which holds for all who share the store."""
    native_async: bool
    """Its hooks are coroutine functions, or its class names an ``async_class``."""
    prepare_save: bool = False
    """It finds out before a token is requested whether the token could be saved."""
    read_only: bool = False
    """It changes nothing: a session uses the token that another program renews."""


class Hook(NamedTuple):
    """One bound hook implementation."""

    function: Callable[..., Any]
    arguments: frozenset[str]
    is_coroutine: bool

    def keywords(self, **values: Any) -> dict[str, Any]:
        """The arguments that this implementation takes."""
        return {name: value for name, value in values.items() if name in self.arguments}


class Binding:
    """The hooks of one store object, or of one store class that is only looked at."""

    def __init__(
        self,
        plugin: object,
        hooks: dict[str, Hook],
        *,
        store: str,
        native_async: bool,
        marked: bool,
        inner: Binding | None = None,
    ) -> None:
        self.plugin = plugin
        self.store = store
        self.inner = inner
        self.secrets: tuple[Secret[Any], ...] = ()  # of its options: what no message may hold
        self.distribution = ""  # where its class came from; of an object of the user's own: none
        self._marked = marked
        self.get_token = hooks["get_token"]
        self.set_token = hooks["set_token"]
        self.remove_token = hooks["remove_token"]
        self.prepare_save = hooks.get("prepare_save")
        self.token_lock = hooks.get("token_lock")
        self.lock_id = hooks.get("lock_id")
        self.close = hooks.get("close")
        self.abilities: Abilities = Abilities(
            compare_and_set="expected" in self.set_token.arguments
            and (inner is None or inner.abilities.compare_and_set),
            lock=self.token_lock is not None,
            native_async=native_async
            or any(hook.is_coroutine for hook in hooks.values())
            # As a handle of the other kind tells: its class may name an async class.
            or (inner is not None and inner.abilities.native_async),
            prepare_save=self.prepare_save is not None,
            # Of an object of the user's own such an attribute may mean anything.
            read_only=(marked and inspect.getattr_static(plugin, "read_only", None) is True)
            or (inner is not None and inner.abilities.read_only),
        )

    @property
    def innermost(self) -> Binding:
        """Itself, or the store at the bottom of its wrappers."""
        return self if self.inner is None else self.inner.innermost

    @property
    def layers(self) -> tuple[Binding, ...]:
        """Itself, and the stores that it wraps, the innermost one last."""
        return (self,) if self.inner is None else (self, *self.inner.layers)

    @property
    def label(self) -> str:
        """Its class, for messages to the author of the store."""
        cls = self.plugin if isinstance(self.plugin, type) else type(self.plugin)
        return label_of(cls, self.distribution)

    @property
    def place(self) -> str | None:
        """Where the store says that it keeps the token, for people."""
        return self._said("place")

    def path(self, attribute: str) -> Path | None:
        """The path of a file of this machine, if the store has such an attribute."""
        said = self._said(attribute)
        return None if said is None else Path(said)

    def _said(self, attribute: str) -> str | None:
        try:
            # Of an object of the user's own no property is run.
            look = getattr if self._marked else inspect.getattr_static
            said = look(self.plugin, attribute, None)
        except Exception:  # noqa: BLE001 - it is wanted for a message, about a worse error perhaps
            return None
        return said if isinstance(said, str) else None


class _Manager(pluggy.PluginManager):
    """Looks only at the hooks' names, so that no other attribute of a store is touched."""

    def __init__(self, marked: bool) -> None:
        super().__init__(hookspecs.PROJECT)
        self._marked = marked
        self.add_hookspecs(hookspecs)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        if name not in hookspecs.HOOKS:
            return None
        options = super().parse_hookimpl_opts(plugin, name)
        if options is None and not self._marked and _is_method(plugin, name):
            # What pluggy has for @hookimpl without options; it adds the defaults.
            return {}
        return options


def bind(plugin: object, *, store: str, marked: bool, inner: Binding | None = None) -> Binding:
    """The hooks of ``plugin``.

    Args:
        plugin: A store object, or a store class.
        store: Its name, for messages.
        marked: True for a plugin class (only methods marked ``@hookimpl`` count), False for an
            object of the user's own.
        inner: The store that it wraps.

    Raises:
        StoreLoadError: A hook is missing or has a wrong signature.
    """
    # One manager per store: with ``firstresult`` a None would fall through to another store.
    manager = _Manager(marked)
    try:
        manager.register(plugin, name=store)
    except pluggy.PluginValidationError as error:
        raise StoreLoadError(
            f"token store {store!r} has a wrong hook: {_reason(error)}", store=store
        ) from None
    cls = plugin if inspect.isclass(plugin) else type(plugin)
    if marked:
        _refuse_unknown_hooks(cls, store)
    found = {
        name: implementation
        for name in hookspecs.HOOKS
        for implementation in getattr(manager.hook, name).get_hookimpls()
    }
    check_kinds(store, {name: each.function for name, each in found.items()})
    hooks: dict[str, Hook] = {}
    for name, implementation in found.items():
        # An argument with a default is in kwargnames only.
        arguments = {*implementation.argnames, *implementation.kwargnames}
        _check_signature(store, name, implementation.function, arguments)
        hooks[name] = Hook(
            implementation.function,
            # Further arguments, which have a default, are the store's own matter.
            frozenset(arguments & {*getattr(manager.hook, name).spec.argnames}),
            inspect.iscoroutinefunction(implementation.function),
        )
    missing = [name for name in hookspecs.REQUIRED if name not in hooks]
    if missing:
        lacks = " and ".join(_lack(plugin, name, marked) for name in missing)
        mark = " (marked with @hookimpl)" if marked else ""
        raise StoreLoadError(
            f"{store!r} is not a token store: it has {lacks}; a store needs the "
            f"methods {_LISTED}{mark}",
            store=store,
        )
    if inner is not None:
        _forward(hooks, inner)
    native_async = getattr(cls, "async_class", None) is not None
    return Binding(
        plugin, hooks, store=store, native_async=native_async, marked=marked, inner=inner
    )


def inspect_class(cls: type) -> Abilities:
    """What a store class can do, without making one.

    Raises:
        StoreLoadError: It is not a token store.
    """
    return bind(cls, store=cls.__name__, marked=True).abilities


def check_class(cls: type, store: str) -> Abilities:
    """The same, and looks for all that would fail when the store is opened.

    Raises:
        StoreLoadError: It, or its ``async_class``, is not a token store, or cannot be made from
            options and an identity.
    """
    refuse_other_init(cls, store)
    twin: object = getattr(cls, "async_class", None)
    if twin is not None:
        if not isinstance(twin, type):
            raise StoreLoadError(
                f"async_class of token store {store!r} must be a class, got {type(twin).__name__}",
                store=store,
            )
        refuse_other_init(twin, store)
        bind(twin, store=store, marked=True)
    return bind(cls, store=store, marked=True).abilities


def label_of(cls: type, distribution: str) -> str:
    """A store class, for messages to its author."""
    owner = f"distribution {distribution}" if distribution else f"module {cls.__module__}"
    return f"class {cls.__name__} ({owner})"


def _refuse_async_init(cls: type, store: str) -> None:
    """Raises StoreLoadError for an ``__init__`` whose call would be a coroutine, not awaited."""
    if inspect.iscoroutinefunction(inspect.getattr_static(cls, "__init__")):
        raise StoreLoadError(
            f"__init__ of the class {cls.__name__} of token store {store!r} is an `async def`, "
            "which Python does not await: make it a plain `def`, and connect at the first call",
            store=store,
        )


def refuse_other_init(cls: type, store: str) -> None:
    """Raises StoreLoadError unless a store class can be made from options and an identity."""
    lacks = sorted(getattr(cls, "__abstractmethods__", ()))
    if lacks:
        raise StoreLoadError(
            f"the class {cls.__name__} of token store {store!r} is abstract: it does not define "
            f"{', '.join(lacks)}",
            store=store,
        )
    _refuse_async_init(cls, store)
    try:
        inspect.signature(cls).bind("options", "identity")
    except ValueError:
        return  # it has no signature that could be looked at
    except TypeError:
        pass
    else:
        return
    raise StoreLoadError(
        f"the class {cls.__name__} of token store {store!r} must take two arguments, by position: "
        "give it __init__(self, options, identity)",
        store=store,
    )


def _forward(hooks: dict[str, Hook], inner: Binding) -> None:
    """What a wrapper takes from the store that it wraps: the lock, and the kind of each hook."""
    for name in hookspecs.HOOKS:
        theirs: Hook | None = getattr(inner, name)
        if theirs is None:
            continue
        if name not in hooks:
            hooks[name] = theirs
        elif theirs.is_coroutine:
            # Its function is a plain one that returns the inner store's coroutine.
            hooks[name] = hooks[name]._replace(is_coroutine=True)


def _reason(error: pluggy.PluginValidationError) -> str:
    # pluggy has the hook and the arguments in its text only. Of another wording, its last line
    # is shown.
    found = re.search(
        r"for hook '(\w+)'.*Argument\(s\) {(.*?)} are declared", str(error), re.DOTALL
    )
    if found is None:
        return str(error).splitlines()[-1]
    hook, unknown = found.groups()
    known = " and ".join(inspect.signature(getattr(hookspecs, hook)).parameters) or "nothing"
    return f"{hook} takes {unknown}, which is not passed; it can take, by name, {known}"


def _is_method(plugin: object, name: str) -> bool:
    # Static: no property of a stranger's runs, and a mock, which answers to any name, has no hook.
    static = inspect.getattr_static(plugin, name, None)
    return isinstance(static, (FunctionType, MethodType, staticmethod, classmethod))


def _refuse_unknown_hooks(cls: type, store: str) -> None:
    """A misspelt hook would be ignored, and the store would lack its lock, say.

    Only a near miss: a hook of a newer version of this package is not a mistake.
    """
    for name in dir(cls):
        static = inspect.getattr_static(cls, name, None)
        if name in hookspecs.HOOKS or not hasattr(static, f"{hookspecs.PROJECT}_impl"):
            continue
        near = difflib.get_close_matches(name, hookspecs.HOOKS, n=1)
        if near:
            raise StoreLoadError(
                f"token store {store!r} marks {name} of {cls.__name__} with @hookimpl, but there "
                f"is no hook of that name; did you mean {near[0]}?",
                store=store,
            )


def _lack(plugin: object, name: str, marked: bool) -> str:
    static = inspect.getattr_static(plugin, name, None)
    if marked and _is_method(plugin, name):
        return f"a method {name} that is not marked with @hookimpl of flex_tokenstore"
    if static is None or isinstance(static, FunctionType):
        return f"no {name}"
    return f"no method {name}, but a {type(static).__name__} of that name (write a method)"


def _check_signature(
    store: str, hook: str, function: Callable[..., Any], arguments: set[str]
) -> None:
    missing = _NEEDED.get(hook, frozenset()) - arguments
    if missing:
        names = " and ".join(sorted(missing))
        raise StoreLoadError(
            f"{hook} of token store {store!r} must take the argument {names}, by that name, as an "
            "ordinary argument (not *args, not keyword only)",
            store=store,
        )
    for parameter in inspect.signature(function).parameters.values():
        required = parameter.default is parameter.empty
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name != "expected" and required:
            raise StoreLoadError(
                f"{hook} of token store {store!r} takes `{parameter.name}` as keyword only; it is "
                "not passed: remove it, or give it a default",
                store=store,
            )
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name == "expected":
            raise StoreLoadError(
                f"{hook} of token store {store!r} takes `expected` as keyword only; pluggy does "
                "not pass those: make it an ordinary argument",
                store=store,
            )
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter.name in arguments:
            raise StoreLoadError(
                f"{hook} of token store {store!r} takes `{parameter.name}` as positional only; "
                "make it an ordinary argument",
                store=store,
            )
