"""The registry: which stores there are, and the class behind a name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from .._host.platform import check_modules
from ..errors import StoreLoadError, UnknownStoreError
from .discovery import BUILT_IN, NO_NAME, OURS, Candidate, candidates, left_out
from .loader import built_in, load, missing_module
from .rules import Rules

if TYPE_CHECKING:
    from .._config.options import OptionInfo

__all__ = ["BUILT_IN", "StoreInfo", "describe_store", "list_stores", "load_store_class"]

Status = Literal[
    "ok", "blocked", "duplicate", "reserved-name", "incompatible", "broken", "missing-dependency"
]

_BLOCKED = "blocked by FLEX_TOKENSTORE_ALLOW or FLEX_TOKENSTORE_BLOCK"


@dataclass(frozen=True)
class StoreInfo:
    """One registered store, usable or not.

    ``doc``, ``options`` and the abilities (``compare_and_set``, ``lock``, ``native_async``,
    ``prepare_save``) are None until the store was checked. The abilities of a wrapper stay None:
    they are those of the store that it wraps.
    """

    name: str
    """The name that selects it; ``"?"`` if the metadata does not tell."""
    distribution: str
    version: str
    summary: str
    origin: Literal["built-in", "plugin"]
    status: Status
    reason: str = ""
    """Why the status is not ``"ok"``."""
    doc: str | None = None
    """The docstring of its class."""
    options: tuple[OptionInfo, ...] | None = None
    compare_and_set: bool | None = None
    """It writes only if nobody else wrote since the read."""
    lock: bool | None = None
    """It has a lock that holds for all programs that share the store."""
    native_async: bool | None = None
    """It has coroutines of its own; without them, asyncio programs call it in a thread."""
    prepare_save: bool | None = None
    """It checks before a token request whether the token could be saved."""


def list_stores(*, check: bool = False) -> list[StoreInfo]:
    """Lists the registered stores: the built-in ones first, then the others by name.

    Args:
        check: True: import each store that is not blocked, and tell whether it loads, its options
            and its abilities. False: import nothing.

    Returns:
        One :class:`StoreInfo` for each store, also for those that cannot be used.
    """
    found = candidates()
    # A source tree that was never installed has no metadata, and has them all the same.
    found += [built_in(name) for name in BUILT_IN if not any(_is(c, name) for c in found)]
    infos = []
    for candidate in found:
        info = _info(candidate, found)
        infos.append(_checked(info, candidate) if check and info.status == "ok" else info)
    return sorted(infos, key=lambda info: (info.origin != "built-in", info.name, info.distribution))


def describe_store(name: str) -> StoreInfo:
    """Looks at one store, as ``list_stores(check=True)`` does for all. Imports no other plugin.

    Args:
        name: The name that selects the store.

    Raises:
        UnknownStoreError: No installed store has that name.
    """
    # A built-in name needs no scan: docs/decisions/007.
    found = [built_in(name)] if name in BUILT_IN else candidates()
    named = _sound([candidate for candidate in found if candidate.name == name])
    if not named:
        raise _unknown(name, found)
    info = _info(named[0], found)
    return _checked(info, named[0]) if info.status == "ok" else info


def load_store_class(name: str) -> type:
    """The class registered under ``name``; imports only that plugin.

    Raises:
        UnknownStoreError: No installed store has that name.
        StoreLoadError: It is blocked, claimed twice, made for another version of this package,
            or cannot be imported. A failed import is kept: it is the same error next time.
    """
    check_modules()
    if name in BUILT_IN:
        # Without a candidate: its name and its distribution are known.
        if Rules().keep_out(name, OURS, built_in=True):
            raise _unusable(name, [built_in(name)], f"is {_BLOCKED}")
        return load(built_in(name))
    found = candidates()
    named = [candidate for candidate in found if candidate.name == name]
    if not named:
        raise _unknown(name, found)
    allowed = _sound([candidate for candidate in named if not candidate.blocked])
    if not allowed:
        raise _unusable(name, named, f"is {_BLOCKED}")
    # If all are damaged, what is wrong with the first one says more than "ambiguous".
    if len(allowed) > 1 and not allowed[0].problem:
        raise _unusable(
            name,
            allowed,
            "is ambiguous; uninstall one of these distributions, or name it in "
            "FLEX_TOKENSTORE_BLOCK",
        )
    candidate = allowed[0]
    reason = candidate.problem or candidate.incompatible
    if reason:
        raise _unusable(name, allowed, f"cannot be used: {reason}")
    return load(candidate)


def _sound(named: list[Candidate]) -> list[Candidate]:
    """The candidates without remains of a damaged installation; all of them, if none is good."""
    return [candidate for candidate in named if not candidate.problem] or named


def _is(candidate: Candidate, built_in_name: str) -> bool:
    return candidate.ours and candidate.name == built_in_name


def _info(candidate: Candidate, found: list[Candidate]) -> StoreInfo:
    status, reason = _status(candidate, found)
    return StoreInfo(
        candidate.name,
        candidate.distribution,
        candidate.version,
        candidate.summary,
        "built-in" if candidate.ours else "plugin",
        status,
        reason,
    )


def _status(candidate: Candidate, found: list[Candidate]) -> tuple[Status, str]:
    if candidate.blocked:
        return "blocked", _BLOCKED
    if candidate.name in BUILT_IN and not candidate.ours:
        return "reserved-name", f"{candidate.name!r} is the name of a store of {OURS}"
    if candidate.problem:
        return "broken", candidate.problem
    if candidate.incompatible:
        return "incompatible", candidate.incompatible
    rivals = [
        other.distribution
        for other in found
        if other.name == candidate.name
        and other is not candidate
        and not (other.blocked or other.problem)
    ]
    if rivals and not candidate.ours:
        return "duplicate", f"{' and '.join(sorted(rivals))} claims the same name"
    return "ok", ""


def _checked(info: StoreInfo, candidate: Candidate) -> StoreInfo:
    from .._config.options import describe_options
    from .._plugin.hooks import check_class
    from .._plugin.wrapper import WrapperStore

    try:
        cls = load(candidate)
        abilities = check_class(cls, candidate.name)
        options = tuple(describe_options(cls))
    except StoreLoadError as error:
        missing = missing_module(error.__cause__, candidate.value) is not None
        status: Status = "missing-dependency" if missing else "broken"
        return replace(info, status=status, reason=error.message)
    except Exception as error:  # noqa: BLE001 - one odd class must not hide the other stores
        reason = f"looking at its class raised {type(error).__name__}"
        return replace(info, status="broken", reason=reason)
    info = replace(info, doc=_doc(cls), options=options)
    if issubclass(cls, WrapperStore):
        return info  # what it can do depends on the store that it wraps
    return replace(
        info,
        compare_and_set=abilities.compare_and_set,
        lock=abilities.lock,
        native_async=abilities.native_async,
        prepare_save=abilities.prepare_save,
    )


def _doc(cls: type) -> str:
    doc: object = cls.__doc__  # a stranger's class may have anything there
    return doc.strip() if isinstance(doc, str) else ""


def _unusable(name: str, named: list[Candidate], what: str) -> StoreLoadError:
    owners = " and of ".join(sorted(candidate.distribution for candidate in named))
    return StoreLoadError(f"token store {name!r} of {owners} {what}", store=name)


def _unknown(name: str, found: list[Candidate]) -> UnknownStoreError:
    names = sorted({*BUILT_IN, *(candidate.name for candidate in found)} - {NO_NAME})
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    advice = "a plugin must be installed in the same environment as this program"
    if any(character in name for character in "/\\") or name.endswith(".json"):
        advice = "to choose the file, use the store 'file' with the option 'path'"
    elif any(candidate.name == name for candidate in left_out()):
        advice = (
            "there is one in the current directory, which is not searched: install it, or pass an "
            "object made from its class"
        )
    return UnknownStoreError(
        f"no token store is named {name!r}{hint} (installed: {', '.join(names)}); {advice}",
        store=name,
    )
