"""The registry: which stores there are, and the class behind a name."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from ._discovery import OURS, Candidate, candidates, normal_name
from .errors import StoreLoadError, UnknownStoreError, fresh_copy, without_frames

if TYPE_CHECKING:
    from ._options import OptionInfo

BUILT_IN = {
    "memory": "flex_tokenstore.stores.memory:MemoryStore",
    "file": "flex_tokenstore.stores.file:FileStore",
}

Status = Literal[
    "ok", "blocked", "duplicate", "reserved-name", "incompatible", "broken", "missing-dependency"
]

_failed: dict[str, StoreLoadError] = {}


@dataclass(frozen=True)
class StoreInfo:
    """One registered store, usable or not; the last five fields are known after a check."""

    name: str
    distribution: str
    version: str
    summary: str
    origin: Literal["built-in", "plugin"]
    status: Status
    reason: str = ""
    doc: str | None = None
    options: tuple[OptionInfo, ...] | None = None
    compare_and_set: bool | None = None
    lock: bool | None = None
    native_async: bool | None = None


def list_stores(*, check: bool = False) -> list[StoreInfo]:
    """All registered stores, by name.

    Args:
        check: Import each store that is not blocked, and tell whether it loads, its options and
            abilities. Without, nothing is imported.
    """
    found = candidates()
    counts = Counter(candidate.name for candidate in found if not candidate.blocked)
    infos = [_info(candidate, counts[candidate.name]) for candidate in found]
    if check:
        by_value = {(c.name, c.distribution): c.value for c in found}
        infos = [_checked(info, by_value[info.name, info.distribution]) for info in infos]
    return sorted(infos, key=lambda info: (info.origin != "built-in", info.name, info.distribution))


def load_store_class(name: str) -> type:
    """The class registered under ``name``; imports that plugin alone.

    Raises:
        UnknownStoreError: No installed store has that name.
        StoreLoadError: It is blocked, claimed twice, too new for us, or does not import.
    """
    if name in BUILT_IN:
        return _import(name, BUILT_IN[name])
    if name in _failed:
        raise fresh_copy(_failed[name])
    found = candidates()
    named = [candidate for candidate in found if candidate.name == name]
    if not named:
        raise _unknown(name, found)
    allowed = [candidate for candidate in named if not candidate.blocked]
    if not allowed:
        raise StoreLoadError(
            f"token store {name!r} of {named[0].distribution} is blocked by "
            "FLEX_TOKENSTORE_ALLOW or FLEX_TOKENSTORE_BLOCK",
            store=name,
        )
    if len(allowed) > 1:
        owners = " and ".join(sorted(candidate.distribution for candidate in allowed))
        raise StoreLoadError(
            f"token store {name!r} is claimed by {owners}; uninstall one, or block it with "
            "FLEX_TOKENSTORE_BLOCK",
            store=name,
        )
    (candidate,) = allowed
    reason = candidate.problem or candidate.incompatible
    if reason:
        raise StoreLoadError(
            f"token store {name!r} of {candidate.distribution} cannot be used: {reason}", store=name
        )
    try:
        return _import(name, candidate.value)
    except StoreLoadError as error:
        _failed[name] = error
        raise fresh_copy(error) from error.__cause__


def _import(name: str, value: str) -> type:
    module, _, attribute = value.partition(":")
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        ours = error.name is not None and (module + ".").startswith(error.name + ".")
        what = (
            f"its module {module!r} does not exist"
            if ours
            else f"it needs the module {error.name!r}, which is not installed; see the plugin's "
            "own instructions"
        )
        raise StoreLoadError(
            f"token store {name!r} cannot be loaded: {what}", store=name
        ) from without_frames(error)
    except BaseException as error:  # noqa: BLE001 - see below
        # A plugin that raises or even exits while it is imported is that plugin's problem.
        raise StoreLoadError(
            f"token store {name!r} cannot be loaded: importing {value} raised "
            f"{type(error).__name__}",
            store=name,
        ) from without_frames(error)
    if not isinstance(found, type):
        raise StoreLoadError(
            f"token store {name!r} cannot be loaded: {value} is not a class", store=name
        )
    return found


def _info(candidate: Candidate, claims: int) -> StoreInfo:
    ours = normal_name(candidate.distribution) == OURS
    status: Status = "ok"
    reason = ""
    if candidate.blocked:
        status, reason = "blocked", "kept out by FLEX_TOKENSTORE_ALLOW or FLEX_TOKENSTORE_BLOCK"
    elif candidate.problem:
        status, reason = "broken", candidate.problem
    elif candidate.name in BUILT_IN and not ours:
        status, reason = "reserved-name", f"{candidate.name!r} is the name of a built-in store"
    elif candidate.incompatible:
        status, reason = "incompatible", candidate.incompatible
    elif claims > 1 and candidate.name not in BUILT_IN:
        status, reason = "duplicate", "another distribution claims the same name"
    return StoreInfo(
        candidate.name,
        candidate.distribution,
        candidate.version,
        candidate.summary,
        "built-in" if ours else "plugin",
        status,
        reason,
    )


def _checked(info: StoreInfo, value: str) -> StoreInfo:
    if info.status != "ok":
        return info
    from ._binding import inspect_class
    from ._options import describe_options

    try:
        cls = _import(info.name, value)
        abilities = inspect_class(cls)
        options = tuple(describe_options(cls))
    except StoreLoadError as error:
        missing = isinstance(error.__cause__, ModuleNotFoundError) and "it needs" in error.message
        return replace(
            info, status="missing-dependency" if missing else "broken", reason=error.message
        )
    doc = (cls.__doc__ or "").strip()
    return replace(info, doc=doc, options=options, **abilities._asdict())


def _unknown(name: str, found: list[Candidate]) -> UnknownStoreError:
    names = sorted({*BUILT_IN, *(candidate.name for candidate in found)} - {"?"})
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UnknownStoreError(
        f"no token store is named {name!r}{hint} (installed: {', '.join(names)}); a plugin must "
        "be installed in the same environment as this program",
        store=name,
    )
