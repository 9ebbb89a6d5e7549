"""What keeps a save from being done, now and later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import NoPermissionError, ReadOnlyError, ResponseError

from flex_tokenstore import TokenPermissionError, TokenUnavailableError

# How a refusal of a command within a script begins; it has the code ERR, as other errors have.
_IN_SCRIPT = ("ACL failure in script", "The user executing the script can't")


def is_refusal(error: Exception) -> bool:
    """This user, or this server, may not do it."""
    denied = isinstance(error, ResponseError) and str(error).startswith(_IN_SCRIPT)
    return denied or isinstance(error, (NoPermissionError, ReadOnlyError))


@contextmanager
def only_refusals() -> Iterator[None]:
    """Lets no other error out: a full memory or an outage may be over when the token comes."""
    try:
        yield
    except TokenPermissionError:
        raise
    except TokenUnavailableError:
        pass
