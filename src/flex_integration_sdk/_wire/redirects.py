"""Which redirects an API call follows: those to the same scheme, host and port.

A redirect must not take a token or a body elsewhere, and a command that arrives as another request
would be reported as done. So only the same scheme, host and port is followed, and a command only
where its method and body are kept (307, 308: RFC 9110 section 15.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from flex_integration_sdk._values.shown import host_of
from flex_integration_sdk.errors import TransportError

if TYPE_CHECKING:
    from .requests import ApiRequest

REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEEP_THE_METHOD = frozenset({307, 308})
# Of one call; more is a circle.
MOST = 5


def redirected(api: ApiRequest, status: int, location: str | None, count: int) -> ApiRequest | None:
    """The request to send next; None if the response is not a redirect.

    Args:
        api: The request that was answered.
        status: HTTP status of the response.
        location: Its ``Location``.
        count: Redirects that were followed before.

    Raises:
        TransportError: It must not be followed.
    """
    if status not in REDIRECTS or not location:
        return None
    here, there = urlsplit(api.url), target(api.url, location)
    where = "an address that cannot be read" if there is None else _shown(there)
    if there is None or there.username is not None or _origin(there) != _origin(here):
        raise _refused(api, status, f"to {where}: only redirects within {_shown(here)} are")
    if api.method != "GET" and status not in KEEP_THE_METHOD:
        raise _refused(api, status, f"within {where}: for a command only 307 and 308 are")
    if count >= MOST:
        raise _refused(api, status, f"within {where}, more than {MOST} times: no more are")
    # A fragment is not a part of what is requested (RFC 9110 section 7.1).
    return api._replace(url=there._replace(fragment="").geturl())


def _refused(api: ApiRequest, status: int, how: str) -> TransportError:
    if api.method == "GET":
        done = "Nothing was sent there."
    else:
        done = "Nothing was sent there; whether the command was carried out is not known."
    # After a first redirect the path is the server's.
    path = quote(urlsplit(api.url).path[:200])
    return TransportError(
        f"{api.method} {path} was redirected (HTTP {status}) {how} followed. {done} Check "
        "base_url; a proxy may have responded",
        status=status,
    )


def target(url: str, location: str) -> SplitResult | None:
    """Where a redirect leads; None if that cannot be read."""
    try:
        found = urlsplit(urljoin(url, location))
        found.port  # noqa: B018 - raises if it is none
    except ValueError:
        return None
    return found


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    # https://host and https://host:443 are one origin.
    default = {"https": 443, "http": 80}.get(url.scheme)
    return url.scheme, url.hostname, url.port or default


def _shown(url: SplitResult) -> str:
    return f"{url.scheme}://{host_of(url.geturl())}" if url.scheme in ("http", "https") else "?"
