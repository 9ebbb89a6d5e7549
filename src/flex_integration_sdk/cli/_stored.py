"""Whether a token is stored, for commands that end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._notices import tell
from ._words import in_cli_words

if TYPE_CHECKING:
    from flex_tokenstore import TokenStore


def tell_why_it_cannot_be_read(store: TokenStore) -> bool:
    """Before it is removed: another key, for example, may still decrypt it.

    Returns:
        Whether it can be read.
    """
    from flex_tokenstore import TokenCorruptError, TokenStoreError

    try:
        store.get_token()
        return True
    except TokenCorruptError as error:
        if error.reason is not None:
            tell(in_cli_words(str(error)))
    except TokenStoreError as error:
        # Of a wrapper, such as that a key is missing; the removal says what the inner one has.
        if len(store.layers) > 1 and error.store == store.name:
            tell(in_cli_words(f"the token cannot be read: {error}"))
    return False


def is_stored(store: TokenStore) -> bool:
    """Whether there is something to remove, a token or not."""
    from flex_tokenstore import TokenStoreError

    try:
        return store.get_token() is not None
    except TokenStoreError:
        return True  # or it is not known: a removal needs no key, and says itself if it fails
