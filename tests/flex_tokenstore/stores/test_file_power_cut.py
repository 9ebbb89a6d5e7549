"""A power cut after any system call, as a traced save leaves the disk: a model of POSIX's promise.

What ``fsync`` was not called for may be there or not, each change by itself: bytes of a file, and
each name that was made, moved or removed in a folder.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flex_tokenstore._values.token import ANY_REVISION

from .ptrace import Call
from .traced import Helper, store, token

FOLDER = -1
Names = dict[str, int | None]


class Disk:
    """Inodes by path: what programs see, what a power cut leaves for sure, and what lies between.

    Args:
        names: Path and inode number of what is safely there; ``FOLDER`` for a folder.
    """

    def __init__(self, names: dict[str, int]) -> None:
        self.seen: Names = dict(names)
        self.safe: Names = dict(names)
        self.pending: list[Names] = []
        self.torn: set[int] = set()
        self._inodes = itertools.count(100)

    def apply(self, call: Call) -> None:
        if call.result is None or call.result < 0:
            return
        path = call.paths[0] if call.paths else ""
        if (call.kind == "open" and self.seen.get(path) is None) or call.kind == "mkdir":
            self._change({path: FOLDER if call.kind == "mkdir" else next(self._inodes)})
        elif call.kind == "unlink":
            self._change({path: None})
        elif call.kind == "rename":
            self._change({path: None, call.paths[1]: self.seen[path]})
        inode = self.seen.get(path)
        if call.kind == "write" and inode is not None:
            self.torn.add(inode)
        elif call.kind == "fsync" and inode == FOLDER:
            for change in [each for each in self.pending if folder_of(each) == path]:
                self.safe.update(change)
                self.pending.remove(change)
        elif call.kind == "fsync" and inode is not None:
            self.torn.discard(inode)

    def after_a_power_cut(self) -> Iterator[Names]:
        """Every state that it may leave: any of the pending changes, in their order."""
        for chosen in itertools.product((False, True), repeat=len(self.pending)):
            names = dict(self.safe)
            for change, kept in zip(self.pending, chosen, strict=True):
                names.update(change if kept else {})
            yield names

    def _change(self, change: Names) -> None:
        self.seen.update(change)
        self.pending.append(change)


def folder_of(change: Names) -> str:
    return str(Path(next(iter(change))).parent)


def inode_at(names: Names, path: Path, root: Path) -> int | None:
    """The inode that the path leads to, if all its folders below ``root`` are there."""
    below = [folder for folder in path.parents if folder != root and folder.is_relative_to(root)]
    if any(names.get(str(folder)) is None for folder in below):
        return None
    return names.get(str(path))


OLD = 1


@pytest.mark.parametrize("first", [False, True])
def test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_token(
    tracer: Helper, tmp_path: Path, first: bool
) -> None:
    names = {str(tmp_path): FOLDER}
    if first:
        outcome = tracer.run("save", None)
        path = Path(store(None).place)
        owner = path.with_suffix(".owner")
    else:
        path = owner = tmp_path / "t/t.json"
        store(str(path)).set_token(token("old"), ANY_REVISION)
        names |= {str(path.parent): FOLDER, str(path): OLD, f"{path}.write.lock": 2}
        outcome = tracer.run("save", path)
    disk, states = Disk(names), 0
    for call in outcome.trace.calls:
        disk.apply(call)
        for left in disk.after_a_power_cut():
            states += 1
            found = inode_at(left, path, tmp_path)
            assert found not in disk.torn, f"torn after {call}"
            assert found is not None or first, f"lost after {call}"
            if found is not None:
                assert inode_at(left, owner, tmp_path) is not None, "a token that nobody owns"
    assert states > len(outcome.trace.calls)
    # It has returned: nothing that leads to the new token is left to chance.
    for left in disk.after_a_power_cut():
        assert inode_at(left, path, tmp_path) not in (None, OLD)


LEFT_OUT: list[tuple[str, Any]] = [
    ("fsync", lambda name: name.endswith(".tmp")),
    ("fsync", lambda name: not name.endswith(".tmp")),
    ("rename", lambda name: True),
]


@pytest.mark.parametrize(("kind", "which"), LEFT_OUT, ids=["file", "folder", "rename"])
def test_the_model_notices_a_call_that_is_left_out(
    tracer: Helper, tmp_path: Path, kind: str, which: Any
) -> None:
    path = tmp_path / "t.json"
    store(str(path)).set_token(token("old"), ANY_REVISION)
    disk = Disk({str(tmp_path): FOLDER, str(path): OLD, f"{path}.write.lock": 2})
    bad = False
    for call in tracer.run("save", path).trace.calls:
        if call.kind != kind or not which(call.paths[0]):
            disk.apply(call)
        bad |= any(left[str(path)] in disk.torn for left in disk.after_a_power_cut())
    bad |= any(left[str(path)] == OLD for left in disk.after_a_power_cut())
    assert bad
    assert json.loads(path.read_text()) == token("new")
