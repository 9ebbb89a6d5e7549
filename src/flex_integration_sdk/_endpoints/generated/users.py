"""``sdk.users``: ``users/show``, ``users/query``, ``users/update_profile``, ``users/approve``,
``users/update_permissions``, ``users/verify_email``.

Do not edit: ``python tools/generate.py`` makes this file from ``_endpoints/table.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack, overload

from flex_integration_sdk._endpoints.lazy import AsyncSend, Send
from flex_integration_sdk._endpoints.param_types import (
    UNSET,
    AnyName,
    ExtendedData,
    Fields,
    Id,
    ImageVariants,
    Limits,
    NamesOf,
    NothingMore,
    Unset,
    UnusedPaging,
    datetime,
)
from flex_integration_sdk._endpoints.response import Response
from flex_integration_sdk._endpoints.suggesting import Suggesting
from flex_integration_sdk.resources import User

if TYPE_CHECKING:
    from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator
    from flex_integration_sdk._endpoints.paging.sync import ResourceIterator
    from flex_integration_sdk._vocabulary.includes import UserInclude
    from flex_integration_sdk._vocabulary.names import (
        Permission,
        UserSort,
    )


class UsersEndpoints(Suggesting):
    """``sdk.users`` of sync programs."""

    def __init__(self, send: Send) -> None:
        self._send = send

    @overload
    def show(
        self,
        /,
        *,
        id: Id,
        email: None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[User]: ...
    @overload
    def show(
        self,
        /,
        *,
        email: str,
        id: None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[User]: ...
    def show(
        self,
        /,
        *,
        id: Id | None = None,
        email: str | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[User]:
        """One user, by id or e-mail address.

        Args:
            id: The user's id.
            email: The user's e-mail address, in place of the id.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Parameters that this version does not know, passed through. Type checkers take
                them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "users.show",
            {
                "id": id,
                "email": email,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def query(
        self,
        /,
        *,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        sort: NamesOf[UserSort] | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[User]]:
        """Users, newest first.

        Args:
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            sort: Up to 3 of ``createdAt`` and extended data; ``-`` before a name reverses it.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and
                other parameters that this version does not know.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "users.query",
            {
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "sort": sort,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def iterate(
        self,
        /,
        *,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        sort: NamesOf[UserSort] | None = None,
        per_page: int | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Any,
    ) -> ResourceIterator[User]:
        """Users. Walks through all pages, oldest first unless ``sort`` says otherwise; after an
        error it can go on.

        Args:
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            sort: Up to 3 of ``createdAt`` and extended data; ``-`` before a name reverses it.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            resume: ``position`` of an iterator with the same arguments: goes on there.
            further: Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and
                other parameters that this version does not know.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        from flex_integration_sdk._endpoints.paging.sync import ResourceIterator

        return ResourceIterator(
            self._send,
            "users.query",
            {
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "sort": sort,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )

    def update_profile(
        self,
        /,
        *,
        id: Id,
        first_name: str | Unset = UNSET,
        last_name: str | Unset = UNSET,
        display_name: str | Unset | None = UNSET,
        bio: str | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        protected_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        profile_image_id: Id | Unset | None = UNSET,
        expand: bool | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[User]:
        """Changes a user's profile; what you omit stays.

        Args:
            id: The user's id.
            first_name: First name.
            last_name: Last name.
            display_name: Name that others see.
            bio: Text about the user.
            public_data: Merged with the stored data, key by key.
            protected_data: Merged key by key; the user and operators read it, and in a transaction
                the other party.
            private_data: Merged key by key; owner and operators read it.
            metadata: Merged key by key; only operators write it, all read it.
            profile_image_id: Id of an uploaded image.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "users.updateProfile",
            {
                "id": id,
                "firstName": first_name,
                "lastName": last_name,
                "displayName": display_name,
                "bio": bio,
                "publicData": public_data,
                "protectedData": protected_data,
                "privateData": private_data,
                "metadata": metadata,
                "profileImageId": profile_image_id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def approve(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[User]:
        """Makes a pending user active.

        Args:
            id: The user's id.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "users.approve",
            {
                "id": id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def update_permissions(
        self,
        /,
        *,
        id: Id,
        post_listings: Permission | AnyName | Unset = UNSET,
        initiate_transactions: Permission | AnyName | Unset = UNSET,
        read: Permission | AnyName | Unset = UNSET,
        expand: bool | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[User]:
        """Changes what a user may do: ``permission/allow`` or ``permission/deny`` each.

        Args:
            id: The user's id.
            post_listings: Whether the user may publish listings.
            initiate_transactions: Whether the user may start transactions.
            read: Whether the user may see the marketplace's data.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "users.updatePermissions",
            {
                "id": id,
                "postListings": post_listings,
                "initiateTransactions": initiate_transactions,
                "read": read,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def verify_email(
        self,
        /,
        *,
        id: Id,
        email: str,
        expand: bool | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[User]:
        """Marks a user's e-mail address as verified.

        Args:
            id: The user's id.
            email: The address to verify: the user's own or pending one.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return self._send(
            "users.verifyEmail",
            {
                "id": id,
                "email": email,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )


class AsyncUsersEndpoints(Suggesting):
    """``sdk.users`` of asyncio programs."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    @overload
    async def show(
        self,
        /,
        *,
        id: Id,
        email: None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[User]: ...
    @overload
    async def show(
        self,
        /,
        *,
        email: str,
        id: None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[User]: ...
    async def show(
        self,
        /,
        *,
        id: Id | None = None,
        email: str | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[UnusedPaging],
    ) -> Response[User]:
        """One user, by id or e-mail address.

        Args:
            id: The user's id.
            email: The user's e-mail address, in place of the id.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Parameters that this version does not know, passed through. Type checkers take
                them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "users.show",
            {
                "id": id,
                "email": email,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def query(
        self,
        /,
        *,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        sort: NamesOf[UserSort] | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Any,
    ) -> Response[list[User]]:
        """Users, newest first.

        Args:
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            sort: Up to 3 of ``createdAt`` and extended data; ``-`` before a name reverses it.
            page: Page number, from 1.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and
                other parameters that this version does not know.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "users.query",
            {
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "sort": sort,
                "page": page,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    def iterate(
        self,
        /,
        *,
        created_at_start: datetime | None = None,
        created_at_end: datetime | None = None,
        sort: NamesOf[UserSort] | None = None,
        per_page: int | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        resume: str | None = None,
        **further: Any,
    ) -> AsyncResourceIterator[User]:
        """Users. Walks through all pages, oldest first unless ``sort`` says otherwise; after an
        error it can go on.

        Args:
            created_at_start: Created at this time or later.
            created_at_end: Created before this time.
            sort: Up to 3 of ``createdAt`` and extended data; ``-`` before a name reverses it.
            per_page: Resources on a page, 1 to 100 (default 100).
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            resume: ``position`` of an iterator with the same arguments: goes on there.
            further: Filters by extended data, ``pub_…``, ``meta_…``, ``priv_…`` and ``prot_…``, and
                other parameters that this version does not know.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        from flex_integration_sdk._endpoints.paging.aio import AsyncResourceIterator

        return AsyncResourceIterator(
            self._send,
            "users.query",
            {
                "createdAtStart": created_at_start,
                "createdAtEnd": created_at_end,
                "sort": sort,
                "perPage": per_page,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
            resume,
        )

    async def update_profile(
        self,
        /,
        *,
        id: Id,
        first_name: str | Unset = UNSET,
        last_name: str | Unset = UNSET,
        display_name: str | Unset | None = UNSET,
        bio: str | Unset | None = UNSET,
        public_data: ExtendedData | Unset = UNSET,
        protected_data: ExtendedData | Unset = UNSET,
        private_data: ExtendedData | Unset = UNSET,
        metadata: ExtendedData | Unset = UNSET,
        profile_image_id: Id | Unset | None = UNSET,
        expand: bool | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[User]:
        """Changes a user's profile; what you omit stays.

        Args:
            id: The user's id.
            first_name: First name.
            last_name: Last name.
            display_name: Name that others see.
            bio: Text about the user.
            public_data: Merged with the stored data, key by key.
            protected_data: Merged key by key; the user and operators read it, and in a transaction
                the other party.
            private_data: Merged key by key; owner and operators read it.
            metadata: Merged key by key; only operators write it, all read it.
            profile_image_id: Id of an uploaded image.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "users.updateProfile",
            {
                "id": id,
                "firstName": first_name,
                "lastName": last_name,
                "displayName": display_name,
                "bio": bio,
                "publicData": public_data,
                "protectedData": protected_data,
                "privateData": private_data,
                "metadata": metadata,
                "profileImageId": profile_image_id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def approve(
        self,
        /,
        *,
        id: Id,
        expand: bool | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[User]:
        """Makes a pending user active.

        Args:
            id: The user's id.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "users.approve",
            {
                "id": id,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def update_permissions(
        self,
        /,
        *,
        id: Id,
        post_listings: Permission | AnyName | Unset = UNSET,
        initiate_transactions: Permission | AnyName | Unset = UNSET,
        read: Permission | AnyName | Unset = UNSET,
        expand: bool | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[User]:
        """Changes what a user may do: ``permission/allow`` or ``permission/deny`` each.

        Args:
            id: The user's id.
            post_listings: Whether the user may publish listings.
            initiate_transactions: Whether the user may start transactions.
            read: Whether the user may see the marketplace's data.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "users.updatePermissions",
            {
                "id": id,
                "postListings": post_listings,
                "initiateTransactions": initiate_transactions,
                "read": read,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )

    async def verify_email(
        self,
        /,
        *,
        id: Id,
        email: str,
        expand: bool | None = None,
        include: NamesOf[UserInclude] | None = None,
        fields: Fields | None = None,
        limit: Limits | None = None,
        image_variant: ImageVariants | None = None,
        **further: Unpack[NothingMore],
    ) -> Response[User]:
        """Marks a user's e-mail address as verified.

        Args:
            id: The user's id.
            email: The address to verify: the user's own or pending one.
            expand: True: return the whole resource; otherwise only its id and type.
            include: Relationships to include, such as ``author.profileImage``.
            fields: Attributes to return, by type: ``{"user": ["email"]}``.
            limit: Maximum of resources for each relationship: ``{"images": 1}``.
            image_variant: Image variants of your own, by name: ``{"small": {"w": 320, "h": 240,
                "fit": "scale"}}``.
            further: Members of the body that this version does not know, passed through. Type
                checkers take them as ``**`` with a ``dict[str, Any]`` only.

        Raises:
            ParameterError: A name is misspelt, or a value cannot be sent.
            FlexError: The API refuses, or does not respond; the class says why.
            TokenStoreError: No access token could be obtained.
        """
        return await self._send(
            "users.verifyEmail",
            {
                "id": id,
                "email": email,
                "expand": expand,
                "include": include,
                "fields": fields,
                "limit": limit,
                "imageVariant": image_variant,
            },
            further,
        )
