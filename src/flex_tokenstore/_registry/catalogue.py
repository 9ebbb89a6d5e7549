"""The registry: which stores there are, and the class behind a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .._host.platform import check_modules
from ..errors import StoreLoadError, UnknownStoreError
from . import packages
from .discovery import BUILT_IN, NO_NAME, OURS, Candidate, candidates, left_out, search_path
from .loader import built_in, load, missing_module
from .registered import with_registered
from .rules import Rules
from .summaries import first_paragraph, summary_of_class

if TYPE_CHECKING:
    from .._config.options import OptionInfo

__all__ = ["BUILT_IN", "StoreInfo", "describe_store", "list_stores", "load_store_class"]

Status = Literal[
    "ok", "blocked", "duplicate", "reserved-name", "incompatible", "broken", "missing-dependency"
]

Origin = Literal["built-in", "plugin", "registered by the program"]

_BLOCKED = "blocked by FLEX_TOKENSTORE_ALLOW or FLEX_TOKENSTORE_BLOCK"


@dataclass(frozen=True)
class StoreInfo:
    """One registered store, usable or not.

    ``doc``, ``options`` and the abilities (``compare_and_set``, ``lock``, ``native_async``,
    ``prepare_save``, ``encrypted_at_rest``) are None until the store was checked. The abilities of
    a wrapper stay None: they are those of the store that it wraps.
    """

    name: str
    """The name that selects it; ``"?"`` if the metadata does not tell."""
    distribution: str
    """The distribution that brings it; "" for a class that the program registered itself."""
    version: str
    summary: str
    """What it is: the first paragraph of its class's docstring, read from the source without an
    import; where that cannot be read, the summary of its distribution."""
    origin: Origin
    """``"registered by the program"``: by :func:`register_store`."""
    status: Status
    reason: str = ""
    """Why the status is not ``"ok"``; of a store that was checked, also what its author should
    change though it can be used."""
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
    encrypted_at_rest: bool | None = None
    """Its tokens cannot be read where they lie. Of a wrapper that does not encrypt, None."""


def list_stores(*, check: bool = False) -> list[StoreInfo]:
    """Lists the registered stores: the built-in ones first, then the others by name.

    Args:
        check: True: import each store that is not blocked, and tell whether it loads, its options
            and its abilities. False: import nothing.

    Returns:
        One :class:`StoreInfo` for each store, also for those that cannot be used.
    """
    found = _candidates()
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
    found = [built_in(name)] if name in BUILT_IN else _candidates()
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
    found = _candidates()
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


def _candidates() -> list[Candidate]:
    """What is installed and what is registered. Warns of rules that match nothing of it."""
    found = with_registered(candidates())
    known = [(each.name, each.distribution) for each in found]
    Rules().warn_of_unmatched([*known, *((name, OURS) for name in BUILT_IN)])
    return found


def _sound(named: list[Candidate]) -> list[Candidate]:
    """The candidates without remains of a damaged installation; all of them, if none is good."""
    return [candidate for candidate in named if not candidate.problem] or named


def _is(candidate: Candidate, built_in_name: str) -> bool:
    return candidate.ours and candidate.name == built_in_name


def _info(candidate: Candidate, found: list[Candidate]) -> StoreInfo:
    status, reason = _status(candidate, found)
    origin: Origin = "built-in" if candidate.ours else "plugin"
    if candidate.cls is not None:
        origin = "registered by the program"
    return StoreInfo(
        candidate.name,
        candidate.distribution,
        candidate.version,
        _summary(candidate),
        origin,
        status,
        reason,
    )


def _summary(candidate: Candidate) -> str:
    if candidate.cls is not None:
        return first_paragraph(candidate.cls.__doc__)
    # Ours are found where this module is, also in a tree that is not on sys.path for its metadata.
    folders = [str(Path(__file__).parents[2])] if candidate.ours else search_path()
    # A distribution may have several stores: its own summary tells them apart badly.
    found = "" if candidate.problem else summary_of_class(candidate.value, folders)
    return found or candidate.summary


def _status(candidate: Candidate, found: list[Candidate]) -> tuple[Status, str]:
    if candidate.blocked:
        return "blocked", _BLOCKED
    if candidate.name.lower() in BUILT_IN and not candidate.ours:
        return "reserved-name", (
            candidate.problem or f"{candidate.name!r} is the name of a store of {OURS}"
        )
    if candidate.problem:
        return "broken", candidate.problem
    if candidate.incompatible:
        return "incompatible", candidate.incompatible
    rivals = [
        _owner(other)
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
    from .._plugin.at_rest import class_encrypts
    from .._plugin.connecting import RULE, call_in_init
    from .._plugin.hooks import check_class
    from .._plugin.wrapper import WrapperStore

    try:
        cls = load(candidate)
        abilities = check_class(cls, candidate.name)
        options = tuple(describe_options(cls))
        encrypts = all(map(class_encrypts, (cls, getattr(cls, "async_class", cls))))
        call = call_in_init(cls) or call_in_init(getattr(cls, "async_class", cls))
    except StoreLoadError as error:
        missing = missing_module(error.__cause__, candidate.value) is not None
        status: Status = "missing-dependency" if missing else "broken"
        return replace(info, status=status, reason=error.message)
    except Exception as error:  # noqa: BLE001 - one odd class must not hide the other stores
        reason = f"looking at its class raised {type(error).__name__}"
        return replace(info, status="broken", reason=reason)
    doc = cls.__doc__ if isinstance(cls.__doc__, str) else ""  # a stranger's may be anything
    summary = first_paragraph(doc) or info.summary
    reason = f"its __init__ calls {call}. {RULE}" if call else ""
    info = replace(info, reason=reason, doc=doc.strip(), summary=summary, options=options)
    if issubclass(cls, WrapperStore):
        # What else it can do depends on the store that it wraps.
        return replace(info, encrypted_at_rest=encrypts or None)
    return replace(
        info,
        compare_and_set=abilities.compare_and_set,
        lock=abilities.lock,
        native_async=abilities.native_async,
        prepare_save=abilities.prepare_save,
        encrypted_at_rest=encrypts,
    )


def _owner(candidate: Candidate) -> str:
    if candidate.cls is None:
        return candidate.distribution
    return f"this program, which registers {candidate.value},"


def _unusable(name: str, named: list[Candidate], what: str) -> StoreLoadError:
    owners = " and of ".join(sorted(_owner(candidate) for candidate in named))
    return StoreLoadError(f"token store {name!r} of {owners} {what}", store=name)


def _unknown(name: str, found: list[Candidate]) -> UnknownStoreError:
    names = sorted({*BUILT_IN, *(each.name for each in found if not each.problem)} - {NO_NAME})
    near = packages.meant(name) or _nearest(name, names) or _nearest(name, packages.PACKAGES)
    hint = f"; did you mean {near!r}?" if near and near != name else ""
    advice = "a plugin must be installed in the same environment as this program"
    if any(character in name for character in "/\\") or name.endswith(".json"):
        advice = "to choose the file, use the store 'file' with the option 'path'"
    elif any(candidate.name == name for candidate in left_out()):
        advice = (
            "there is one in the current directory, which is not searched: install it, or pass an "
            "object made from its class"
        )
    elif near in packages.PACKAGES and near not in names:
        advice = packages.advice(near, name)
    elif packages.is_frozen():
        advice = "a frozen program must register a plugin's class with register_store(name, class)"
    return UnknownStoreError(
        f"no token store is named {name!r}{hint} (installed: {', '.join(names)}); {advice}",
        store=name,
    )


def _nearest(name: str, names: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name.lower(), names, n=1)), None)
