"""The Vault token that requests are sent with: obtained, renewed, and obtained again."""

from __future__ import annotations

import contextlib
import math
import random
import time
from typing import Any

from flex_tokenstore import Secret, TokenUnavailableError

from ._options import Options, is_token
from ._problems import problem_of_sign_in
from ._steps import Answer, ReadFile, Request, Steps

GIVEN = 10.0  # seconds after which a token that we were given is renewed, to learn its lease
AGAIN = 5.0  # seconds until a renewal that failed is tried again
EARLIEST, LATEST = 0.6, 0.7  # part of its lease after which a token is renewed; not all at once


class SignIn:
    """The Vault token of one process. No step waits for another caller's."""

    def __init__(self, options: Options, place: str, store: str) -> None:
        self._options = options
        self._location = place
        self._store = store
        self._token: Secret[str] | None = None
        self._renew_at = self._ends = math.inf  # by the monotonic clock
        self._lease = 0.0  # seconds that it was first given for
        self._anew = False  # at ``_renew_at``, sign in again rather than renew

    def token(self) -> Steps[Secret[str]]:
        """The token to use now."""
        now = time.monotonic()
        if self._token is None or now >= self._ends:
            return (yield from self._sign_in())
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
        if options.auth == "approle":
            secret = options.secret_id
            if options.secret_id_file is not None:
                secret = yield ReadFile(options.secret_id_file)
                if not secret:
                    raise self._failed(
                        f"{options.secret_id_file} is empty: it must contain the secret_id"
                    )
            body: Secret[dict[str, Any]] = _approle(options, secret)
        else:
            body = _jwt(options.role, (yield ReadFile(options.jwt_file)))
        # From before the request: the server's count begins later, so ours ends first.
        sent = time.monotonic()
        answer = yield Request("POST", f"auth/{options.auth_mount or options.auth}/login", body)
        token = _token_in(answer)
        if token is None:
            raise self._failed(problem_of_sign_in(answer, options))
        self._token, self._lease = token, _lease_in(answer)
        self._plan(answer, sent)
        return token

    def _given(self) -> Steps[Secret[str]]:
        token = self._options.token
        if token is None:
            path = str(self._options.token_file)
            token = yield ReadFile(path)
            if not is_token(token):
                raise self._failed(
                    f"{path} does not contain a Vault token: it is empty, or has other content"
                )
        self._renew_at, self._token = time.monotonic() + GIVEN, token
        return token

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
            with contextlib.suppress(TokenUnavailableError):  # what there is still works
                return (yield from self._sign_in())
        return token

    def _plan(self, answer: Answer, sent: float) -> None:
        lease, given = _lease_in(answer), self._options.auth == "token"
        # Near the end of its longest life, renewals get shorter and shorter.
        shrinks = not _is_renewable(answer) or lease < self._lease / 2
        self._anew = shrinks and not given
        self._renew_at = sent + lease * random.uniform(EARLIEST, LATEST)  # noqa: S311 - a jitter
        self._ends = math.inf if given else sent + lease

    def _failed(self, reason: str) -> TokenUnavailableError:
        return TokenUnavailableError(
            f"token store {self._store!r} at {self._location}: {reason}",
            store=self._store,
            place=self._location,
        )


def _auth_in(answer: Answer) -> dict[str, Any]:
    found = answer.body.reveal().get("auth") if answer.status == 200 else None
    return found if isinstance(found, dict) else {}


def _token_in(answer: Answer) -> Secret[str] | None:
    token = Secret(str(_auth_in(answer).get("client_token") or ""))
    return token if is_token(token) else None


def _lease_in(answer: Answer) -> float:
    """Seconds; infinite for a token that does not expire."""
    found = _auth_in(answer).get("lease_duration")
    # Vault says 0 for a token that never expires, such as a root token.
    return float(found) if isinstance(found, (int, float)) and found > 0 else math.inf


def _is_renewable(answer: Answer) -> bool:
    return _auth_in(answer).get("renewable") is True


def _approle(options: Options, secret: Secret[str] | None) -> Secret[dict[str, Any]]:
    more = {} if secret is None else {"secret_id": secret.reveal()}
    return Secret({"role_id": options.role_id, **more})


def _jwt(role: str | None, content: Secret[str]) -> Secret[dict[str, Any]]:
    return Secret({"role": role, "jwt": content.reveal()})
