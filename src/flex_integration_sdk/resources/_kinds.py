"""The classes of resources, which know what their relationships lead to.

Do not edit: ``python tools/generate.py`` makes this file from ``_vocabulary/relationships.py``.
The overrides take fewer names than ``Resource`` does, so that a checker finds a wrong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from ._attributes import (
    AvailabilityExceptionAttributes,
    BookingAttributes,
    FileAttachmentAttributes,
    FileAttributes,
    FileDownloadAttributes,
    FileUploadAttributes,
    ImageAttributes,
    ListingAttributes,
    MarketplaceAttributes,
    MessageAttributes,
    PermissionSetAttributes,
    ReviewAttributes,
    StockAdjustmentAttributes,
    StockAttributes,
    StockReservationAttributes,
    StripeAccountAttributes,
    TransactionAttributes,
    UserAttributes,
)
from ._resource import Resource

if TYPE_CHECKING:
    from flex_integration_sdk._vocabulary.names import AnyName


class AvailabilityException(
    Resource[AvailabilityExceptionAttributes], kind="availabilityException"
):
    """A resource of type ``availabilityException``.

    Related to one: ``listing``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["listing"]) -> Listing | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class Booking(Resource[BookingAttributes], kind="booking"):
    """A resource of type ``booking``.

    Related to one: ``listing``, ``transaction``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["listing"]) -> Listing | None: ...
        @overload
        def related(self, name: Literal["transaction"]) -> Transaction | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class File(Resource[FileAttributes], kind="file"):
    """A resource of type ``file``.

    Related to one: ``marketplace``, ``owner``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["marketplace"]) -> Marketplace | None: ...
        @overload
        def related(self, name: Literal["owner"]) -> User | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class FileAttachment(Resource[FileAttachmentAttributes], kind="fileAttachment"):
    """A resource of type ``fileAttachment``.

    Related to one: ``file``, ``message``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["file"]) -> File | None: ...
        @overload
        def related(self, name: Literal["message"]) -> Message | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class FileDownload(Resource[FileDownloadAttributes], kind="fileDownload"):
    """A resource of type ``fileDownload``."""

    __slots__ = ()
    if TYPE_CHECKING:

        def related(  # type: ignore[override]
            self, name: AnyName
        ) -> Resource[Any] | None: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class FileUpload(Resource[FileUploadAttributes], kind="fileUpload"):
    """A resource of type ``fileUpload``."""

    __slots__ = ()
    if TYPE_CHECKING:

        def related(  # type: ignore[override]
            self, name: AnyName
        ) -> Resource[Any] | None: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class Image(Resource[ImageAttributes], kind="image"):
    """A resource of type ``image``."""

    __slots__ = ()
    if TYPE_CHECKING:

        def related(  # type: ignore[override]
            self, name: AnyName
        ) -> Resource[Any] | None: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class Listing(Resource[ListingAttributes], kind="listing"):
    """A resource of type ``listing``.

    Related to one: ``marketplace``, ``author``, ``currentStock``.
    Related to many: ``images``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["marketplace"]) -> Marketplace | None: ...
        @overload
        def related(self, name: Literal["author"]) -> User | None: ...
        @overload
        def related(self, name: Literal["currentStock"]) -> Stock | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        @overload  # type: ignore[override]
        def related_list(self, name: Literal["images"]) -> list[Image]: ...
        @overload
        def related_list(self, name: AnyName) -> list[Resource[Any]]: ...
        def related_list(self, name: str) -> Any: ...


