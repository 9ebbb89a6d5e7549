"""Requests, the answers to them, and what an answer or an error means: cause and remedy."""

from __future__ import annotations

import re
import ssl
from typing import Any, NamedTuple

import httpx2

from flex_tokenstore import Secret
from flex_tokenstore.records import Kind, Problem

from ._options import Options

POLICIES = {
    "data": '["create", "read", "update"]',
    "destroy": '["update"]',
    "metadata": '["read"]',
    "": '["create", "read", "update", "delete"]',  # KV version 1
}
_SERVERS = "check the option address, and any proxy in between"
# By the status of an answer, and by how its only error begins; where an empty text is, by the
# status alone. The first that fits counts. In braces: options.
_BY_ANSWER = (
    (
        503,
        "Vault is sealed",
        Kind.UNAVAILABLE,
        "it is sealed: unseal it (`vault operator unseal`; if it is new, run `vault operator init` "
        "first), then try again",
    ),
    (
        404,
        "namespace not found",
        Kind.UNAVAILABLE,
        "there is no namespace {namespace!r}: check namespace or VAULT_NAMESPACE",
    ),
    (
        404,
        "no handler for route ",
        Kind.UNAVAILABLE,
        "no secrets engine is mounted at {mount}/: check the options mount, namespace",
    ),
    (
        400,
        "check-and-set parameter required",
        Kind.UNAVAILABLE,
        "its engine demands a version with each write, and did not see the one that was sent: "
        "check any proxy in between",
    ),
    (400, "missing client token", Kind.UNAVAILABLE, "no Vault token reached it: {tokens}"),
    (405, "", Kind.UNAVAILABLE, f"it does not know this request: {_SERVERS}"),
    (412, "", Kind.BUSY, "it has not caught up with the active node: try again"),
    (
        413,
        "",
        Kind.UNAVAILABLE,
        "the token is larger than it accepts: raise its max_request_size, or that of a proxy in "
        "between",
    ),
    (429, "", Kind.BUSY, "a rate limit quota is used up, or it is overloaded: try again later"),
    (501, "", Kind.UNAVAILABLE, "it is not initialised: run `vault operator init`"),
    *(
        (status, "", Kind.BUSY, f"it cannot respond now (HTTP {status}): see its log, try again")
        for status in (500, 502, 503, 504)
    ),
)
# By how the reason of the ssl module's error ends.
_BY_TLS = {
    "CERTIFICATE_REQUIRED": "it demands a client certificate: set cert_file and key_file",
    "HANDSHAKE_FAILURE": "check whether it demands a client certificate (cert_file, key_file)",
    "UNKNOWN_CA": "it does not trust the client certificate's CA: set another cert_file",
    "BAD_CERTIFICATE": "it refuses the client certificate: set another cert_file and key_file",
    "CERTIFICATE_EXPIRED": "the client certificate has expired: replace cert_file and key_file",
    "CERTIFICATE_UNKNOWN": "it refuses the client certificate: set another cert_file and key_file",
}
_reason_in = re.compile(r"\[SSL(?:: (\w+))?\]").search
_CREDENTIALS = {
    "approle": "role_id and secret_id (or its file)",
    "kubernetes": "role and jwt_file",
    "userpass": "username and password (or its file)",
    "cert": "cert_file, key_file and role",
}


class Request(NamedTuple):
    """A request to the server."""

    method: str
    path: str
    """Below ``/v1/``."""
    body: Secret[dict[str, Any]] | None = None
    token: Secret[str] | None = None
    """The Vault token to send it with."""


class Answer(NamedTuple):
    """The server's answer."""

    status: int
    body: Secret[dict[str, Any]]
    """The JSON object; empty if there is none."""
    understood: bool
    """The body is a JSON object, or there is none."""
    date: float | None
    """Unix time in seconds by the server's clock, in whole seconds."""
    redirect: bool = False
    pause: float = 0.0
    """Seconds that it asks to wait."""

    def says(self, words: str) -> bool:
        """The server returned exactly one error, and it begins with these words.

        Words are compared from their start: an error may quote what somebody stored or typed.
        """
        found = self.body.reveal().get("errors")
        return isinstance(found, list) and len(found) == 1 and str(found[0]).startswith(words)


class Refused(Exception):
    """Raised by a step: an answer cannot be used, or there is none."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def is_conflict(answer: Answer) -> bool:
    """The secret's version is not the one that a write was to replace."""
    # Word for word, as Vault and OpenBao say it. Any other refusal is not a lost comparison: who
    # takes it for one goes on as if somebody else had written.
    return answer.status == 400 and answer.body.reveal().get("errors") == [
        "check-and-set parameter did not match the current version"
    ]


def needs_version(answer: Answer) -> bool:
    """The engine refuses writes that name no version (``cas_required``)."""
    return answer.status == 400 and answer.body.reveal().get("errors") == [
        "check-and-set parameter required for this call"
    ]


