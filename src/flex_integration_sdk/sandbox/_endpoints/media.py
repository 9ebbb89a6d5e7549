"""``images``, ``files``, ``file_uploads``, ``file_downloads`` and ``file_attachments``."""

from __future__ import annotations

import hmac
import struct
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from flex_integration_sdk.sandbox._data.database import IMAGES, Database, Resource
from flex_integration_sdk.sandbox._refusal import ApiFault, conflict

from .context import Context, endpoint, related_id
from .pages import page
from .parameters import Arguments

# The API's limit: below 1 GB.
MOST_FILE = 10**9  # bytes
URL_LIFE = 900  # seconds
# Which uploaded files are being verified, and since when (seconds since 1970).
SCHEMA = "CREATE TABLE IF NOT EXISTS verification (id TEXT PRIMARY KEY, since REAL NOT NULL)"
# The API refuses files that can be run; which types these are is not published.
_EXECUTABLE = frozenset(
    {
        "application/java-archive",
        "application/vnd.microsoft.portable-executable",
        "application/x-executable",
        "application/x-msdownload",
        "application/x-sh",
    }
)


class Upload(NamedTuple):
    """Bytes that were sent: in the memory while they are few, else in a temporary file."""

    name: str
    file: BinaryIO
    size: int


@endpoint("images.upload")
def upload(context: Context, asked: Arguments) -> Resource:
    sent = asked["image"]
    if not isinstance(sent, Upload):
        title = "image is not a file: its part of the form needs a file name"
        raise ApiFault(400, "validation-invalid-value", title, path=("image",), where="body")
    found = image_size(sent.file)
    if found is None or not (found[1] and found[2]):
        raise ApiFault(400, "image-invalid-content", "The image is not a JPEG, PNG or GIF")
    kind, width, height = found
    image = context.add("image", {"variants": {}})
    context.db.put_content(image["id"], kind, sent.file, sent.size)
    url = f"{IMAGES}{image['id']}"
    variant = {"name": "default", "width": width, "height": height, "url": url}
    return context.change(image, {"variants": {"default": variant}})


@endpoint("files.create")
def create(context: Context, asked: Arguments) -> Resource:
    if not 0 < asked["size"] < MOST_FILE:
        title = "size must be a number of bytes, at least 1 and below 1 GB"
        raise ApiFault(400, "validation-invalid-value", title, path=("size",), where="body")
    if asked["mimeType"] in _EXECUTABLE:
        title = "programs are not accepted"
        raise ApiFault(400, "validation-invalid-value", title, path=("mimeType",), where="body")
    attributes = {
        "name": asked["name"],
        "mimeType": asked["mimeType"],
        "size": asked["size"],
        "state": "pendingUpload",
        "deleted": False,
        "createdAt": context.now,
    }
    marketplace = context.db.all("marketplace")[0]
    return context.add("file", attributes, {"marketplace": marketplace, "owner": None})


@endpoint("files.query")
def query(context: Context, asked: Arguments) -> dict[str, Any]:
    found = list(context.created("file", asked))
    if "ids" in asked:
        found = [each for each in found if each["id"] in asked["ids"]]
    if "ownerId" in asked:
        found = [each for each in found if related_id(each, "owner") == asked["ownerId"]]
    if "messageId" in asked:
        attached = {related_id(each, "file") for each in _attachments(context, asked["messageId"])}
        found = [each for each in found if each["id"] in attached]
    return page(context, found, asked)


@endpoint("fileAttachments.query")
def attachments(context: Context, asked: Arguments) -> dict[str, Any]:
    found = _attachments(context, asked.get("messageId"))
    if "ids" in asked:
        found = [each for each in found if each["id"] in asked["ids"]]
    if "fileIds" in asked:
        found = [each for each in found if related_id(each, "file") in asked["fileIds"]]
    return page(context, found, asked)


@endpoint("fileUploads.create")
def create_upload(context: Context, asked: Arguments) -> Resource:
    file = context.needed("file", asked["fileId"])
    if file["attributes"]["state"] != "pendingUpload":
        raise conflict("conflict", f"The file is {file['attributes']['state']}")
    attributes = _link(context, file["id"], "upload")
    headers = {"Content-Type": file["attributes"]["mimeType"]}
    return context.add("fileUpload", {**attributes, "method": "PUT", "headers": headers})


