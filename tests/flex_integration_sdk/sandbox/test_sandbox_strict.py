"""``strict`` refuses what the live API only might refuse; without, the sandbox is lenient."""

from __future__ import annotations

import io
import sys

import pytest

from flex_integration_sdk import IntegrationSDK, create_instance
from flex_integration_sdk.errors import BadRequestError
from flex_integration_sdk.names import AnyName
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve


def connected(sandbox: RunningSandbox) -> IntegrationSDK:
    return create_instance(sandbox.client_id, sandbox.client_secret, base_url=sandbox.base_url)


def test_an_include_that_the_reference_does_not_name(
    flex_sandbox: RunningSandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    with connected(flex_sandbox) as sdk:
        assert len(sdk.listings.query(include=AnyName("newRelation"), per_page=2).data) == 2
        for wrong in ("auhtor", "author.profileImag", "auhtor", "author"):
            assert sdk.listings.query(include=AnyName(wrong), per_page=1).data
    said = "flex-sdk sandbox: listings.query ignores a part of include: listing has no relationship"
    assert capfd.readouterr().err.splitlines() == [
        f"{said} newRelation",
        f"{said} auhtor: did you mean author?",
        f"{said} author.profileImag: did you mean author.profileImage?",
    ]
    with serve(SandboxSettings(strict=True)) as strict, connected(strict) as sdk:
        assert sdk.listings.query(include="author.profileImage", per_page=1).included
        said = "listing has no relationship newRelation"
        with pytest.raises(BadRequestError, match=said) as caught:
            sdk.listings.query(include=AnyName("newRelation"))
        assert caught.value.errors[0]["code"] == "validation-invalid-value"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_notice_that_nobody_can_read_fails_no_request(
    flex_sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    is_there: bool,
) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed if is_there else None)
    with connected(flex_sandbox) as sdk:
        assert sdk.listings.query(include=AnyName("newRelation"), per_page=1).data
    assert capfd.readouterr().out == ""
