"""Exports: asks for page after page, writes the rows, and saves how far it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flex_integration_sdk._client.plain import to_json, to_plain
from flex_integration_sdk._endpoints.endpoint import snake
from flex_integration_sdk.errors import PaginationLimitError

from .kinds import Kind
from .part import Part, opened
from .patience import patiently
from .rows import Row, rows_of

if TYPE_CHECKING:
    from flex_integration_sdk import IntegrationSDK
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk.resources import Resource

# Resources after which it is saved how far the export is: a page.
EACH = 100


class Progress(NamedTuple):
    """How far an export is, in resources of its query."""

    done: int
    total: int | None


def export(
    sdk: IntegrationSDK,
    kind: Kind,
    arguments: Mapping[str, Any],
    target: Path,
    *,
    convert: Callable[[Path, Path], None] | None = None,
    restart: bool = False,
    patience: int = 0,
    told: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> int:
    """Writes all resources of a kind into a file, whole or not at all.

    Args:
        sdk: Whose resources.
        kind: Which ones.
        arguments: Further arguments of the query, such as ``states``.
        target: The file.
        convert: Makes it from the file of JSON lines.
        restart: Begin anew, although an earlier run has left a part.
        patience: How many failures in a row of obtaining a token it outwaits.
        told: Called with what to tell the user about an earlier part, and about a wait.
        progress: Called after each page.

    Returns:
        The number of rows.
    """
    of = _digest(sdk, kind, arguments)
    with opened(target, of, restart=restart) as part:
        if part.note:
            told(part.note)
        try:
            with_patience = partial(patiently, most=patience, told=told)
            _fill(sdk, kind, arguments, part, with_patience, progress)
        except PaginationLimitError:
            part.forget()  # another run could not reach more
            raise
        part.finish(convert)
        return part.rows


def rows(sdk: IntegrationSDK, kind: Kind, arguments: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of all resources of a kind, which a program prints, say."""
    paths = _paths(arguments.get("include"))
    for resource in _found(sdk, kind, arguments, None):
        yield from rows_of(kind, resource, paths, partial(_messages, sdk, arguments))


def _fill(
    sdk: IntegrationSDK,
    kind: Kind,
    arguments: Mapping[str, Any],
    part: Part,
    with_patience: Callable[[Iterable[Resource[Any]]], Iterator[Resource[Any]]],
    progress: Callable[[Progress], None],
) -> None:
    if part.saved.is_whole:  # it only was not put in place
        return
    before = part.saved.done
    if before:
        progress(Progress(before, None))
    paths = _paths(arguments.get("include"))
    found = _found(sdk, kind, arguments, part.saved.position)
    count = 0

    def messages_of(id_: Any) -> Iterable[Resource[Any]]:
        return with_patience(_messages(sdk, arguments, id_))

    for count, resource in enumerate(with_patience(found), 1):
        for row in rows_of(kind, resource, paths, messages_of):
            part.write(to_json(row).encode() + b"\n")
        if count % EACH == 0:
            part.save(getattr(found, "position", None), before + count)
            progress(Progress(before + count, getattr(found, "total", None)))
    part.save(None, before + count, is_whole=True)


def _found(
    sdk: IntegrationSDK, kind: Kind, arguments: Mapping[str, Any], position: str | None
) -> Iterable[Resource[Any]]:
    endpoint = kind.endpoint
    resource: Any = getattr(sdk, snake(endpoint.resource))
    if not endpoint.many:
        return _Shown(lambda: resource.show(**arguments).data)
    asked = dict(arguments)
    if kind.relation:
        needed = [f"{kind.relation}.{each}" for each in kind.include]
        asked["include"] = [*dict.fromkeys([*_paths(asked.get("include")), kind.relation, *needed])]
    if position is not None:
        asked["resume"] = position
    found: ResourceIterator[Resource[Any]] = resource.iterate(**asked)
    return found


class _Shown:
    """The one resource of a call, as an iterator that can go on after an error."""

    def __init__(self, show: Callable[[], Resource[Any]]) -> None:
        self._show: Callable[[], Resource[Any]] | None = show

    def __iter__(self) -> Iterator[Resource[Any]]:
        return self

    def __next__(self) -> Resource[Any]:
        if self._show is None:
            raise StopIteration
        shown, self._show = self._show(), None
        return shown


def _messages(
    sdk: IntegrationSDK, arguments: Mapping[str, Any], transaction_id: Any
) -> Iterable[Resource[Any]]:
    """All messages of a transaction, in the shape in which the others come with theirs."""
    inner = "messages."
    paths = _paths(arguments.get("include"))
    asked = [path.removeprefix(inner) for path in paths if path.startswith(inner)]
    shape = {name: arguments[name] for name in ("fields", "image_variant") if name in arguments}
    shape |= {name: value for name, value in arguments.items() if name.startswith("fields.")}
    shape["include"] = ["sender", *(path for path in asked if path != "sender")]
    return sdk.messages.iterate(transaction_id=transaction_id, **shape)


def _paths(include: Any) -> list[str]:
    if include is None:
        return []
    named = include.split(",") if isinstance(include, str) else include
    return [str(each).strip() for each in named]


def _digest(sdk: IntegrationSDK, kind: Kind, arguments: Mapping[str, Any]) -> str:
    """What tells this export from others: whose, what, and with which arguments."""
    said = [sdk.settings.identity.key, kind.name, to_plain(dict(arguments), default=str)]
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
