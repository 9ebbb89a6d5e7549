"""What people write to each other and of each other: messages, files, reviews."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from flex_integration_sdk._vocabulary.names import Party
from flex_integration_sdk.sandbox._data.database import Resource

from .parts import MARKET, START, identifier, made, to, to_many
from .pictures import png
from .sizes import Deal, Said, Size

_TYPES = {"txt": "text/plain", "png": "image/png"}
_TEXT = b"The key is under the mat.\n"
# Files that no message has: a program also meets these states.
_UNATTACHED = ("pendingUpload", "pendingVerification", "verificationFailed")


def message_numbers(deal: Deal) -> list[int]:
    """Numbers of the messages; the first has that of the transaction."""
    return [deal.number + 1000 * place for place in range(len(deal.said))]


def review_numbers(deal: Deal) -> list[int]:
    """Numbers of the reviews."""
    return [10 * deal.number + place for place in range(len(deal.judged))]


def message(size: Size, deal: Deal, place: int, moment: datetime) -> Iterator[Resource]:
    """A message, after the files that are attached to it."""
    number, said = message_numbers(deal)[place], deal.said[place]
    at = moment + timedelta(minutes=said.minutes)
    sender = to("user", _party(size, deal, said.by))
    numbers = _file_numbers(number, said)
    for file, name in zip(numbers, said.files, strict=True):
        yield _file(file, name, len(_content(name)), "available", at, sender)
        yield made(
            "fileAttachment",
            file,
            {"scope": "public", "deleted": False},
            {"file": to("file", file), "message": to("message", number)},
        )
    yield made(
        "message",
        number,
        {"content": said.text, "createdAt": at, "deleted": False},
        {
            "sender": sender,
            "transaction": to("transaction", deal.number),
            "publicFileAttachments": to_many("fileAttachment", numbers),
        },
    )


def review(size: Size, deal: Deal, place: int, moment: datetime) -> Resource:
    """A review; the two of a transaction are public once both are there."""
    judged = deal.judged[place]
    other: Party = "provider" if judged.by == "customer" else "customer"
    return made(
        "review",
        review_numbers(deal)[place],
        {
            "type": "ofProvider" if other == "provider" else "ofCustomer",
            "state": "public" if judged.is_public else "pending",
            "rating": judged.rating,
            "content": judged.text,
            "createdAt": moment,
            "deleted": False,
        },
        {
            "author": to("user", _party(size, deal, judged.by)),
            "listing": to("listing", deal.listing),
            "subject": to("user", _party(size, deal, other)),
            "transaction": to("transaction", deal.number),
        },
    )


def unattached_files() -> Iterator[Resource]:
    """Files that are not available."""
    for number, state in enumerate(_UNATTACHED, 1):
        at = START + timedelta(days=80, hours=number)
        yield _file(number, f"draft{number}.txt", len(_TEXT), state, at, to("user", number))


def contents(size: Size) -> Iterator[tuple[UUID, str, bytes]]:
    """The bytes of all files that are attached."""
    for deal in size.deals:
        for number, said in zip(message_numbers(deal), deal.said, strict=True):
            for file, name in zip(_file_numbers(number, said), said.files, strict=True):
                yield identifier("file", file), _type(name), _content(name)


def _file(
    number: int, name: str, size: int, state: str, at: datetime, owner: dict[str, object]
) -> Resource:
    return made(
        "file",
        number,
        {
            "name": name,
            "mimeType": _type(name),
            "size": size,
            "state": state,
            "deleted": False,
            "createdAt": at,
        },
        {"marketplace": MARKET, "owner": owner},
    )


def _file_numbers(message: int, said: Said) -> list[int]:
    return [10 * message + place for place in range(len(said.files))]


def _party(size: Size, deal: Deal, by: Party) -> int:
    return deal.customer if by == "customer" else size.author(deal.listing)


def _type(name: str) -> str:
    return _TYPES[name.rpartition(".")[2]]


def _content(name: str) -> bytes:
    return png(0) if name.endswith(".png") else _TEXT
