"""A file that is replaced whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from flex_integration_sdk._values.whole_file import write_whole


def test_it_is_replaced_and_nothing_is_left(tmp_path: Path) -> None:
    path, temporary = tmp_path / "a", tmp_path / "a.new"
    temporary.write_bytes(b"left by a killed program, and longer")
    for content in (b"one", b"another"):
        write_whole(path, content, temporary, mode=0o600)
        assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
def test_its_rights(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"", tmp_path / "a.new", mode=0o600)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no O_NOFOLLOW")
def test_a_link_that_somebody_planted_is_not_followed(tmp_path: Path) -> None:
    path, temporary, other = tmp_path / "a", tmp_path / "a.new", tmp_path / "other"
    path.write_bytes(b"old")
    other.write_bytes(b"theirs")
    temporary.symlink_to(other)
    with pytest.raises(OSError, match="symbolic link"):
        write_whole(path, b"new", temporary)
    assert (path.read_bytes(), other.read_bytes()) == (b"old", b"theirs")
