"""The lock among the processes of one host."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flex_tokenstore import _host_lock
from flex_tokenstore._host_lock import HostLock
from flex_tokenstore.errors import (
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenUnavailableError,
)

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

HOLDER = """
import sys
from pathlib import Path
from flex_tokenstore._host_lock import HostLock
lock = HostLock(Path(sys.argv[1]))
print(lock.try_acquire(), flush=True)
sys.stdin.read()
lock.release()
"""

# Each process adds one to a number in a file, 25 times: an update is lost if two are inside.
COUNTER = """
import sys
from pathlib import Path
from flex_tokenstore._host_lock import HostLock
counter = Path(sys.argv[2])
for _ in range(25):
    with HostLock(Path(sys.argv[1])).hold(30):
        counter.write_text(str(int(counter.read_text()) + 1))
"""


@contextmanager
def other_process_holds(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "True\n"
            yield child
        finally:
            child.kill()


def abandon(lock: HostLock) -> None:
    """As the system does for a holder that died: closed, never unlocked."""
    fd, lock._fd = lock._fd, None
    assert fd is not None
    del _host_lock._open_fds[fd]
    os.close(fd)


def test_two_locks_on_one_path_exclude_each_other(tmp_path: Path) -> None:
    first, second = HostLock(tmp_path / "a.lock"), HostLock(tmp_path / "a.lock")
    assert first.try_acquire()
    assert not second.try_acquire()
    assert not first.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()


def test_paths_are_independent(tmp_path: Path) -> None:
    with HostLock(tmp_path / "a.lock").hold(0), HostLock(tmp_path / "b.lock").hold(0):
        pass


def test_release_is_fine_twice_unheld_and_from_another_thread(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / "a.lock")
    lock.release()
    assert lock.try_acquire()
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    lock.release()
    assert HostLock(lock.path).try_acquire()


def test_makes_private_folder_and_file_and_keeps_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state/locks/a.lock"
    with HostLock(path).hold(0) as given:
        assert given is None
        inode = path.stat().st_ino
    assert path.stat().st_ino == inode
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_no_wait_is_one_try_and_names_the_place(tmp_path: Path) -> None:
    path, naps = tmp_path / "a.lock", list[float]()
    with HostLock(path).hold(0), pytest.raises(TokenLockTimeoutError, match=r"a\.lock") as caught:
        HostLock(path, store="file").acquire(0, sleep=naps.append)
    assert caught.value.place == str(path)
    assert caught.value.store == "file"
    assert naps == []


def test_waits_in_short_naps_until_it_is_free(tmp_path: Path) -> None:
    held, naps = HostLock(tmp_path / "a.lock"), list[float]()
    assert held.try_acquire()

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 5:
            held.release()

    with HostLock(held.path).hold(60, sleep=nap):
        pass
    assert len(naps) == 5
    assert all(0.001 <= seconds <= 0.02 for seconds in naps)


def test_gives_up_after_the_wait(tmp_path: Path) -> None:
    with HostLock(tmp_path / "a.lock").hold(0):
        started = time.monotonic()
        with pytest.raises(TokenLockTimeoutError), HostLock(tmp_path / "a.lock").hold(0.05):
            pass
    assert time.monotonic() - started >= 0.05


def test_an_error_in_the_block_frees_it(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / "a.lock")
    with pytest.raises(KeyboardInterrupt), lock.hold(0):
        raise KeyboardInterrupt
    assert lock.try_acquire()
    lock.release()


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.lock").symlink_to(tmp_path / "target")
    with pytest.raises(TokenPermissionError, match="symbolic link"):
        HostLock(tmp_path / "a.lock").try_acquire()
    assert not (tmp_path / "target").exists()


@pytest.mark.skipif(os.name == "nt", reason="locks of Unix")
@pytest.mark.parametrize(
    ("code", "says"),
    [
        (errno.ENOLCK, "offers no locks. Choose a folder on a local one"),
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EIO, "Input/output error. Check the owner"),
    ],
)
def test_a_file_system_that_refuses_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, says: str
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(code, os.strerror(code))

    before = set(_host_lock._open_fds)
    monkeypatch.setattr(_host_lock, "_lock", refuse)
    with pytest.raises(TokenUnavailableError, match=says):
        HostLock(tmp_path / "a.lock").try_acquire()
    assert set(_host_lock._open_fds) == before


def test_a_failing_close_is_logged_and_the_lock_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lock, real = HostLock(tmp_path / "a.lock"), os.close
    assert lock.try_acquire()

    def late(fd: int) -> None:
        real(fd)
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", late)
        lock.release()
    assert "not closed cleanly" in caplog.text
    with HostLock(lock.path).hold(0):
        pass


def test_a_file_in_place_of_the_folder_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TokenUnavailableError, match=r"a\.lock"):
        HostLock(tmp_path / "file/a.lock").try_acquire()


def test_excludes_other_processes(tmp_path: Path) -> None:
    path, counter = tmp_path / "a.lock", tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", COUNTER, str(path), str(counter)]
    children = [subprocess.Popen(command) for _ in range(4)]
    assert [child.wait(60) for child in children] == [0] * 4
    assert counter.read_text() == "100"


def test_is_free_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with other_process_holds(path) as child:
        assert not HostLock(path).try_acquire()
        child.kill()
        child.wait()
        with HostLock(path).hold(5):
            pass


@needs_fork
@pytest.mark.parametrize("child_releases", [True, False])
def test_a_forked_child_neither_frees_nor_keeps_the_lock(
    tmp_path: Path, child_releases: bool
) -> None:
    lock = HostLock(tmp_path / "a.lock")
    assert lock.try_acquire()
    wake, waker = os.pipe()
    told, teller = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(waker)
        if child_releases:
            lock.release()  # the child's copy: must not unlock the parent's
        os.write(teller, b"!")
        os.read(wake, 1)
        os._exit(0)
    os.close(wake)
    try:
        assert os.read(told, 1) == b"!"
        assert not HostLock(lock.path).try_acquire()
        abandon(lock)
        assert HostLock(lock.path).try_acquire()  # while the child still lives
    finally:
        os.close(waker)
        os.waitpid(child, 0)
        os.close(told)
        os.close(teller)


@needs_fork
def test_a_forked_child_can_lock(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / "a.lock")
    assert lock.try_acquire()
    child = os.fork()
    if child == 0:
        refused = not lock.try_acquire()
        free = HostLock(tmp_path / "b.lock").try_acquire()
        os._exit(0 if refused and free else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    lock.release()


def test_a_started_program_does_not_inherit_it(tmp_path: Path) -> None:
    lock = HostLock(tmp_path / "a.lock")
    assert lock.try_acquire()
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        abandon(lock)
        assert HostLock(lock.path).try_acquire()
        child.send_signal(signal.SIGTERM)
