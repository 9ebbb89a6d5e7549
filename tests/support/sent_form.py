"""What the body of an upload consists of, as a server would read it."""

from __future__ import annotations

import email
import email.policy

from flex_integration_sdk._sources.body import Body
from flex_integration_sdk._transport.bodies import opened, pieces


def sent_files(body: Body | None) -> dict[str, tuple[str, bytes, str]]:
    """File name, bytes and media type of each part of a form, by the part's name."""
    assert body is not None
    with opened(body):
        content = b"".join(pieces(body))
        headers = body.headers
    assert headers.get("Content-Length") in (None, str(len(content)))
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + content, policy=email.policy.HTTP)
    found: dict[str, tuple[str, bytes, str]] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="Content-Disposition")
        kind = part.get_content_type()
        file, data = part.get_filename(), part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(file, str)
        assert isinstance(data, bytes)
        found[name] = (file, data, kind)
    return found
