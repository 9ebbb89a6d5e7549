"""The attributes of an instance, one for each resource of the API.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send, resource
from flex_integration_sdk._endpoints.suggesting import Suggesting

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.file_uploading import AsyncUploadFile, UploadFile

    from .availability_exceptions import (
        AsyncAvailabilityExceptionsEndpoints,
        AvailabilityExceptionsEndpoints,
    )
    from .events import AsyncEventsEndpoints, EventsEndpoints
    from .file_attachments import AsyncFileAttachmentsEndpoints, FileAttachmentsEndpoints
    from .file_downloads import AsyncFileDownloadsEndpoints, FileDownloadsEndpoints
    from .file_uploads import AsyncFileUploadsEndpoints, FileUploadsEndpoints
    from .files import AsyncFilesEndpoints, FilesEndpoints
    from .images import AsyncImagesEndpoints, ImagesEndpoints
    from .listings import AsyncListingsEndpoints, ListingsEndpoints
    from .marketplace import AsyncMarketplaceEndpoints, MarketplaceEndpoints
    from .messages import AsyncMessagesEndpoints, MessagesEndpoints
    from .stock import AsyncStockEndpoints, StockEndpoints
    from .stock_adjustments import AsyncStockAdjustmentsEndpoints, StockAdjustmentsEndpoints
    from .stock_reservations import AsyncStockReservationsEndpoints, StockReservationsEndpoints
    from .transactions import AsyncTransactionsEndpoints, TransactionsEndpoints
    from .users import AsyncUsersEndpoints, UsersEndpoints


class Endpoints(Suggesting):
    """All resources of the Integration API, for sync programs."""

    _send: Send
    _upload: UploadFile

    @resource
    def marketplace(self) -> MarketplaceEndpoints:
        """``show``."""
        from .marketplace import MarketplaceEndpoints

        return MarketplaceEndpoints(self._send)

    @resource
    def users(self) -> UsersEndpoints:
        """``show``, ``query``, ``update_profile``, ``approve``, ``update_permissions``,
        ``verify_email``."""
        from .users import UsersEndpoints

        return UsersEndpoints(self._send)

    @resource
    def listings(self) -> ListingsEndpoints:
        """``show``, ``query``, ``create``, ``update``, ``approve``, ``open``, ``close``."""
        from .listings import ListingsEndpoints

        return ListingsEndpoints(self._send)

    @resource
    def transactions(self) -> TransactionsEndpoints:
        """``show``, ``query``, ``transition``, ``transition_speculative``, ``update_metadata``."""
        from .transactions import TransactionsEndpoints

        return TransactionsEndpoints(self._send)

    @resource
    def images(self) -> ImagesEndpoints:
        """``upload``."""
        from .images import ImagesEndpoints

        return ImagesEndpoints(self._send)

    @resource
    def files(self) -> FilesEndpoints:
        """``create``, ``query``, ``upload``."""
        from .files import FilesEndpoints

        return FilesEndpoints(self._send, self._upload)

    @resource
    def file_uploads(self) -> FileUploadsEndpoints:
        """``create``."""
        from .file_uploads import FileUploadsEndpoints

        return FileUploadsEndpoints(self._send)

    @resource
    def file_downloads(self) -> FileDownloadsEndpoints:
        """``create``."""
        from .file_downloads import FileDownloadsEndpoints

        return FileDownloadsEndpoints(self._send)

    @resource
    def file_attachments(self) -> FileAttachmentsEndpoints:
        """``query``."""
        from .file_attachments import FileAttachmentsEndpoints

        return FileAttachmentsEndpoints(self._send)

    @resource
    def availability_exceptions(self) -> AvailabilityExceptionsEndpoints:
        """``query``, ``create``, ``delete``."""
        from .availability_exceptions import AvailabilityExceptionsEndpoints

        return AvailabilityExceptionsEndpoints(self._send)

    @resource
    def events(self) -> EventsEndpoints:
        """``query``."""
        from .events import EventsEndpoints

        return EventsEndpoints(self._send)

    @resource
    def stock_adjustments(self) -> StockAdjustmentsEndpoints:
        """``query``, ``create``."""
        from .stock_adjustments import StockAdjustmentsEndpoints

        return StockAdjustmentsEndpoints(self._send)

    @resource
    def stock(self) -> StockEndpoints:
        """``compare_and_set``."""
        from .stock import StockEndpoints

        return StockEndpoints(self._send)

    @resource
    def stock_reservations(self) -> StockReservationsEndpoints:
        """``show``."""
        from .stock_reservations import StockReservationsEndpoints

        return StockReservationsEndpoints(self._send)

    @resource
    def messages(self) -> MessagesEndpoints:
        """``query``."""
        from .messages import MessagesEndpoints

        return MessagesEndpoints(self._send)


class AsyncEndpoints(Suggesting):
    """All resources of the Integration API, for asyncio programs."""

    _send: AsyncSend
    _upload: AsyncUploadFile

    @resource
    def marketplace(self) -> AsyncMarketplaceEndpoints:
        """``show``."""
        from .marketplace import AsyncMarketplaceEndpoints

        return AsyncMarketplaceEndpoints(self._send)

    @resource
    def users(self) -> AsyncUsersEndpoints:
        """``show``, ``query``, ``update_profile``, ``approve``, ``update_permissions``,
        ``verify_email``."""
        from .users import AsyncUsersEndpoints

        return AsyncUsersEndpoints(self._send)

    @resource
    def listings(self) -> AsyncListingsEndpoints:
        """``show``, ``query``, ``create``, ``update``, ``approve``, ``open``, ``close``."""
        from .listings import AsyncListingsEndpoints

        return AsyncListingsEndpoints(self._send)

    @resource
    def transactions(self) -> AsyncTransactionsEndpoints:
        """``show``, ``query``, ``transition``, ``transition_speculative``, ``update_metadata``."""
        from .transactions import AsyncTransactionsEndpoints

        return AsyncTransactionsEndpoints(self._send)

    @resource
    def images(self) -> AsyncImagesEndpoints:
        """``upload``."""
        from .images import AsyncImagesEndpoints

        return AsyncImagesEndpoints(self._send)

    @resource
    def files(self) -> AsyncFilesEndpoints:
        """``create``, ``query``, ``upload``."""
        from .files import AsyncFilesEndpoints

        return AsyncFilesEndpoints(self._send, self._upload)

    @resource
    def file_uploads(self) -> AsyncFileUploadsEndpoints:
        """``create``."""
        from .file_uploads import AsyncFileUploadsEndpoints

        return AsyncFileUploadsEndpoints(self._send)

    @resource
    def file_downloads(self) -> AsyncFileDownloadsEndpoints:
        """``create``."""
        from .file_downloads import AsyncFileDownloadsEndpoints

        return AsyncFileDownloadsEndpoints(self._send)

    @resource
    def file_attachments(self) -> AsyncFileAttachmentsEndpoints:
        """``query``."""
        from .file_attachments import AsyncFileAttachmentsEndpoints

        return AsyncFileAttachmentsEndpoints(self._send)

    @resource
    def availability_exceptions(self) -> AsyncAvailabilityExceptionsEndpoints:
        """``query``, ``create``, ``delete``."""
        from .availability_exceptions import AsyncAvailabilityExceptionsEndpoints

        return AsyncAvailabilityExceptionsEndpoints(self._send)

    @resource
    def events(self) -> AsyncEventsEndpoints:
        """``query``."""
        from .events import AsyncEventsEndpoints

        return AsyncEventsEndpoints(self._send)

    @resource
    def stock_adjustments(self) -> AsyncStockAdjustmentsEndpoints:
        """``query``, ``create``."""
        from .stock_adjustments import AsyncStockAdjustmentsEndpoints

        return AsyncStockAdjustmentsEndpoints(self._send)

    @resource
    def stock(self) -> AsyncStockEndpoints:
        """``compare_and_set``."""
        from .stock import AsyncStockEndpoints

        return AsyncStockEndpoints(self._send)

    @resource
    def stock_reservations(self) -> AsyncStockReservationsEndpoints:
        """``show``."""
        from .stock_reservations import AsyncStockReservationsEndpoints

        return AsyncStockReservationsEndpoints(self._send)

    @resource
    def messages(self) -> AsyncMessagesEndpoints:
        """``query``."""
        from .messages import AsyncMessagesEndpoints

        return AsyncMessagesEndpoints(self._send)
