"""What ``auth_info`` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from flex_tokenstore import Token, TokenCorruptError


class AuthInfo(NamedTuple):
    """How the next call obtains its token."""

    grant_type: str | None
    """``"refresh_token"``, ``"client_credentials"``, or None if nothing is stored."""


def auth_info_of(token: Token | None) -> AuthInfo:
    """The :class:`AuthInfo` of the stored token."""
    return AuthInfo(None if token is None else token.grant_type)


def auth_info_of_corrupt(error: TokenCorruptError) -> AuthInfo:
    """For corrupt content: nothing is stored, if the next call moves it aside; else raises."""
    if error.revision is not None:
        return AuthInfo(None)
    raise error
