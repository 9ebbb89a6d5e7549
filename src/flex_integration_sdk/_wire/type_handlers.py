"""A program's own types in place of the SDK's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from flex_integration_sdk._endpoints.param_types import OwnText
from flex_integration_sdk._values.exact import is_list
from flex_integration_sdk.errors import ConfigurationError
from flex_integration_sdk.types import LatLng, Money

SDK_TYPES = (UUID, Money, LatLng, Decimal, datetime)


@dataclass(frozen=True)
class TypeHandler:
    """Reads one of the SDK's types as a type of your own, and writes your type as the SDK's.

    The SDK asks the handlers in their order and uses the first that fits. They see the arguments
    that you pass, also those of queries, and the values of responses; never a value of the SDK's
    own. A ``datetime`` handler does not read a ``FarTime``.

    Args:
        sdk_type: ``UUID``, ``Money``, ``LatLng``, ``Decimal`` or ``datetime``.
        app_type: Your class. ``writer`` gets its instances.
        can_handle: In place of ``app_type``: called with each value that is not None; returns True
            if ``writer`` takes it.
        reader: Makes your value from the SDK's. If omitted, you get the SDK's value.
        writer: Makes the SDK's value from yours.

    Raises:
        ConfigurationError: ``sdk_type`` is another type, or the parts do not fit each other.
    """

    sdk_type: type
    app_type: type | None = None
    can_handle: Callable[[Any], bool] | None = None
    reader: Callable[[Any], Any] | None = None
    writer: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        if self.sdk_type not in SDK_TYPES:
            known = ", ".join(kind.__name__ for kind in SDK_TYPES)
            raise ConfigurationError(f"a type handler's sdk_type must be one of {known}")
        finds = (self.app_type is not None) + (self.can_handle is not None)
        if finds != (self.writer is not None):
            raise ConfigurationError(
                "a type handler with a writer needs either app_type or can_handle; one without a "
                "writer takes neither"
            )
        if self.reader is None and self.writer is None:
            raise ConfigurationError("a type handler needs a reader, a writer, or both")

    def writes(self, value: Any) -> bool:
        """Tells whether its writer takes a value.

        Args:
            value: An argument of a call.
        """
        if self.app_type is not None:
            return isinstance(value, self.app_type)
        return self.can_handle is not None and bool(self.can_handle(value))


def read(value: Any, handlers: Sequence[TypeHandler]) -> Any:
    """Puts the program's own types into a decoded response.

    Equal ids become one object, so that a reference finds its resource although the program's type
    may have no equality.
    """
    ids: dict[UUID, Any] = {}

    def own(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: own(item) for key, item in value.items()}
        if isinstance(value, list):
            return [own(item) for item in value]
        if not isinstance(value, UUID):
            return _read(value, handlers)
        if value not in ids:
            ids[value] = _read(value, handlers)
        return ids[value]

    return own(value)


def _read(value: Any, handlers: Sequence[TypeHandler]) -> Any:
    for handler in handlers:
        if handler.reader is not None and isinstance(value, handler.sdk_type):
            return handler.reader(value)
    return value


def write_each(arguments: Mapping[str, Any], handlers: Sequence[TypeHandler]) -> dict[str, Any]:
    """Puts the SDK's types into the arguments of a call.

    Handlers see each argument that the program passed, and never the dict of them, which is ours.
    """
    return {name: write(value, handlers) for name, value in arguments.items()}


def write(value: Any, handlers: Sequence[TypeHandler]) -> Any:
    """Puts the SDK's types into an argument."""
    if value is None or isinstance(value, OwnText):
        return value
    for handler in handlers:
        if handler.writer is not None and handler.writes(value):
            return handler.writer(value)
    if isinstance(value, Mapping):
        return {key: write(item, handlers) for key, item in value.items()}
    if is_list(value):
        return [write(item, handlers) for item in value]
    return value
