"""Answers and errors in plain words: what is wrong, and what to do."""

from __future__ import annotations

import ssl

import httpx2

from ._options import Options
from ._steps import Answer, Request

POLICIES = {
    "data": '["create", "read", "update"]',
    "destroy": '["update"]',
    "metadata": '["read"]',
    "": '["create", "read", "update", "delete"]',  # KV version 1
}
_NO_NAMESPACE = "namespace not found"
_SERVERS = "check the option address, and any proxy in between"
_UNCHANGED = {
    405: f"it does not know this request: {_SERVERS}",
    412: "it has not caught up with the active node: try again",
    413: "the token is larger than it accepts",
    429: "it is overloaded, or a quota is used up: try again later",
    501: "it is not initialised: run `vault operator init`",
}


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


def problem_of(answer: Answer, request: Request, known: bool, options: Options) -> str:
    """What keeps this answer from being used; empty: nothing does.

    Args:
        answer: The answer to ``request``.
        request: What was asked.
        known: The server knows the Vault token that was sent.
        options: The store's.
    """
    if answer.status in (200, 204) and answer.understood:
        return ""
    # Before the status: a load balancer's 404 would be taken for an empty store.
    if not answer.understood:
        return (
            f"it responded with HTTP {answer.status}, but not in the form of Vault or OpenBao: "
            f"{_SERVERS} (http:// or https://?)"
        )
    if answer.status == 404:
        return _not_found(answer, options)
    if answer.status == 403:
        return _denied(request, options) if known else _unknown_token(request, options)
    return _general(answer)


def problem_of_sign_in(answer: Answer, options: Options) -> str:
    """Why there is no Vault token."""
    where = f"sign-in at auth/{options.auth_mount or options.auth} "
    what = {"approle": "role_id and secret_id (or its file)", "kubernetes": "role and jwt_file"}[
        options.auth
    ]
    if not answer.understood or answer.status >= 500 or answer.status in _UNCHANGED:
        return where + "failed: " + (problem_of(answer, Request("POST", ""), True, options))
    if answer.status == 404:
        if answer.says(_NO_NAMESPACE):
            return _not_found(answer, options)
        return (
            where + "is not possible: no auth method is mounted there: check the option auth_mount"
        )
    return (
        where + f"was refused (HTTP {answer.status}): check auth_mount, {what}, whether "
        "they have expired or been used up, and that the role may be used from this host"
    )


def reason_of(error: Exception, options: Options) -> str:
    """Why there was no answer."""
    if _is_tls(error):
        return (
            f"TLS failed ({_tls_words(error)}): check that it supports TLS, and check the host "
            "name; for a CA of your own, set ca_file or VAULT_CACERT"
        )
    if isinstance(error, httpx2.ConnectTimeout):
        return f"it could not be reached within {options.connect_timeout:g} s: {_SERVERS}"
    if isinstance(error, httpx2.TimeoutException):
        return (
            f"it did not respond within {options.timeout:g} s: check that it is up, or raise "
            "timeout"
        )
    if isinstance(error, httpx2.ProxyError):
        return (
            "the proxy that the environment names refused the connection: check it, or set NO_PROXY"
        )
    if isinstance(error, httpx2.ConnectError):
        return f"it cannot be reached: check that it is up; {_SERVERS}"
    return f"the connection broke ({type(error).__name__}): check that it is up, and try again"


def policy(kind: str, options: Options) -> str:
    """The line that the policy needs: ``kind`` is data, metadata, destroy, or empty."""
    path = "/".join(part for part in (options.mount, kind, options.prefix, "*") if part)
    return f'path "{path}" {{ capabilities = {POLICIES[kind]} }}'


def _general(answer: Answer) -> str:
    if answer.redirect:
        return (
            "it is a standby node that redirects to another: set the option address to the active "
            "node, or to a load balancer"
        )
    if answer.status == 503 and answer.says("Vault is sealed"):
        return "it is sealed: unseal it (`vault operator unseal`), then try again"
    if answer.status in _UNCHANGED:
        return _UNCHANGED[answer.status]
    # The server's own words are not quoted: they may hold what was to be written, or is stored.
    if answer.status in (500, 502, 503, 504):
        return f"it cannot respond now (HTTP {answer.status}): see its log, and try again"
    return f"it refused the request (HTTP {answer.status}): see its log"


def _not_found(answer: Answer, options: Options) -> str:
    if answer.says(_NO_NAMESPACE):
        return f"there is no namespace {options.namespace!r}: check namespace or VAULT_NAMESPACE"
    if answer.says("no handler for route "):
        return (
            f"no secrets engine is mounted at {options.mount}/: check the options mount, namespace"
        )
    if answer.body.reveal().get("warnings"):
        return (
            f"{options.mount}/ is not a mount of this KV version: check the store's name and the "
            "option mount; a folder in a mount belongs in the option prefix"
        )
    return ""


def _unknown_token(request: Request, options: Options) -> str:
    what = f"file {options.token_file}" if options.token is None else "option token or VAULT_TOKEN"
    return (
        "it does not accept the Vault token, which may have expired or been revoked: replace the "
        f"token in the {what}; if the token is valid, its policy needs: {_needed(request, options)}"
    )


def _denied(request: Request, options: Options) -> str:
    return f"permission denied: the policy of its Vault token needs: {_needed(request, options)}"


def _needed(request: Request, options: Options) -> str:
    kind = request.path.removeprefix(f"{options.mount}/").partition("/")[0]
    return policy(kind if kind in POLICIES else "", options)


def _is_tls(error: BaseException | None) -> bool:
    # What wraps the error of the ssl module begins with its text: "[SSL: WRONG_VERSION_NUMBER] …".
    return _tls_error(error) is not None or str(error).startswith("[SSL")


def _tls_words(error: BaseException) -> str:
    found = _tls_error(error)
    if isinstance(found, ssl.SSLCertVerificationError):
        return found.verify_message
    return (found.reason or "no TLS") if found is not None else "no TLS"


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    # Ten links are more than httpx2's errors have; a circle of causes must end.
    for _ in range(10):
        if error is None or isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None
