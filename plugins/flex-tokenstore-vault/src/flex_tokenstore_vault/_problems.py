"""Requests, the answers to them, and what an answer or an error means: cause and remedy."""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

import httpx2

from flex_tokenstore import Secret
from flex_tokenstore.records import Kind, Problem, tls_problem

from ._options import Options

POLICIES = {
    "data": '["create", "read", "update"]',
    "destroy": '["update"]',
    "metadata": '["read"]',
    "": '["create", "read", "update", "delete"]',  # KV version 1
}
# In braces: options, and what `problem` is called with. The server's own words are not quoted: they
# may hold what was to be written, or is stored.
PROBLEMS = {
    Kind.BUSY: {
        "behind": "it has not caught up with the active node: try again",
        "quota": "a rate limit quota is used up, or it is overloaded: try again later",
        "trouble": "it cannot respond now (HTTP {status}): see its log, and try again",
        "page for now": "it responded with HTTP {status}, but not in the form of Vault or OpenBao: "
        "try again; {servers}",
    },
    Kind.LOST: {
        "unreachable": "it cannot be reached: check that it is up; {servers}",
        "broken": "the connection broke ({error}): check that it is up, and try again",
    },
    Kind.SILENT: {
        "silent": "it did not respond within {timeout:g} s: check that it is up, or raise timeout",
    },
    Kind.WRONG_SERVER: {
        "standby": "it is a standby node that redirects to another: set the option address to the "
        "active node, or to a load balancer",
    },
    Kind.DENIED: {
        "denied": "permission denied: add to the policy of its Vault token: {needed}",
        "no save": "a token could not be saved: add to the policy of its Vault token: {needed}",
    },
    Kind.UNAVAILABLE: {
        "sealed": "it is sealed: unseal it (`vault operator unseal`; if it is new, run `vault "
        "operator init` first), then try again",
        "new": "it is not initialised: run `vault operator init`",
        "namespace": "there is no namespace {namespace!r}: check namespace or VAULT_NAMESPACE",
        "no mount": "no secrets engine is mounted at {mount}/: check the options mount, namespace",
        "other mount": "{mount}/ is not a mount of this KV version: check the store's name and the "
        "option mount; a folder in a mount belongs in the option prefix",
        "not kv": "{mount}/ is a secrets engine of the type {type}, not kv: check the option mount",
        "other version": "{mount}/ is KV version {real}: use the store {store}, or another mount",
        "not versioned": "{mount}/ does not behave like KV version 2: check the option mount, or "
        "use the store vault-kv1",
        "copy": "{path} does not hold what was written to it",
        "too large": "the token is larger than it accepts: raise its max_request_size, or that of "
        "a proxy in between",
        "request": "it does not know this request: {servers}",
        "page": "it responded with HTTP {status}, but not in the form of Vault or OpenBao: "
        "{servers} (http:// or https://?)",
        "refused": "it refused the request (HTTP {status}): see its log",
        "token": "it does not accept the Vault token, which may have expired or been revoked: "
        "{tokens}; if the token is valid, its policy needs: {needed}",
        "no token": "no Vault token reached it: {tokens}",
        "sign-in": "sign-in at auth/{at} was refused (HTTP {status}): check auth_mount, "
        "{credentials}, whether they have expired or been used up, and that the role may be used "
        "from this host",
        "no method": "sign-in at auth/{at} is not possible: no auth method is mounted there: check "
        "the option auth_mount",
        "file": "{path} {fault}",
        "wrapped": "the wrapped secret_id could not be unwrapped: its wrapping token has expired, "
        "or was used before, which can be done once. If no program of yours did, somebody else may "
        "have the secret_id: destroy it, and issue a new one",
        "system ca": "TLS cannot be used: what SSL_CERT_FILE or SSL_CERT_DIR names cannot be read, "
        "or holds no CA certificates ({error}): correct it, or set ca_file",
        "connect": "it could not be reached within {connect_timeout:g} s: {servers}",
        "proxy": "the proxy that the environment names refused the connection, or cannot be used "
        "({error}): check HTTPS_PROXY and ALL_PROXY, or set NO_PROXY",
    },
}
# By status, and by how the only error in the answer begins. The first that fits counts.
_BY_ANSWER = {
    (503, "Vault is sealed"): "sealed",
    (404, "namespace not found"): "namespace",
    (404, "no handler for route "): "no mount",
    (400, "missing client token"): "no token",
    (405, ""): "request",
    (412, ""): "behind",
    (413, ""): "too large",
    (429, ""): "quota",
    (501, ""): "new",
    **{(status, ""): "trouble" for status in (500, 502, 503, 504)},
}
_BY_ERROR = {
    httpx2.ConnectTimeout: "connect",
    httpx2.TimeoutException: "silent",
    httpx2.ProxyError: "proxy",
    httpx2.ConnectError: "unreachable",
    httpx2.HTTPError: "broken",
}
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

    def get(self, name: str) -> Any:
        """A part of the body; an empty object if it is not there or is another type."""
        found = self.body.reveal().get(name)
        return found if isinstance(found, dict) else {}

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


