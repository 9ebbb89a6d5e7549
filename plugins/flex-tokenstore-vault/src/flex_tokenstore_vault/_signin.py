"""The Vault token that requests are sent with: obtained, renewed, and obtained again."""

from __future__ import annotations

import contextlib
import math
import random
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from flex_tokenstore import Secret
from flex_tokenstore.records import Sleep, Steps

from ._http import ReadFile
from ._options import Options, is_token
from ._problems import Answer, Refused, Request, problem, problem_of, problem_of_sign_in

GIVEN = 10.0  # seconds after which a token that we were given is renewed, to learn its lease
AGAIN = 5.0  # seconds until a renewal that failed is tried again
EARLIEST, LATEST = 0.6, 0.7  # part of its lease after which a token is renewed; not all at once
MOMENT = 0.5  # seconds in which another thread that is unwrapping the same secret_id is done

# What was unwrapped in this process, which can be done once, by server and wrapping token. For all
# handles, and for the children of a fork, who have a copy.
_unwrapped: dict[tuple[str | None, str | None, Secret[str]], Secret[str]] = {}


class SignIn:
    """The Vault token of one process. No step waits for another caller's."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._token: Secret[str] | None = None
        self._renew_at = self._ends = math.inf  # by the monotonic clock
        self._lease = 0.0  # seconds that it was first given for
        self._anew = False  # at ``_renew_at``, sign in again rather than renew
        self._stamp: tuple[int, ...] = ()  # of the token's file, when it was read

    def token(self) -> Steps[Secret[str] | None]:
        """The token to use now; None: none is sent."""
        if self._options.auth == "none":
            return None
        now = time.monotonic()
        if self._token is None or now >= self._ends:
            return (yield from self._sign_in())
        if self._stamp != self._state_of_file():
            with contextlib.suppress(Refused):  # it may be half written; what there is still works
                return (yield from self._given())
        if now >= self._renew_at:
            self._renew_at = now + AGAIN  # the others go on with what there is meanwhile
            return (yield from self._renew(self._token))
        return self._token

    def another(self, refused: Secret[str]) -> Steps[Secret[str] | None]:
        """A token to use instead of one that the server does not know (any more), if any."""
        if self._token is None or self._token == refused:
            yield from self._sign_in()
        return None if self._token == refused else self._token

    def end(self) -> Steps[None]:
        """Has the server forget a token that we signed in for."""
        # First: no caller must start a request with a token that is about to be revoked.
        token, self._token = self._token, None
        if token is not None and self._options.auth != "token":
            yield Request("POST", "auth/token/revoke-self", None, token)

    def _sign_in(self) -> Steps[Secret[str]]:
        options = self._options
        if options.auth == "token":
            return (yield from self._given())
        login = "login"
        if options.auth == "approle":
            body = yield from self._approle()
        elif options.auth == "kubernetes":
            jwt = yield ReadFile(options.jwt_file)
            body = _with({"role": options.role}, "jwt", jwt)
        elif options.auth == "userpass":
            login = f"login/{quote(options.username or '', safe='')}"
            body = _with({}, "password", (yield from self._secret("password")))
        else:  # cert: the certificate is the connection's
            body = Secret({"name": options.role} if options.role else {})
        # From before the request: the server's count begins later, so ours ends first.
        sent = time.monotonic()
        answer = yield Request("POST", f"auth/{options.auth_mount or options.auth}/{login}", body)
        token = _token_in(answer)
        if token is None:
            raise Refused(problem_of_sign_in(answer, options))
        self._token, self._lease = token, _lease_in(answer)
        self._plan(answer, sent)
        return token

    def _given(self) -> Steps[Secret[str]]:
        token = self._options.token
        if token is None:
            path = str(self._options.token_file)
            stamp = self._state_of_file()  # before it is read: it may change meanwhile
            token = yield ReadFile(path)
            if not is_token(token):
                fault = "does not contain a Vault token: it is empty, or has other content"
                raise self._refused("file", path=path, fault=fault)
            self._stamp = stamp
        self._renew_at, self._token = time.monotonic() + GIVEN, token
        return token

    def _approle(self) -> Steps[Secret[dict[str, Any]]]:
        secret = yield from self._secret("secret_id")
        if secret is not None and self._options.secret_id_wrapped:
            secret = yield from self._unwrap(secret)
        return _with({"role_id": self._options.role_id}, "secret_id", secret)

    def _secret(self, name: str) -> Steps[Secret[str] | None]:
        """The option of this name, or what is in the file that the other option names."""
        path = getattr(self._options, f"{name}_file")
        if path is None:
            given: Secret[str] | None = getattr(self._options, name)
            return given
        found: Secret[str] = yield ReadFile(path)
        if not found:
            fault = f"is empty: it must contain the {name}"
            raise self._refused("file", path=path, fault=fault)
        return found

    def _unwrap(self, wrapping: Secret[str]) -> Steps[Secret[str]]:
        options = self._options
        name = (options.address, options.namespace, wrapping)
        if name not in _unwrapped and is_token(wrapping):
            request = Request("POST", "sys/wrapping/unwrap", None, wrapping)
            answer = yield request
            found = Secret(answer.get("data").get("secret_id"))
            if isinstance(found.reveal(), str):
                _unwrapped[name] = found
            elif answer.status not in (400, 403):
                refused = problem_of(answer, request, options, known=True)
                raise Refused(refused or problem("wrapped", options))
            else:
                yield Sleep(MOMENT)  # another thread of this process may be the one who did it
        if name not in _unwrapped:
            raise self._refused("wrapped")
        return _unwrapped[name]

    def _renew(self, token: Secret[str]) -> Steps[Secret[str]]:
        sent = time.monotonic()
        if not self._anew:
            answer = yield Request("POST", "auth/token/renew-self", Secret({}), token)
            if _token_in(answer) is not None:
                self._plan(answer, sent)
                return token
            if answer.status == 400:  # this kind is never renewed
                self._renew_at = math.inf
        if self._options.auth != "token":
            # A sign-in that fails is tried again after AGAIN seconds, or when the token has
            # expired.
            with contextlib.suppress(
                Refused, httpx2.HTTPError, OSError
            ):  # what there is still works
                return (yield from self._sign_in())
        return token

    def _plan(self, answer: Answer, sent: float) -> None:
        lease, given = _lease_in(answer), self._options.auth == "token"
        # Near the end of its longest life, renewals get shorter and shorter.
        shrinks = answer.get("auth").get("renewable") is not True or lease < self._lease / 2
        self._anew = shrinks and not given
        self._renew_at = sent + lease * random.uniform(EARLIEST, LATEST)  # noqa: S311 - a jitter
        self._ends = math.inf if given else sent + lease

    def _refused(self, name: str, **about: Any) -> Refused:
        return Refused(problem(name, self._options, **about))

    def _state_of_file(self) -> tuple[int, ...]:
        if self._options.token_file is not None:
            with contextlib.suppress(OSError, RuntimeError):  # such as no home folder
                found = Path(self._options.token_file).expanduser().stat()
                return found.st_ino, found.st_mtime_ns, found.st_size
        return ()


def _token_in(answer: Answer) -> Secret[str] | None:
    token = Secret(str(answer.get("auth").get("client_token") or ""))
    return token if answer.status == 200 and is_token(token) else None


def _lease_in(answer: Answer) -> float:
    """Seconds; infinite for a token that does not expire."""
    found = answer.get("auth").get("lease_duration")
    # Vault says 0 for a token that never expires, such as a root token.
    return float(found) if isinstance(found, (int, float)) and found > 0 else math.inf


def _with(body: dict[str, Any], name: str, secret: Secret[str] | None) -> Secret[dict[str, Any]]:
    return Secret(body if secret is None else {**body, name: secret.reveal()})
