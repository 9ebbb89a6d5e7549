"""Reads the form of a token or revocation request (RFC 6749 section 3.2, RFC 7009 section 2.1)."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qsl

from starlette.requests import Request

from flex_tokenstore import Secret

from .answers import OAuthFault

MEDIA_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100
_KNOWN = (
    "grant_type",
    "client_id",
    "client_secret",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
)


async def read_form(request: Request) -> Secret[dict[str, str]]:
    """The parameters; secret, since client secrets and tokens are among them.

    One without a value is not among them: it counts as omitted.

    Raises:
        OAuthFault: ``invalid_request``; it is not a form, or has a parameter twice.
    """
    if any(name in request.query_params for name in _KNOWN):
        raise invalid("The parameters belong in the body as a form, not in the URL")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MEDIA_TYPE:
        raise invalid(f"{_unlike(kind)}: send the parameters as a form, {MEDIA_TYPE}")
    pairs = _pairs(Secret(await request.body()))
    counts = Counter(name for name, _ in pairs.reveal())
    if twice := [name for name, count in counts.items() if count > 1]:
        named = next((name for name in _KNOWN if name in twice), "a parameter")
        raise invalid(f"The form has {named} twice: send each parameter once")
    return Secret({name: value for name, value in pairs.reveal() if value})


def invalid(description: str) -> OAuthFault:
    """The request is malformed."""
    return OAuthFault(400, "invalid_request", description)


def _unlike(kind: str) -> str:
    if not kind:
        return "The request has no Content-Type"
    if kind == "application/json" or kind.endswith("+json"):
        return "The body is JSON"
    if kind == "multipart/form-data":
        return "The body is multipart/form-data"
    return "The body is not a form"  # its type is not repeated: it may be anything


def _pairs(body: Secret[bytes]) -> Secret[list[tuple[str, str]]]:
    try:
        return Secret(
            parse_qsl(
                body.reveal().decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        )
    except UnicodeDecodeError:
        raise invalid("The form is not UTF-8") from None
    except ValueError:
        raise invalid(f"The form has more than {_MOST_FIELDS} parameters") from None