@endpoint("fileDownloads.create")
def create_download(context: Context, asked: Arguments) -> Resource:
    id = asked.get("fileId")
    if id is None:
        attachment = context.needed("fileAttachment", asked["fileAttachmentId"])
        id = related_id(attachment, "file")
    file = context.needed("file", id)
    if file["attributes"]["state"] != "available":
        raise conflict("conflict", f"The file is {file['attributes']['state']}")
    return context.add("fileDownload", _link(context, file["id"], "download"))


def receive(db: Database, id: UUID, kind: str, sent: Upload) -> None:
    """The bytes of a file, sent to its signed URL.

    Raises:
        ApiFault: It was sent before, or is not as it was registered.
    """
    file = db.get("file", id)
    if file is None or file["attributes"]["state"] != "pendingUpload":
        raise conflict("conflict", "The file is not waiting for an upload")
    attributes = file["attributes"]
    if sent.size != attributes["size"]:
        raise ApiFault(400, "bad-request", f"The file must have {attributes['size']} bytes")
    if kind != attributes["mimeType"]:
        raise ApiFault(
            400, "bad-request", f"The file must have the media type {attributes['mimeType']}"
        )
    with db.transaction():
        db.put_content(id, kind, sent.file, sent.size)
        db.put(_in_state(file, "pendingVerification"))
        db.execute("INSERT OR REPLACE INTO verification VALUES (?, ?)", str(id), time.time())


def finish_verification(db: Database, seconds: float) -> None:
    """Makes the files available whose verification has lasted so many seconds.

    Files of the seed are not verified: one that is ``pendingVerification`` stays so.
    """
    until = time.time() - seconds
    done = db.execute("SELECT id FROM verification WHERE since <= ?", until)
    if not done:
        return
    with db.transaction():
        for (id,) in done:
            file = db.get("file", UUID(id))
            if file is not None:  # it is, unless the data was reset
                db.put(_in_state(file, "available"))
            db.execute("DELETE FROM verification WHERE id = ?", id)


def _in_state(file: Resource, state: str) -> Resource:
    return {**file, "attributes": {**file["attributes"], "state": state}}


def is_signed(sign: Callable[[str], str], id: str, use: str, query: Mapping[str, str]) -> bool:
    """Whether a request came by a signed URL that has not expired."""
    until, given = query.get("until", ""), query.get("signature", "")
    # Before `until` is read as a number: only a signed one is ours.
    if not hmac.compare_digest(given.encode(), sign(f"{use} {id} {until}").encode()):
        return False
    return int(until) > time.time()


def image_size(file: BinaryIO) -> tuple[str, int, int] | None:
    """Media type, width and height of an image; None if the type is not known."""
    file.seek(0)
    start = file.read(24)
    # PNG puts the header chunk IHDR first: width and height are at byte 16.
    if start.startswith(b"\x89PNG\r\n\x1a\n") and len(start) >= 24:
        width, height = struct.unpack(">II", start[16:24])
        return "image/png", width, height
    if start[:6] in (b"GIF87a", b"GIF89a") and len(start) >= 10:
        width, height = struct.unpack("<HH", start[6:10])
        return "image/gif", width, height
    if start.startswith(b"\xff\xd8"):
        return _jpeg_size(file)
    return None


def _jpeg_size(file: BinaryIO) -> tuple[str, int, int] | None:
    place = 2
    while True:
        file.seek(place)
        part = file.read(9)
        if len(part) < 9 or part[0] != 0xFF:
            return None
        marker, length = part[1], int.from_bytes(part[2:4], "big")
        # The frame headers, without DHT, JPG and DAC (ITU-T T.81 table B.1).
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", part[5:9])
            return "image/jpeg", width, height
        place += 2 + length


def _attachments(context: Context, message: UUID | None) -> list[Resource]:
    return [
        each
        for each in context.db.all("fileAttachment")
        if message is None or related_id(each, "message") == message
    ]


def _link(context: Context, id: UUID, use: str) -> dict[str, Any]:
    until = int(time.time()) + URL_LIFE
    signature = context.sign(f"{use} {id} {until}")
    return {
        "fileId": id,
        "url": f"{context.base_url}/_sandbox/files/{id}?until={until}&signature={signature}",
        "expiresAt": context.now + timedelta(seconds=URL_LIFE),
    }
