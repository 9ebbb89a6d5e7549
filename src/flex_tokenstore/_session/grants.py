"""What a session needs from you: how to request tokens from your server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .._values.secret import Secret
    from .._values.token import Token


class Grants(Protocol):
    """How a session requests tokens from the server (RFC 6749).

    You write this class for your server, with plain methods. Each method raises
    :class:`~flex_tokenstore.GrantError`, whose ``reason`` tells the session what to do. Any other
    exception counts as ``reason="failed"``.

    Optional: a method ``abandon()`` that ends the request under way in another thread or task at
    once, so that the request raises. The session calls it when the user presses Ctrl-C twice.

    Optional: a method ``place()`` that returns a context manager. The session enters it before it
    acquires the token lock and leaves it after it has released the lock. Use it to wait while too
    many token requests are under way: a wait under the lock would use up its lease. If ``refresh``
    or ``sign_in`` raises an error whose ``busy`` is true, the session releases the lock and begins
    again.
    """

    def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        """Sends the refresh request (RFC 6749 section 6).

        Args:
            refresh_token: The stored refresh token.

        Returns:
            The JSON object of the token response.
        """
        ...

    def sign_in(self) -> Mapping[str, Any]:
        """Sends the client-credentials request (RFC 6749 section 4.4), with the client secret.

        Returns:
            The JSON object of the token response.
        """
        ...

    def revoke(self, token: Token) -> None:
        """Has the server revoke a token (RFC 7009).

        Args:
            token: The token to revoke.

        Raises:
            GrantError: With ``reason="rejected"`` if the server does not accept the access token.
        """
        ...


class AsyncGrants(Protocol):
    """How a session requests tokens from the server (RFC 6749).

    You write this class for your server, with coroutines. Each method raises
    :class:`~flex_tokenstore.GrantError`, whose ``reason`` tells the session what to do. Any other
    exception counts as ``reason="failed"``.

    Optional: a method ``abandon()`` that ends the request under way in another thread or task at
    once, so that the request raises. The session calls it when the user presses Ctrl-C twice.

    Optional: a method ``place()`` that returns an async context manager. The session enters it
    before it acquires the token lock and leaves it after it has released the lock. Use it to wait
    while too many token requests are under way: a wait under the lock would use up its lease. If
    ``refresh`` or ``sign_in`` raises an error whose ``busy`` is true, the session releases the lock
    and begins again.
    """

    async def refresh(self, refresh_token: Secret[str]) -> Mapping[str, Any]:
        """Sends the refresh request (RFC 6749 section 6).

        Args:
            refresh_token: The stored refresh token.

        Returns:
            The JSON object of the token response.
        """
        ...

    async def sign_in(self) -> Mapping[str, Any]:
        """Sends the client-credentials request (RFC 6749 section 4.4), with the client secret.

        Returns:
            The JSON object of the token response.
        """
        ...

    async def revoke(self, token: Token) -> None:
        """Has the server revoke a token (RFC 7009).

        Args:
            token: The token to revoke.

        Raises:
            GrantError: With ``reason="rejected"`` if the server does not accept the access token.
        """
        ...
