"""A file is verified before it is available; messages have at most ten attachments.

Evidence: the official pages on files ("your client will need to poll the file"; "Download links are
only created for files in the ``available`` state"), and two published programs for the ten.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flex_integration_sdk import IntegrationSDK, file_metadata, upload_file
from flex_integration_sdk._endpoints.table import ENDPOINTS
from flex_integration_sdk.errors import ConflictError
from flex_integration_sdk.resources import FileAttributes
from flex_integration_sdk.sandbox import RunningSandbox, SandboxSettings, serve
from tests.support.since import wait_until

from .test_sandbox_commands import connected

CONTENT = b"%PDF-1.7 hello"
FOREVER = 10**6  # seconds


def uploaded(sdk: IntegrationSDK) -> UUID:
    made = sdk.files.create(**file_metadata(CONTENT, name="a.pdf")).data
    assert state(sdk, made.id) == "pendingUpload"
    upload_file(sdk.file_uploads.create(file_id=made.id, expand=True).data, CONTENT)
    return made.id


def state(sdk: IntegrationSDK, id: UUID) -> str:
    return sdk.files.query(ids=[id]).data[0].attributes["state"]


def test_an_uploaded_file_is_verified_first() -> None:
    with serve(SandboxSettings(file_verification=FOREVER)) as sandbox, connected(sandbox) as sdk:
        id = uploaded(sdk)
        assert state(sdk, id) == state(sdk, id) == "pendingVerification"
        # Nothing of the sandbox's own is told.
        (shown,) = sdk.files.query(ids=[id]).data
        assert set(shown.attributes) == set(FileAttributes.__annotations__)
        with pytest.raises(ConflictError, match="pendingVerification"):
            sdk.file_downloads.create(file_id=id)
        with pytest.raises(ConflictError, match="pendingVerification"):
            sdk.file_uploads.create(file_id=id)


def test_a_program_that_polls_sees_it_available(flex_sandbox: RunningSandbox) -> None:
    with connected(flex_sandbox) as sdk:
        id = uploaded(sdk)
        wait_until(lambda: state(sdk, id) == "available")
        assert sdk.file_downloads.create(file_id=id, expand=True).data.attributes["url"]
        # There are no events of files.
        assert {each.attributes["resourceType"] for each in sdk.events.query().data} <= EVENTFUL


EVENTFUL = {
    "availabilityException", "booking", "listing", "message", "review", "stockAdjustment",
    "stockReservation", "transaction", "user",
}  # fmt: skip


def test_without_verification_it_is_available_at_once() -> None:
    with serve(SandboxSettings(file_verification=0)) as sandbox, connected(sandbox) as sdk:
        assert state(sdk, uploaded(sdk)) == "available"


def test_verification_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "sandbox.sqlite")
    with serve(SandboxSettings(db=path, file_verification=FOREVER)) as one, connected(one) as sdk:
        id = uploaded(sdk)
        assert state(sdk, id) == "pendingVerification"
    with serve(SandboxSettings(db=path, file_verification=0)) as other, connected(other) as sdk:
        # Also where a command is the first that looks.
        assert sdk.file_downloads.create(file_id=id)
        assert state(sdk, id) == "available"


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf")])
def test_what_is_no_time(wrong: float) -> None:
    with pytest.raises(ValueError, match="file_verification"):
        SandboxSettings(file_verification=wrong)


def test_messages_have_at_most_ten_attachments(flex_sandbox: RunningSandbox) -> None:
    """No command of the Integration API makes messages (the official page on messages says so), so
    what the sandbox starts with is all there is."""
    assert [name for name in ENDPOINTS if name.startswith("messages.")] == ["messages.query"]
    with connected(flex_sandbox) as sdk:
        counts = []
        for deal in sdk.transactions.query().data:
            asked: Any = {"transaction_id": deal.id, "include": "publicFileAttachments.file"}
            for message in sdk.messages.query(**asked).data:
                attached = message.related_list("publicFileAttachments")
                counts.append(len(attached))
                assert all(each.related("file") for each in attached)
        assert counts
        assert max(counts) <= 10
