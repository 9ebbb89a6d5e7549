"""The controls of a sandbox that listens."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .planned_faults import FaultKind, FaultTarget


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that listens, and its controls.

    The controls raise ``OSError`` if the sandbox does not answer.
    """

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def stats(self) -> dict[str, int]:
        """What came over the wire since the start or the last reset, planned faults included.

        - ``client_credentials``, ``refresh_token``: token requests with that grant, whatever the
          answer, if they are a form; ``refresh_rejected``: the refreshes among them that the
          sandbox's own rules refused (an unknown or dead refresh token, another client; not one
          that lacks the refresh token)
        - ``revoke``: revocation requests
        - ``api_calls``: requests to the Integration API, whatever the answer, but for OPTIONS
        - ``unauthorized``: API and revocation requests whose access token was missing, not
          live or one of two; a 401 that ``fault`` planned is not among them
        - ``faults``: requests that met a planned fault
        - ``peak_token_requests_in_flight``: most token requests, of any grant, that were
          unanswered at one time
        """
        found: dict[str, int] = self._call("GET", "stats")
        return found

    def expire(self) -> None:
        """Expires all access tokens; refresh tokens live on."""
        self._call("POST", "expire")

    def reset(self) -> None:
        """Starts over: no token is known, no fault is planned, all counters are 0."""
        self._call("POST", "reset")

    def fault(
        self,
        kind: FaultKind = "status",
        *,
        target: FaultTarget = "any",
        path: str | None = None,
        count: int | None = None,
        after: int = 0,
        every: int | None = None,
        seed: int = 0,
        status: int = 500,
        code: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 0.1,
    ) -> None:
        """Plans a fault for the next requests.

        Of several planned faults, a request meets the first one that is for it.

        Args:
            kind: ``status`` (an error answer), ``delay``, ``drop`` (the connection ends, nothing
                is done), ``lose_answer`` (done, then the connection ends), ``cut`` (done, then the
                connection ends in the middle of the answer's body), ``html`` (a page with status
                200) or ``token_type`` (a token that is not a bearer token).
            target: ``token``, ``api``, ``revoke`` or ``any``.
            path: Only requests to this endpoint of the API fail, such as ``"listings/query"``.
            count: Requests to fail. None: one; with ``every``, there is no end.
            after: Requests to let through first. Those that other faults meet do not count.
            every: If given, one request in so many fails, at random.
            seed: Of what is random: the same requests in the same order fail with the same seed.
            status: HTTP status from 400 to 599, for ``status``.
            code: ``errors[0].code`` of the answer, for ``status``; of a token request, ``error``.
                None: one that goes with the status.
            body: Body of the answer, for ``status``: a string as it is, anything else as JSON;
                None: an error in the form of the API, or of OAuth.
            headers: Headers of the answer, beside or in place of its own, such as
                ``{"Retry-After": "1"}``.
            seconds: For ``delay``; the request is decided on arrival and answered late.

        Raises:
            ValueError: There is no such fault.
        """
        details = {
            "kind": kind,
            "target": target,
            "path": path,
            "count": count,
            "after": after,
            "every": every,
            "seed": seed,
            "status": status,
            "code": code,
            "body": body,
            "headers": dict(headers or {}),
            "seconds": seconds,
        }
        self._call("POST", "faults", details)

    def clear_faults(self) -> None:
        """Forgets the faults that are planned; tokens, data and counters stay."""
        self._call("DELETE", "faults")

    def _call(self, method: str, name: str, body: Any = None) -> Any:
        # Not through the SDK: no proxy variable and no rule of its own is in between.
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=10)
        try:
            connection.request(method, f"/_sandbox/{name}", json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            why = answer.get("error_description") or answer.get("error")
            raise ValueError(f"the sandbox rejected the fault: {why}")
        return answer
