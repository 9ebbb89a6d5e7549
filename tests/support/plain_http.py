"""A client of a sandbox that is nobody's SDK: plain HTTP with an access token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from flex_integration_sdk.sandbox import RunningSandbox


@contextmanager
def signed_in(sandbox: RunningSandbox, **headers: str) -> Iterator[httpx2.Client]:
    """A client whose addresses begin at the Integration API, with those headers in each request."""
    form = {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "grant_type": "client_credentials",
        "scope": "integ",
    }
    with httpx2.Client(trust_env=False, timeout=30) as client:
        token = client.post(f"{sandbox.base_url}/v1/auth/token", data=form).json()["access_token"]
        client.headers.update({"Authorization": f"Bearer {token}", **headers})
        client.base_url = f"{sandbox.base_url}/v1/integration_api/"
        yield client


def refusal(response: httpx2.Response) -> tuple[int, str, str]:
    """Status, code and title of a response that refuses."""
    error = response.json()["errors"][0]
    return response.status_code, error["code"], error["title"]