def problem_of(
    answer: Answer, request: Request, options: Options, *, known: bool
) -> Problem | None:
    """What keeps this answer from being used; None: nothing does.

    Args:
        answer: The answer to ``request``.
        request: What was asked.
        options: The store's.
        known: The server knows the Vault token that was sent.
    """
    if answer.status in (200, 204) and answer.understood:
        return None
    if answer.redirect:
        text = (
            "it is a standby node that redirects to another: set the option address to the active "
            "node, or to a load balancer"
        )
        return Problem(Kind.WRONG_SERVER, text)
    # Before the status: a load balancer's 404 would be taken for an empty store.
    if not answer.understood:
        # A proxy that cannot reach the server says so in a page of its own.
        kind = Kind.BUSY if answer.status in (429, 500, 502, 503, 504) else Kind.UNAVAILABLE
        text = (
            f"it responded with HTTP {answer.status}, but not in the form of Vault or OpenBao: "
            f"{_SERVERS} (http:// or https://?)"
        )
        return Problem(kind, text, pause=answer.pause)
    for status, words, kind, text in _BY_ANSWER:
        if answer.status == status and (not words or answer.says(words)):
            about = {**vars(options), "tokens": _tokens(options)}
            return Problem(kind, text.format(**about), pause=answer.pause)
    if answer.status == 404:
        return _of_not_found(answer, options)
    if answer.status == 403:
        return _of_denied(request, options, known=known)
    # The server's own words are not quoted: they may hold what was to be written, or is stored.
    return Problem(Kind.UNAVAILABLE, f"it refused the request (HTTP {answer.status}): see its log")


def problem_of_sign_in(answer: Answer, options: Options) -> Problem:
    """Why there is no Vault token."""
    where = f"sign-in at auth/{options.auth_mount or options.auth} "
    found = problem_of(answer, Request("POST", ""), options, known=True)
    if answer.status == 404 and not answer.says("namespace not found") and answer.understood:
        text = "is not possible: no auth method is mounted there: check the option auth_mount"
        return Problem(Kind.UNAVAILABLE, where + text)
    if found is not None and answer.status not in (400, 403):
        return found._replace(text=f"{where}failed: {found.text}")
    text = (
        f"was refused (HTTP {answer.status}): check auth_mount, {_CREDENTIALS[options.auth]}, "
        "whether they have expired or been used up, and that the role may be used from this host"
    )
    return Problem(Kind.UNAVAILABLE, where + text)


def problem_of_error(error: Exception, options: Options) -> Problem | None:
    """Why there was no answer; None: the error is not the HTTP client's."""
    if isinstance(error, Refused):
        return error.problem
    if not isinstance(error, httpx2.HTTPError):
        return None
    reason = _tls_reason(error)
    if reason is not None:
        return Problem(Kind.UNAVAILABLE, f"TLS failed ({reason[0]}): {reason[1]}")
    if isinstance(error, httpx2.ConnectTimeout):
        text = f"it could not be reached within {options.connect_timeout:g} s: {_SERVERS}"
        return Problem(Kind.UNAVAILABLE, text)
    if isinstance(error, httpx2.TimeoutException):
        text = (
            f"it did not respond within {options.timeout:g} s: check that it is up, or raise "
            "timeout"
        )
        return Problem(Kind.UNAVAILABLE, text)
    if isinstance(error, httpx2.ProxyError):
        text = (
            "the proxy that the environment names refused the connection: check it, or set NO_PROXY"
        )
        return Problem(Kind.UNAVAILABLE, text)
    if isinstance(error, httpx2.ConnectError):
        text = f"it cannot be reached: check that it is up; {_SERVERS}"
        return Problem(Kind.LOST, text)
    text = f"the connection broke ({type(error).__name__}): check that it is up, and try again"
    return Problem(Kind.LOST, text)


def policy(kind: str, options: Options) -> str:
    """The line that the policy needs: ``kind`` is data, metadata, destroy, or empty."""
    path = "/".join(part for part in (options.mount, kind, options.prefix, "*") if part)
    return f'path "{path}" {{ capabilities = {POLICIES[kind]} }}'


def _of_not_found(answer: Answer, options: Options) -> Problem | None:
    if not answer.body.reveal().get("warnings"):
        return None
    text = (
        f"{options.mount}/ is not a mount of this KV version: check the store's name and the "
        "option mount; a folder in a mount belongs in the option prefix"
    )
    return Problem(Kind.UNAVAILABLE, text)


def _of_denied(request: Request, options: Options, *, known: bool) -> Problem:
    kind = request.path.removeprefix(f"{options.mount}/").partition("/")[0]
    needed = policy(kind if kind in POLICIES else "", options)
    if known and options.auth != "none":
        return Problem(
            Kind.DENIED, f"permission denied: the policy of its Vault token needs: {needed}"
        )
    text = (
        "it does not accept the Vault token, which may have expired or been revoked: "
        f"{_tokens(options)}; if the token is valid, its policy needs: {needed}"
    )
    return Problem(Kind.UNAVAILABLE, text)


def _tokens(options: Options) -> str:
    if options.auth == "none":
        return "check that the agent or proxy at this address adds its token to requests"
    if options.token_file is not None:
        return f"replace the token in the file {options.token_file}"
    return "replace the token in the option token or VAULT_TOKEN"


def _tls_reason(error: BaseException) -> tuple[str, str] | None:
    # What wraps the error of the ssl module begins with its text: "[SSL: WRONG_VERSION_NUMBER] …".
    words = _reason_in(str(error))
    found: BaseException | None = error
    # Ten links are more than httpx2's errors have; a circle of causes must end.
    for _ in range(10):
        if found is None or isinstance(found, ssl.SSLError):
            break
        found = found.__cause__ or found.__context__
    if isinstance(found, ssl.SSLCertVerificationError):
        remedy = "check the host name; for a CA of your own, set ca_file or VAULT_CACERT"
        return found.verify_message, remedy
    if words is None and not isinstance(found, ssl.SSLError):
        return None
    reason = (found.reason if isinstance(found, ssl.SSLError) else None) or (
        words.group(1) if words else None
    )
    for end, remedy in _BY_TLS.items():
        if reason is not None and reason.endswith(end):
            return reason, remedy
    return reason or "no TLS", "check that it supports TLS, and check the host name"
