"""The rows that a resource gives."""

from __future__ import annotations

from typing import Any

import pytest

from flex_integration_sdk._export.kinds import KINDS
from flex_integration_sdk._export.rows import row_of, rows_of
from flex_integration_sdk.resources import Message, Transaction, User


def transaction(messages: int) -> Transaction:
    related = {
        ("message", n): {"id": n, "type": "message", "attributes": {"content": str(n)}}
        for n in range(messages)
    }
    references = [{"id": n, "type": "message"} for n in range(messages)]
    return Transaction(
        {"id": "t", "type": "transaction", "relationships": {"messages": {"data": references}}},
        related,
    )


def no_request(id_: Any) -> Any:
    pytest.fail(f"asked for the messages of {id_}")


def test_messages_name_their_transaction() -> None:
    rows = list(rows_of(KINDS["messages"], transaction(2), [], no_request))
    assert [row["attributes"]["content"] for row in rows] == ["0", "1"]
    reference = {"data": {"id": "t", "type": "transaction"}}
    assert all(row["relationships"] == {"transaction": reference} for row in rows)


def test_a_list_that_may_be_cut_is_asked_for() -> None:
    """The API's largest page is 100: a list as long may not be all of them."""
    asked: list[Any] = []

    def all_of(id_: Any) -> list[Message]:
        asked.append(id_)
        return [Message({"id": n, "type": "message"}) for n in range(130)]

    rows = list(rows_of(KINDS["messages"], transaction(100), [], all_of))
    assert asked == ["t"]
    assert len(rows) == 130


def test_what_is_included_is_in_place_as_deep_as_asked() -> None:
    image = {"id": "i", "type": "image", "attributes": {"variants": {}}}
    user = User(
        {
            "id": "u",
            "type": "user",
            "relationships": {"profileImage": {"data": {"id": "i", "type": "image"}}},
        },
        {("image", "i"): image},
    )
    assert row_of(user)["relationships"]["profileImage"]["data"] == {"id": "i", "type": "image"}
    assert row_of(user, ["profileImage"])["relationships"]["profileImage"]["data"] == image
    assert row_of(user, ["stripeAccount", "other"])["id"] == "u"
