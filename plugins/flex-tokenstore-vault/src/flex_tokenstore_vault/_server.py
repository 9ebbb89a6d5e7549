"""Requests with a Vault token, and what they are answered, checked."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from flex_tokenstore import Secret, TokenUnavailableError

from ._options import Options
from ._problems import problem_of
from ._signin import SignIn
from ._steps import Answer, Request, Steps


class Server:
    """The server as one store sees it.

    Args:
        options: The store's.
        store: Its name, for messages.
        place: Where it keeps the token, for people.
        version: Of the KV secrets engine, 1 or 2.
    """

    def __init__(self, options: Options, *, store: str, place: str, version: int) -> None:
        self.options = options
        self.store = store
        self.place = place
        self._version = version
        self._sign_ins: dict[int, SignIn] = {}
        self._mount_checked = False

    @property
    def sign_in(self) -> SignIn:
        """That of this process: a forked child signs in by itself."""
        made = self._sign_ins.get(os.getpid())
        if made is None:
            new = SignIn(self.options, self.place, self.store)
            made = self._sign_ins.setdefault(os.getpid(), new)
        return made

    @property
    def signed_in(self) -> bool:
        """This process has asked for a Vault token."""
        return os.getpid() in self._sign_ins

    def ask(
        self,
        method: str,
        path: str,
        body: Secret[dict[str, Any]] | None = None,
        *,
        expects: Callable[[Answer], bool] | None = None,
    ) -> Steps[Answer]:
        """The answer: 200, 204, 404 for what is not there.

        Args:
            method: Of the request.
            path: Below ``/v1/``.
            body: Its JSON object.
            expects: Recognises another response that the caller can handle.

        Raises:
            TokenUnavailableError: Any other answer, or none.
        """
        token = yield from self.sign_in.token()
        request = Request(method, path, body, token)
        answer: Answer = yield request
        known = True
        if answer.status == 403:
            # The same status for a token that has expired and for a policy that refuses.
            # One more request, and only after a refusal: only a token that is not known must be
            # replaced.
            looked = yield Request("GET", "auth/token/lookup-self", None, token)
            known = looked.status == 200
            other = None if known else (yield from self.sign_in.another(token))
            if other is not None:
                request = request._replace(token=other)
                answer = yield request
                known = True  # as far as one can tell
        if expects is not None and expects(answer):
            return answer
        problem = problem_of(answer, request, known, self.options)
        if problem:
            raise self.unavailable(problem)
        return answer

    def check_mount(self) -> Steps[None]:
        """Tells a mount of another kind from one in which there is nothing.

        Its answers to a read are the same. Asked once, and only if nothing was found.
        """
        if self._mount_checked:
            return
        mount = self.options.mount
        token = yield from self.sign_in.token()
        answer = yield Request("GET", f"sys/internal/ui/mounts/{mount}", None, token)
        problem = _problem_of_mount(answer.body, mount, self._version)
        if answer.status == 200 and problem:
            raise self.unavailable(problem)
        # Also if a policy forbids the question: it would be refused each time.
        self._mount_checked = True

    def unavailable(self, reason: str) -> TokenUnavailableError:
        """The error to raise."""
        return TokenUnavailableError(
            f"token store {self.store!r} at {self.place}: {reason}",
            store=self.store,
            place=self.place,
        )


def _problem_of_mount(body: Secret[dict[str, Any]], mount: str, version: int) -> str:
    found = body.reveal().get("data") or {}
    kind = found.get("type")
    if kind not in ("kv", "generic"):
        return f"{mount}/ is a secrets engine of the type {kind}, not kv: check the option mount"
    real = int((found.get("options") or {}).get("version") or 1)
    if real != version:
        other = "vault" if real == 2 else "vault-kv1"
        return f"{mount}/ is KV version {real}: use the store {other}, or another mount"
    return ""
