"""A url whose password is not percent-encoded: two readings of it, and one shows the password.

SQLAlchemy ends the password at the first ``@``, the standard for urls (RFC 3986) ends user and
password at the last ``@`` before the first ``/``, ``?`` or ``#``. A url that both read alike is
clear; of any other, no part may be shown as host or database.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flex_tokenstore import Secret

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

PROBLEM = (
    "may contain a password that is not percent-encoded, which makes the url ambiguous; no "
    "connection was made, and no part of the url is shown. In the password, write @ as %40, / as "
    "%2F, ? as %3F, # as %23, : as %3A and % as %25, or omit the password from the url and set the "
    "option password. Write an @ after the host as %40 too"
)
_is_pair = re.compile(r"[\w.-]+=[^=]*").fullmatch
_split_host = re.compile(r"(\[[^\]]*\]|[^:]*)(:.*)?").fullmatch


def is_doubtful(raw: Secret[str], parsed: Secret[URL]) -> bool:
    """Whether the url can be read in two ways.

    Args:
        raw: As it was given.
        parsed: As SQLAlchemy reads it.
    """
    # An SQLite url has no password, and a path may contain an @.
    if parsed.reveal().get_backend_name() == "sqlite":
        return False
    rest = Secret(raw.reveal().partition("://")[2])
    authority = Secret(re.split("[/?#]", rest.reveal(), maxsplit=1)[0])
    after = Secret(rest.reveal()[len(authority.reveal()) :])
    account, _, address = map(Secret, authority.reveal().rpartition("@"))
    user, colon, password = map(Secret, account.reveal().partition(":"))
    found = _split_host(address.reveal())
    host = found.group(1).strip("[]") if found is not None else None
    readings_differ = Secret((unquote(user.reveal()), unquote(password.reveal()), host)) != Secret(
        (parsed.reveal().username or "", parsed.reveal().password or "", parsed.reveal().host or "")
    )
    stray = "@" in password.reveal() or (bool(colon) and _has_stray_at(after))
    return readings_differ or stray


def is_read_wrongly(parsed: Secret[URL]) -> bool:
    """Whether SQLAlchemy has read a part of the password as host or database.

    For an engine of the program's own: how its url was written is not known.
    """
    url = parsed.reveal()
    return "@" in (url.host or "") or (url.password is not None and "@" in (url.database or ""))


def _has_stray_at(after: Secret[str]) -> bool:
    """An ``@`` behind the host, which may be where the password really ends."""
    path, _, query = after.reveal().partition("?")
    if "@" in path or "@" not in query:
        return "@" in path
    # Parameters with an @, as in ?application_name=me@box, are common enough to be taken.
    pairs = all(_is_pair(pair) for pair in query.split("&"))
    return path in ("", "/") or not pairs or "/" in query.rpartition("@")[2]
