"""Checks of the server's response: whether it is the API's, and what time it is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from flex_integration_sdk import _transit
from flex_integration_sdk._settings.base_url import DEFAULT_BASE_URL
from flex_integration_sdk._transport.seen import Seen
from flex_integration_sdk._values.shown import host_of, shown
from flex_integration_sdk._wire.origin import BETWEEN
from flex_tokenstore.embedding import is_page, retry_after

from .checks import check
from .finding import Outcome, SkipCheck, error, ok
from .ground import Ground
from .network import EXTRA, latency, sentence
from .way import Way

# Seconds that this machine's clock may be off. A token is refreshed 30 s before it expires, so
# beyond that two hosts that share a store may disagree whether it is still usable …
OFF = 30.0
# … and five minutes are what servers that check times, such as Kerberos and AWS, still accept.
FAR_OFF = 300.0


@check("network.api", extra=EXTRA)
def api(ground: Ground) -> Iterator[Outcome]:
    """Whether the server speaks the Integration API: how it refuses a request without a token."""
    way, setting = ground.way, ground.named("base_url")
    seen = way.seen
    if seen.error is not None:
        way.block("network.api")
        remedy = "Check the server, and any proxy on the way; or wait longer with --timeout"
        if not way.secure and "in time" not in str(seen.error):
            remedy = (
                f"Write https:// in place of http:// in {setting}, if the server speaks TLS on "
                "that port; else check the server, and any proxy on the way"
            )
        yield error(sentence(seen.error), remedy)
        return
    errors = _errors(seen)
    if seen.status == 401 and errors:
        way.is_api = True
        yield ok(f"{way.host} speaks the Integration API")
        return
    yield (
        _of_failure(seen, way.host)
        or _of_page(seen, way.host, setting)
        or _of_path(seen, way, setting)
        or error(
            f"{way.host} does not speak the Integration API: it responded with HTTP {seen.status} "
            "to a request without a token, which the API refuses with HTTP 401",
            f"Correct {setting}: the API's address is {DEFAULT_BASE_URL}",
        )
    )


def _of_failure(seen: Seen, host: str) -> Outcome | None:
    """It may be the API, which does not answer now."""
    status = seen.status
    if status == 429:
        wait = retry_after(seen.headers.get("retry-after"))
        return error(
            f"{host} refuses requests from this address now: HTTP 429, too many requests",
            f"Wait {'a minute' if wait is None else f'{wait:g} s'}, and make fewer calls: see the "
            "option rate_limits",
        )
    if status >= 500 and status != 511:
        return error(
            f"{host} fails: it responded with HTTP {status}",
            "Try again later; if it lasts, tell whoever runs the server",
        )
    if status == 403 and (said := _sandbox_refusal(seen.body)):
        return error(
            f"{host}: {said}", "Start the sandbox with --allow-host and the name of this host"
        )
    return None


def _of_page(seen: Seen, host: str, setting: str) -> Outcome | None:
    """Something else responds: a network's sign-in page, or another web server."""
    status = seen.status
    if 300 <= status < 400:
        elsewhere = host_of(seen.headers.get("location", ""))
        return error(
            f"{host} redirects to {elsewhere}, which the API does not do: {BETWEEN}",
            f"Sign in to this network in a browser; else correct {setting}",
        )
    if is_page(seen.headers.get("content-type", ""), seen.body) or status == 511:
        return error(
            f"{host} responded with a web page (HTTP {status}), which the API does not do: "
            f"{BETWEEN}",
            f"Sign in to this network in a browser, or set HTTPS_PROXY; else correct {setting}",
        )
    return None


def _of_path(seen: Seen, way: Way, setting: str) -> Outcome | None:
    path = urlsplit(way.base_url).path
    if seen.status != 404 or not path:
        return None
    return error(
        f"{way.host} has nothing at the path {shown(path)} of base_url (HTTP 404)",
        f"Omit the path in {setting}: {way.base_url.removesuffix(path)}",
    )


def _errors(seen: Seen) -> list[dict[str, Any]]:
    """The errors of a response in the API's form; none of any other response."""
    kind = seen.headers.get("content-type", "").lower()
    try:
        if kind.startswith("application/transit+json"):
            body = _transit.loads(seen.body)
        elif kind.startswith("application/json"):
            body = _transit.loads_json(seen.body)
        else:
            return []
    except (ValueError, RecursionError):
        return []
    found = body.get("errors") if isinstance(body, dict) else None
    codes = found if isinstance(found, list) else []
    return [each for each in codes if isinstance(each, dict) and "code" in each]


def _sandbox_refusal(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    known = isinstance(found, dict) and found.get("error") == "refused_by_sandbox"
    return shown(found.get("error_description", "")) if known else ""


@check("clock", extra=EXTRA)
def clock(ground: Ground) -> Iterator[Outcome]:
    """This machine's clock against the server's, whose header ``Date`` has whole seconds."""
    seen = ground.way.seen
    date = _date(seen.headers.get("date", ""))
    if date is None:
        raise SkipCheck("The response has no valid Date header, so that its clock is not known.")
    age = seen.headers.get("age", "")
    # Of a response that a cache has kept, Date is when it was made (RFC 9111 section 5.1).
    kept = float(age) if re.fullmatch(r"\d{1,9}", age) else 0.0
    off = seen.arrived - seen.answering / 2 - (date.timestamp() + 0.5 + kept)
    if abs(off) <= OFF:
        yield ok("This machine's clock agrees with the server's")
        return
    side = "ahead of" if off > 0 else "behind"
    yield Outcome(
        "error" if abs(off) >= FAR_OFF else "warning",
        f"This machine's clock is {_duration(abs(off))} {side} the server's: a token seems to "
        "expire at another time here than on hosts that share the store",
        "Set this machine's clock and have it kept right, such as with `timedatectl set-ntp true`; "
        "in a container, on its host",
    )


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else None


def _duration(seconds: float) -> str:
    """In whole units of at most two kinds, such as ``1 h 5 min``."""
    whole = round(seconds)
    for size, name, small, below in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {name}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"


CHECKS = (api, latency, clock)
