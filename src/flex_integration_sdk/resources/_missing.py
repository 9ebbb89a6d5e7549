"""The error of what a response does not have: which, and what to ask for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from flex_integration_sdk._values.shown import shown
from flex_integration_sdk._vocabulary.relationships import RELATIONSHIPS
from flex_integration_sdk.errors import NotIncludedError


def missing(
    resource: Mapping[str, Any], name: str, *, is_many: bool, path: str | None, is_event: bool
) -> Exception:
    """The error for a relationship that a resource of a response does not have.

    Args:
        resource: The resource.
        name: The relationship that was asked for.
        is_many: It was asked for as a list.
        path: The path of ``include`` that leads to the resource; empty: the call asked for the
            resource itself; None: not known.
        is_event: The resource is part of an event.
    """
    kind = resource.get("type")
    known = RELATIONSHIPS.get(kind) if isinstance(kind, str) else None
    if known is not None and name not in known:
        return NotIncludedError(_unknown(resource, name, [*known]))
    if known is not None and known[name].is_many != is_many:
        return other_form(resource, name, is_many=known[name].is_many)
    return NotIncludedError(
        f"{shown(kind)}.{name} is not in {_remedy(resource, name, path, is_event)}"
    )


def other_form(resource: Mapping[str, Any], name: str, *, is_many: bool) -> TypeError:
    """The error for a relationship to one that was asked for as a list, or the other way round.

    Args:
        resource: The resource.
        name: The relationship.
        is_many: It is a list.
    """
    form, method = ("a list", "related_list") if is_many else ("not a list", "related")
    return TypeError(f"{shown(resource.get('type'))}.{name} is {form}: use {method}({name!r})")


def absent(
    resource: Mapping[str, Any], name: str, *, path: str | None, is_event: bool
) -> NotIncludedError:
    """The error for an attribute of a resource of which the response has only id and type.

    Args:
        resource: The resource.
        name: The attribute that was asked for, or ``"attributes"``.
        path: As for :func:`missing`.
        is_event: The resource is part of an event.
    """
    kind = shown(resource.get("type"))
    what = f"{kind}.{name}" if name == "attributes" else f"{kind}.attributes[{name!r}]"
    where = f"this {'event' if is_event else 'response'}, which has only the {kind}'s id and type"
    return NotIncludedError(f"{what} is not in {where}; {_how(kind, path, is_event)}")


def _how(kind: str, path: str | None, is_event: bool) -> str:
    if is_event:
        return f"ask for the {kind} itself, by its id"
    if path is None:
        return f"ask for the {kind} itself, or with a path of include that leads to it"
    return f"ask with include=[{path!r}]" if path else "ask with expand=True"


def _unknown(resource: Mapping[str, Any], name: str, known: list[str]) -> str:
    # What the response has is there to use, also if this version does not know it.
    names: list[str] = sorted({*known, *map(str, resource.get("relationships") or ())})
    has = shown(", ".join(names)) or "none"
    kind = shown(resource.get("type"))
    text = f"{kind} has no relationship {name!r} (it has: {has})"
    first, dot, rest = str(name).partition(".")
    if dot and first in names:
        return f"{text}. Go one step at a time: {first!r}, and of that {rest!r}"
    if name in (resource.get("attributes") or ()):
        return f"{text}. It is an attribute: attributes[{name!r}]"
    if kind == "event":
        return f"{text}. The resource that it is about is an attribute: attributes['resource']"
    near = difflib.get_close_matches(str(name), names, n=1)
    return f"{text}. Did you mean {shown(near[0])!r}?" if near else text


def _remedy(resource: Mapping[str, Any], name: str, path: str | None, is_event: bool) -> str:
    kind = shown(resource.get("type"))
    if is_event:
        return (
            "this event, which has only relationships to one resource, and a listing's images; "
            f"ask for the {kind} itself with include=[{name!r}]"
        )
    if path is None:
        return f"this response; ask with a path of include that ends in {name!r}"
    if path == "" and "attributes" not in resource:
        only = f"which has only the {kind}'s id and type"
        return f"this response, {only}; ask with expand=True and include=[{name!r}]"
    return f"this response; ask with include=[{f'{path}.{name}'.lstrip('.')!r}]"