class Marketplace(Resource[MarketplaceAttributes], kind="marketplace"):
    """A resource of type ``marketplace``."""

    __slots__ = ()
    if TYPE_CHECKING:

        def related(  # type: ignore[override]
            self, name: AnyName
        ) -> Resource[Any] | None: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class Message(Resource[MessageAttributes], kind="message"):
    """A resource of type ``message``.

    Related to one: ``sender``, ``transaction``.
    Related to many: ``publicFileAttachments``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["sender"]) -> User | None: ...
        @overload
        def related(self, name: Literal["transaction"]) -> Transaction | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        @overload  # type: ignore[override]
        def related_list(self, name: Literal["publicFileAttachments"]) -> list[FileAttachment]: ...
        @overload
        def related_list(self, name: AnyName) -> list[Resource[Any]]: ...
        def related_list(self, name: str) -> Any: ...


class PermissionSet(Resource[PermissionSetAttributes], kind="permissionSet"):
    """A resource of type ``permissionSet``."""

    __slots__ = ()
    if TYPE_CHECKING:

        def related(  # type: ignore[override]
            self, name: AnyName
        ) -> Resource[Any] | None: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class Review(Resource[ReviewAttributes], kind="review"):
    """A resource of type ``review``.

    Related to one: ``author``, ``listing``, ``subject``, ``transaction``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["author", "subject"]) -> User | None: ...
        @overload
        def related(self, name: Literal["listing"]) -> Listing | None: ...
        @overload
        def related(self, name: Literal["transaction"]) -> Transaction | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class Stock(Resource[StockAttributes], kind="stock"):
    """A resource of type ``stock``."""

    __slots__ = ()
    if TYPE_CHECKING:

        def related(  # type: ignore[override]
            self, name: AnyName
        ) -> Resource[Any] | None: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class StockAdjustment(Resource[StockAdjustmentAttributes], kind="stockAdjustment"):
    """A resource of type ``stockAdjustment``.

    Related to one: ``listing``, ``stockReservation``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["listing"]) -> Listing | None: ...
        @overload
        def related(self, name: Literal["stockReservation"]) -> StockReservation | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class StockReservation(Resource[StockReservationAttributes], kind="stockReservation"):
    """A resource of type ``stockReservation``.

    Related to one: ``listing``, ``transaction``.
    Related to many: ``stockAdjustments``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["listing"]) -> Listing | None: ...
        @overload
        def related(self, name: Literal["transaction"]) -> Transaction | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        @overload  # type: ignore[override]
        def related_list(self, name: Literal["stockAdjustments"]) -> list[StockAdjustment]: ...
        @overload
        def related_list(self, name: AnyName) -> list[Resource[Any]]: ...
        def related_list(self, name: str) -> Any: ...


class StripeAccount(Resource[StripeAccountAttributes], kind="stripeAccount"):
    """A resource of type ``stripeAccount``."""

    __slots__ = ()
    if TYPE_CHECKING:

        def related(  # type: ignore[override]
            self, name: AnyName
        ) -> Resource[Any] | None: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...


class Transaction(Resource[TransactionAttributes], kind="transaction"):
    """A resource of type ``transaction``.

    Related to one: ``marketplace``, ``listing``, ``provider``, ``customer``, ``booking``,
    ``stockReservation``.
    Related to many: ``reviews``, ``messages``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["marketplace"]) -> Marketplace | None: ...
        @overload
        def related(self, name: Literal["listing"]) -> Listing | None: ...
        @overload
        def related(self, name: Literal["provider", "customer"]) -> User | None: ...
        @overload
        def related(self, name: Literal["booking"]) -> Booking | None: ...
        @overload
        def related(self, name: Literal["stockReservation"]) -> StockReservation | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        @overload  # type: ignore[override]
        def related_list(self, name: Literal["reviews"]) -> list[Review]: ...
        @overload
        def related_list(self, name: Literal["messages"]) -> list[Message]: ...
        @overload
        def related_list(self, name: AnyName) -> list[Resource[Any]]: ...
        def related_list(self, name: str) -> Any: ...


class User(Resource[UserAttributes], kind="user"):
    """A resource of type ``user``.

    Related to one: ``marketplace``, ``profileImage``, ``stripeAccount``,
    ``effectivePermissionSet``.
    """

    __slots__ = ()
    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def related(self, name: Literal["marketplace"]) -> Marketplace | None: ...
        @overload
        def related(self, name: Literal["profileImage"]) -> Image | None: ...
        @overload
        def related(self, name: Literal["stripeAccount"]) -> StripeAccount | None: ...
        @overload
        def related(self, name: Literal["effectivePermissionSet"]) -> PermissionSet | None: ...
        @overload
        def related(self, name: AnyName) -> Resource[Any] | None: ...
        def related(self, name: str) -> Any: ...

        def related_list(  # type: ignore[override]
            self, name: AnyName
        ) -> list[Resource[Any]]: ...