def problem(name: str, options: Options, pause: float = 0.0, **about: Any) -> Problem:
    """The problem of this name in the table.

    Args:
        name: In the table.
        options: The store's.
        pause: Seconds that the server asks to wait.
        about: What else stands in the text.
    """
    if options.auth == "none":
        tokens = "check that the agent or proxy at this address adds its token to requests"
    elif options.token_file is not None:
        tokens = f"replace the token in the file {options.token_file}"
    else:
        tokens = "replace the token in the option token or VAULT_TOKEN"
    words = {"tokens": tokens, "servers": "check the option address, and any proxy in between"}
    kind = next(kind for kind, texts in PROBLEMS.items() if name in texts)
    return Problem(
        kind, PROBLEMS[kind][name].format(**{**vars(options), **words, **about}), pause=pause
    )


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
    name = _name_of(answer, known=known and options.auth != "none")
    if name is None:
        return None
    kind = request.path.removeprefix(f"{options.mount}/").partition("/")[0]
    needed = policy(kind if kind in POLICIES else "", options)
    return problem(name, options, answer.pause, status=answer.status, needed=needed)


def problem_of_sign_in(answer: Answer, options: Options) -> Problem:
    """Why there is no Vault token."""
    at = options.auth_mount or options.auth
    name = _name_of(answer, known=True)
    if answer.status == 404 and name is None:
        return problem("no method", options, at=at)
    if name is None or answer.status in (400, 403):
        credentials = _CREDENTIALS[options.auth]
        return problem("sign-in", options, at=at, status=answer.status, credentials=credentials)
    found = problem(name, options, answer.pause, status=answer.status)
    return found._replace(text=f"sign-in at auth/{at} failed: {found.text}")


def problem_of_error(error: Exception, options: Options) -> Problem | None:
    """Why there was no answer; None: the error is not the HTTP client's."""
    if isinstance(error, Refused):
        return error.problem
    # The async client lets errors of ssl through, of TLS 1.3 that come with the first answer.
    if not isinstance(error, (httpx2.HTTPError, ssl.SSLError)):
        return None
    if tls := tls_problem(error):
        return tls
    name = next(name for kind, name in _BY_ERROR.items() if isinstance(error, kind))
    return problem(name, options, error=type(error).__name__)


def policy(kind: str, options: Options) -> str:
    """The line that the policy needs: ``kind`` is data, metadata, destroy, or empty."""
    path = "/".join(part for part in (options.mount, kind, options.prefix, "*") if part)
    return f'path "{path}" {{ capabilities = {POLICIES[kind]} }}'


def _name_of(answer: Answer, *, known: bool) -> str | None:
    if answer.status in (200, 204) and answer.understood:
        return None
    if answer.redirect:
        return "standby"
    # Before the status: a load balancer's 404 would be taken for an empty store. A proxy that
    # cannot reach the server says so in a page of its own.
    if not answer.understood:
        return "page for now" if answer.status in (429, 500, 502, 503, 504) else "page"
    for (status, words), name in _BY_ANSWER.items():
        if answer.status == status and (not words or answer.says(words)):
            return name
    if answer.status == 404:
        return "other mount" if answer.body.reveal().get("warnings") else None
    if answer.status == 403:
        return "denied" if known else "token"
    return "refused"
