"""The bytes of images."""

from __future__ import annotations

import struct
import zlib
from functools import cache

WIDTH, HEIGHT = 320, 240


@cache
def png(color: int) -> bytes:
    """A picture of one color out of seven (PNG, https://www.w3.org/TR/png-3/)."""
    palette = bytes(230 if color % 7 + 1 & bit else 60 for bit in (1, 2, 4))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 1, 3, 0, 0, 0)  # one bit for each pixel
    rows = bytes((1 + WIDTH // 8) * HEIGHT)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
