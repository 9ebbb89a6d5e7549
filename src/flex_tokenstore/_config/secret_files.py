"""Small text files that hold a secret, as other programs and other systems write them."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from .._values.secret import Secret
from .env_text import expand_path, strip_value

_LIMIT = 1 << 20  # bytes; a secret, a token or a certificate is far smaller
# The longer ones first: that of UTF-32 begins as that of UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_secret_file(path: str | os.PathLike[str]) -> Secret[str]:
    """Reads a secret from a file, without the blanks and line ends around it.

    The file contains UTF-8; with a byte order mark also UTF-16 or UTF-32, as Windows tools write
    them. A pipe is refused: it could block, and it can be read only once.

    Args:
        path: Path of the file, at most 1 MiB long. A ``~`` at its start is expanded.

    Raises:
        ValueError: The file cannot be read or does not contain such text. The message does not name
            the file and shows nothing of its content: "cannot be read: No such file or directory".
    """
    found, problem = read_text(path)
    if found is None:
        raise ValueError(problem)
    return found


def read_text(path: str | os.PathLike[str]) -> tuple[Secret[str] | None, str]:
    """The text, or what is wrong. It does not raise: an error's frames would hold the content."""
    data, problem = _contents(path)
    if data is None:
        return None, problem
    text, problem = decode(data)
    if text is not None and "\0" in text.reveal():
        return None, "is not UTF-8 text (UTF-16 without a byte order mark?)"
    return text, problem


def decode(data: Secret[bytes]) -> tuple[Secret[str] | None, str]:
    """The bytes as text, or what is wrong with them."""
    encoding = next((name for mark, name in _MARKS if data.reveal().startswith(mark)), "utf-8")
    try:
        return Secret(strip_value(data.reveal().decode(encoding))), ""
    except UnicodeError:
        return None, "is not UTF-8 text; save it as UTF-8, or with a byte order mark"


def _contents(path: str | os.PathLike[str]) -> tuple[Secret[bytes] | None, str]:
    fd = -1
    try:
        # Not to wait for somebody who writes into a pipe.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        # O_BINARY: in text mode Windows changes line ends and takes Ctrl-Z for the end of the file.
        fd = os.open(Path(expand_path(os.fspath(path))), flags | getattr(os, "O_BINARY", 0))
        # Of what is open: the path may lead to another file by now.
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            return None, _kind(mode)
        data = Secret(b"")
        while len(data.reveal()) <= _LIMIT and (more := Secret(os.read(fd, _LIMIT))):
            data = Secret(data.reveal() + more.reveal())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return None, f"cannot be read: {reason or type(error).__name__}"
    finally:
        if fd >= 0:
            os.close(fd)
    if len(data.reveal()) > _LIMIT:
        return None, "is larger than 1 MiB: it contains more than a secret"
    return data, ""


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "is a folder: name the file in it"
    if stat.S_ISFIFO(mode):
        return (
            "is a pipe, which can be read only once, but the secret is read each time that it is "
            "needed: use an ordinary file"
        )
    return "is not an ordinary file"
