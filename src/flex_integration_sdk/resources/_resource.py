"""A resource: the dict that the API sent, with properties, which finds what is related to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar, cast
from uuid import UUID

from ._absent import AbsentAttributes

A = TypeVar("A", covariant=True)
Related = Mapping[tuple[str, Any], dict[str, Any]]
"""The resources of a response, by type and id."""
OF_EVENT = "(event)"
"""Origin of an event's ``resource``, and of what is related to it."""


class Resource(dict[str, Any], Generic[A]):
    """One resource of a response: the plain dict that the API sent, with properties.

    ``resource["attributes"]`` and ``resource.attributes`` are the same. Each type of the API has a
    subclass, such as :class:`Listing`; a type that this version does not know is a plain
    ``Resource``.

    ``repr`` shows type and id only, which is harmless in a log; ``dict(resource)`` is a plain dict
    that shows all. A copy is a resource of the same class, by ``copy()``, ``|``, :mod:`copy` or
    :mod:`pickle`, and finds what is related to it.

    Args:
        data: The resource as the API sent it.
        related: Where its relationships lead: other resources by type and id.
    """

    __slots__ = ("_origin", "_related")

    _classes: ClassVar[dict[str, type[Resource[Any]]]] = {}
    _related: Related
    _origin: str | None

    def __init__(self, data: Mapping[str, Any], related: Related | None = None) -> None:
        super().__init__(data)
        self._related = related or {}
        self._origin = None

    def __init_subclass__(cls, *, kind: str = "") -> None:
        """Makes the class that of a type, such as ``"listing"``; empty: of none."""
        super().__init_subclass__()
        if kind:
            Resource._classes[kind] = cls

    @property
    def id(self) -> UUID:
        """Its id, a ``UUID``."""
        return cast(UUID, self["id"])

    @property
    def type(self) -> str:
        """Its type, such as ``"listing"``."""
        return cast(str, self["type"])

    @property
    def attributes(self) -> A:
        """Its attributes; an empty dict if the response has only its id and type.

        Such a dict raises :class:`~flex_integration_sdk.errors.NotIncludedError`, a ``KeyError``,
        for an attribute that is looked up; the message says what to ask for.
        """
        found = self.get("attributes")
        return cast(A, AbsentAttributes(self._absent) if found is None else found or {})

    def copy(self) -> Self:
        """A resource with the same values; what is related to the original is related to it."""
        return copy.copy(self)

    def __or__(self, other: Mapping[str, Any]) -> Self:  # type: ignore[override]
        if not isinstance(other, dict):
            return NotImplemented
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other: Mapping[str, Any]) -> Self:  # type: ignore[override]
        if not isinstance(other, dict):
            return NotImplemented
        made = self.copy()
        # As a dict does: the keys of the first come first, the values of the second win.
        made.clear()
        made.update(other)
        made.update(self)
        return made

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._short()}>"

    def __rich_repr__(self) -> Iterator[str]:
        # Tracebacks of rich show local variables: without this, a resource as a whole dict.
        yield self._short()

    def _short(self) -> str:
        from ._short import short_id, short_type

        return f"{short_type(self)} {short_id(self)}" if type(self) is Resource else short_id(self)

    def __missing__(self, key: str) -> Any:
        raise self._absent(key) if key == "attributes" else KeyError(key)

    def related(self, name: str) -> Resource[Any] | None:
        """The resource of a to-one relationship; None if there is none.

        The API sends it if the call asks for it with ``include``. In the ``resource`` of an event
        it has only its id and type.

        Args:
            name: Name of the relationship, such as ``"author"``.

        Raises:
            NotIncludedError: The response does not have it, or a resource of this type has no such
                relationship; the message says which, and what to ask for.
            TypeError: It is a to-many relationship: use :meth:`related_list`.
        """
        data = self._relationship(name, is_many=False)
        if isinstance(data, list):
            raise self._other_form(name, is_many=True)
        return None if data is None else self._resolved(data, name)

    def related_list(self, name: str) -> list[Resource[Any]]:
        """The resources of a to-many relationship.

        The API sends them if the call asks for them with ``include``. In the ``resource`` of an
        event they have only their ids and types.

        Args:
            name: Name of the relationship, such as ``"images"``.

        Raises:
            NotIncludedError: The response does not have them, or a resource of this type has no
                such relationship; the message says which, and what to ask for.
            TypeError: It is a to-one relationship: use :meth:`related`.
        """
        data = self._relationship(name, is_many=True)
        if not isinstance(data, list):
            raise self._other_form(name, is_many=False)
        return [self._resolved(each, name) for each in data]

    def _relationship(self, name: str, *, is_many: bool) -> Any:
        relationships = self.get("relationships") or {}
        # Without `include` the API sends no relationships, or empty ones.
        if name not in relationships:
            from ._missing import missing

            raise missing(self, name, is_many=is_many, path=self._path(), is_event=self._is_event())
        return (relationships[name] or {}).get("data")

    def _absent(self, name: str) -> KeyError:
        from ._missing import absent

        return absent(self, name, path=self._path(), is_event=self._is_event())

    def _other_form(self, name: str, *, is_many: bool) -> TypeError:
        from ._missing import other_form

        return other_form(self, name, is_many=is_many)

    def _resolved(self, reference: dict[str, Any], name: str) -> Resource[Any]:
        found = self._related.get(key_of(reference), reference)
        path = self._path()
        origin = OF_EVENT if self._is_event() else path and f"{path}.{name}"
        return resource_of(found, self._related, name if path == "" else origin)

    def _path(self) -> str | None:
        # An older version pickled resources without it.
        origin: str | None = getattr(self, "_origin", None)
        return None if origin == OF_EVENT else origin

    def _is_event(self) -> bool:
        return getattr(self, "_origin", None) == OF_EVENT


def resource_of(
    data: Mapping[str, Any], related: Related | None = None, origin: str | None = None
) -> Resource[Any]:
    """A resource as an object of its type's class.

    Args:
        data: The resource as the API sent it.
        related: Where its relationships lead: other resources by type and id.
        origin: How the response has it, for error messages: the path of relationships from what the
            call asked for, empty for that itself; ``OF_EVENT``; None: not known.
    """
    kind = data.get("type")
    found = Resource._classes.get(kind, Resource) if isinstance(kind, str) else Resource
    made = found(data, related)
    made._origin = origin
    return made


def key_of(resource: Mapping[str, Any]) -> tuple[str, Any]:
    """What tells a resource from the others of an answer."""
    found, kind = resource.get("id"), resource.get("type")
    try:
        hash(found)
    except TypeError:  # a program's own type of ids; equal ones of an answer are one object
        found = ("id", id(found))
    return kind if isinstance(kind, str) else "", found
