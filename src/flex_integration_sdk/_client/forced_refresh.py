"""A refresh of a token that still works."""

from __future__ import annotations

from flex_tokenstore import Token, TokenSession


def refresh_now(session: TokenSession, stored: Token) -> Token | None:
    """Refreshes the stored token as a program does whose token has expired, and saves the new one.

    The refresh token is used up, under the token lock.

    Args:
        session: Of an instance without a client secret: one with it may sign in.
        stored: What ``session.peek()`` returned.

    Returns:
        Another token; None: the server has issued the same one again.

    Raises:
        MissingSecretError: The server rejects the refresh token, or there is none.
        TokenStoreError: The token could not be read, or a new one not be saved.
    """
    call = session.new_call("token refresh")
    token: Token | None = call.token()
    # Else it had expired, or another program has refreshed it since.
    if token is not None and token.access_token == stored.access_token:
        token = call.refused(token)
    return None if token is None or token.access_token == stored.access_token else token
