"""Files: who may read them, and what stays when a token is removed or a call fails."""

from __future__ import annotations

import os
import stat
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flex_tokenstore import TokenConflictError, TokenLockTimeoutError, TokenStoreError

from ._audit import Seen, audited
from ._bench import PROMPT, Bench, ContractFixtures, Fault, entered, needed
from ._handles import Handle
from ._locks import LEASE
from ._resources import check_growth
from ._tokens import SENTINEL, new_token

_QUICK = 0.3  # seconds; a call that takes longer in an outage is not made twenty times
_MOST = 1_000_000  # bytes of a file in a folder of others that is looked at
_TRIES = 16


class FileTests(ContractFixtures):
    """Files below ``tmp_path``, in the current directory, in those for temporary files and below
    the home directory, and each file that Python opens for writing."""

    def test_its_files_are_private(self, bench: Bench, tmp_path: Path) -> None:
        """Where the user wants all files private (umask 077). It warns of a store that leaves its
        files open where the user did not say so: better make each one with mode 0600."""
        _skip_without_modes()
        with _written(tmp_path) as (name, found):
            bench.handle.set(new_token(bench.identity, f"first-{name}"))
            for path in found():
                if path.stat().st_mode & 0o077:
                    warnings.warn(
                        f"other users can read the token in {path.name}, unless the umask forbids "
                        "it: make the file with mode 0600 before the token is written to it",
                        stacklevel=1,
                    )
                    path.chmod(0o600)
        with _private_by_default(), _written(tmp_path) as (name, found):
            bench.handle.set(new_token(bench.identity, f"old-{name}"))
            bench.handle.set(new_token(bench.identity, f"new-{name}"))
            for path in found():
                mode = stat.S_IMODE(path.stat().st_mode)
                assert not mode & 0o077, (
                    f"other users can read the token in {path} (mode {mode:#o}): make the file "
                    "with mode 0600 before the token is written to it"
                )

    def test_its_files_are_private_while_they_are_written(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        """Between the writing and the ``chmod`` anybody may open it, and keep it open."""
        _skip_without_modes()
        open_to: list[str] = []

        def look(seen: Seen) -> None:
            if seen.event not in ("os.rename", "os.remove", "os.chmod"):
                return
            with suppress(OSError, ValueError):
                path = Path(seen.name)
                mode = stat.S_IMODE(path.stat().st_mode)
                if mode & 0o077 and _holds(path, SENTINEL):
                    open_to.append(f"{path} (mode {mode:#o}, {seen.where})")

        with _private_by_default(), audited(look):
            bench.handle.set(new_token(bench.identity, 1))
            bench.handle.set(new_token(bench.identity, 2))
            bench.handle.remove()
        assert not open_to, (
            f"other users could read the token in {open_to[0]} before it was renamed, removed or "
            "given its mode: make the file with mode 0600"
        )

    def test_a_removed_token_is_in_no_file(self, bench: Bench, tmp_path: Path) -> None:
        """Nor one that was replaced: no backup, no temporary file, no freed page of a database."""
        with _written(tmp_path) as (name, found):
            bench.handle.set(new_token(bench.identity, f"old-{name}"))
            bench.handle.set(new_token(bench.identity, f"new-{name}"))
            bench.handle.get()
            bench.handle.remove()
            left = [str(path) for path in found()]
            assert not left, f"a removed token can still be read in {', '.join(left)}"

    def test_it_writes_no_file_where_it_was_not_told_to(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        current = tmp_path / "current"
        current.mkdir()
        monkeypatch.chdir(current)
        with _written(tmp_path) as (name, found):
            handle = bench.open()
            handle.set(new_token(bench.identity, name))
            handle.get()
            here = [path for path in found() if path.parent in (current, Path.home())]
            here = [path for path in here if not _is_told(path, bench.setup.config)]
            assert not here, (
                f"it keeps the token in {here[0].name}, in the current directory or the home "
                "directory, and no option names that file or its directory"
            )


class FailedTryTests(ContractFixtures):
    """What fails a thousand times a day must leave nothing behind."""

    def test_failed_tries_for_the_lock_leave_nothing_behind(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        second = bench.second()
        with bench.handle.lock(PROMPT, LEASE):
            _check_leaves_nothing(
                tmp_path, lambda: _try_lock(second), "each failed try for the lock"
            )

    def test_conflicts_leave_nothing_behind(self, bench: Bench, tmp_path: Path) -> None:
        bench.need("compare_and_set")
        bench.handle.set(new_token(bench.identity))

        def conflict() -> None:
            with pytest.raises(TokenConflictError):
                bench.handle.set(new_token(bench.identity, "late"), "0" * 64)
            with pytest.raises(TokenConflictError):
                bench.handle.remove("0" * 64)

        _check_leaves_nothing(tmp_path, conflict, "each conflict")

    def test_calls_in_an_outage_leave_nothing_behind(
        self, bench: Bench, outage: Fault | None
    ) -> None:
        bench.handle.set(new_token(bench.identity))
        late = new_token(bench.identity, "late")

        def fail() -> None:
            with suppress(TokenStoreError):
                bench.handle.get()
            with suppress(TokenStoreError):
                bench.handle.set(late, "0" * 64)

        with entered(needed(outage, "outage")):
            began = time.monotonic()
            fail()
            if time.monotonic() - began > _QUICK:
                pytest.skip("its calls take long to find the outage")
            check_growth(fail, "each call that fails in an outage leaves {} behind")


def _is_told(path: Path, config: object) -> bool:
    """Whether an option names that file, or the directory that it is in."""
    values = list(config.values()) if isinstance(config, Mapping) else []
    folders = {
        Path(each).expanduser().absolute() for each in values if isinstance(each, str | Path)
    }
    return path.name in str(values) or path.parent in folders


@contextmanager
def _private_by_default() -> Iterator[None]:
    """What a careful user sets. A store that sets no mode of its own is private then."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _skip_without_modes() -> None:
    if os.name == "nt":
        pytest.skip("this system's files have no modes")


def _try_lock(handle: Handle) -> None:
    with suppress(TokenLockTimeoutError), handle.lock(0.0, LEASE):
        pytest.fail("two hold the lock at once")


def _check_leaves_nothing(folder: Path, call: Callable[[], None], what: str) -> None:
    call()
    before = set(folder.rglob("*"))
    check_growth(call, f"{what} leaves {{}} behind")
    left = sorted(set(folder.rglob("*")) - before)
    assert len(left) < _TRIES // 2, f"{what} leaves a file behind, such as {left[0].name}"


@contextmanager
def _written(folder: Path) -> Iterator[tuple[str, Callable[[], list[Path]]]]:
    """A name for tokens, and a function that finds the files that hold a token of this test."""
    name = uuid.uuid4().hex
    began = time.time() - 2  # seconds; file systems round times
    with audited() as seen:

        def found() -> list[Path]:
            paths = {Path(each.name) for each in seen if each.event == "open"}
            paths |= set(folder.rglob("*"))
            for place in (Path.cwd(), Path(tempfile.gettempdir()), Path.home()):
                with suppress(OSError):
                    paths |= {path for path in place.iterdir() if _recent(path, began)}
            return sorted({path.absolute() for path in paths if _holds(path, name)})

        yield name, found


def _recent(path: Path, since: float) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_mtime > since and status.st_size < _MOST


def _holds(path: Path, text: str) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and text.encode() in path.read_bytes()
    except OSError:
        return False
