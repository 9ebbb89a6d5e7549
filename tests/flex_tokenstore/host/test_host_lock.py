"""The lock among the processes of one host."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flex_tokenstore._host import lock_files
from flex_tokenstore._host.host_lock import HostLock
from flex_tokenstore.errors import (
    TokenLockTimeoutError,
    TokenPermissionError,
    TokenUnavailableError,
)

if sys.platform != "win32":
    import fcntl

unix = pytest.mark.skipif(sys.platform == "win32", reason="an open file stays there on Windows")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

HOLDER = """
import sys
from pathlib import Path
from flex_tokenstore._host.host_lock import HostLock
lock = HostLock(Path(sys.argv[1]))
print(lock.try_acquire(), flush=True)
sys.stdin.read()
lock.release()
"""

# Each process adds one to a number in a file, 25 times: an update is lost if two are inside.
COUNTER = """
import sys
from pathlib import Path
from flex_tokenstore._host.host_lock import HostLock
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
    lock._holds.pop().leave()


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
    assert all(0.001 <= seconds <= 0.005 for seconds in naps)


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

    before = set(lock_files.here().holds)
    monkeypatch.setattr(lock_files, "_lock", refuse)
    with pytest.raises(TokenUnavailableError, match=says):
        HostLock(tmp_path / "a.lock").try_acquire()
    assert set(lock_files.here().holds) == before


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


def replace_at_lock(
    monkeypatch: pytest.MonkeyPatch, replace: Callable[[], object], times: int = 1
) -> list[int]:
    """Does it between the opening of the lock file and the lock on it; gives what was locked."""
    real, locked = lock_files._lock, list[int]()

    def lock(fd: int) -> None:
        locked.append(fd)
        if len(locked) <= times:
            replace()
        real(fd)

    monkeypatch.setattr(lock_files, "_lock", lock)
    return locked


def is_held(lock: HostLock) -> bool:
    """By whoever: a file that is opened now is locked already."""
    with lock.path.open("r+b") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@unix
def test_a_lock_file_removed_before_it_was_locked_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = HostLock(tmp_path / "a.lock")
    locked = replace_at_lock(monkeypatch, lock.path.unlink, times=3)
    assert lock.try_acquire()
    assert len(locked) == 4
    assert is_held(lock), "it locked a file that nobody else opens"
    lock.release()
    assert not is_held(lock)


@unix
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_lock_file_that_was_replaced_is_not_the_one_to_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    lock = HostLock(tmp_path / "locks/a.lock")

    def replace() -> None:
        (lock.path if what == "file" else lock.path.parent).rename(tmp_path / "away")
        lock.path.parent.mkdir(exist_ok=True)
        lock.path.touch()

    replace_at_lock(monkeypatch, replace)
    other = HostLock(lock.path)
    assert lock.try_acquire()
    assert not other.try_acquire()
    lock.release()
    assert other.try_acquire()
    other.release()


@unix
def test_a_lock_file_that_becomes_a_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = HostLock(tmp_path / "a.lock")

    def replace() -> None:
        lock.path.rename(tmp_path / "target")
        lock.path.symlink_to(tmp_path / "target")

    replace_at_lock(monkeypatch, replace)
    with pytest.raises(TokenPermissionError, match="symbolic link"):
        lock.try_acquire()
    with HostLock(tmp_path / "target").hold(0):
        pass


@unix
def test_a_lock_file_that_vanishes_each_time_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(lock_files.here().holds)
    lock = HostLock(tmp_path / "a.lock", store="file")
    replace_at_lock(monkeypatch, lock.path.unlink, times=1000)
    with pytest.raises(TokenUnavailableError, match="removed or replaced each time") as caught:
        lock.acquire(5)
    assert (caught.value.store, caught.value.place) == ("file", str(lock.path))
    assert set(lock_files.here().holds) == before


@unix
def test_processes_exclude_each_other_though_holders_remove_the_lock_file(tmp_path: Path) -> None:
    """As their last act, so that whoever opened it before locks a file that is gone."""
    path, counter = tmp_path / "a.lock", tmp_path / "counter"
    counter.write_text("0")
    remover = COUNTER + "        Path(sys.argv[1]).unlink()\n"
    command = [sys.executable, "-c", remover, str(path), str(counter)]
    children = [subprocess.Popen(command) for _ in range(4)]
    assert [child.wait(60) for child in children] == [0] * 4
    assert counter.read_text() == "100"


# A fork in C runs none of Python's hooks; uWSGI forks so. PyDLL keeps the interpreter's lock.
C_FORK = """
import ctypes, os, sys, threading
from pathlib import Path
from flex_tokenstore._host import lock_files
from flex_tokenstore._host.host_lock import HostLock
fork = ctypes.PyDLL(None).fork
path = Path(sys.argv[1])
def end_of(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
C_FORKS = {
    "the child does not free the lock": """
lock = HostLock(path)
assert lock.try_acquire()
child = fork()
if child == 0:
    lock.release()
    os._exit(0 if not HostLock(path).try_acquire() else 1)
end_of(child)
assert not HostLock(path).try_acquire()
""",
    "the child does not keep the lock": """
told, teller = os.pipe()
done, finish = os.pipe()
lock = HostLock(path)
assert lock.try_acquire()
child = fork()
if child == 0:
    os.close(finish)
    HostLock(path.with_name("b.lock")).try_acquire()
    os.write(teller, b"!")
    os.read(done, 1)
    os._exit(0)
os.close(done)
os.read(told, 1)
lock._holds.pop().leave()  # as when the parent is killed
assert HostLock(path).try_acquire(), "the child keeps its parent's lock"
os.close(finish)
end_of(child)
""",
    "the child locks while a thread of the parent is at it": """
holding, leave = threading.Event(), threading.Event()
def hold():
    with lock_files.here().noting:
        holding.set()
        leave.wait(30)
thread = threading.Thread(target=hold)
thread.start()
holding.wait()
child = fork()
if child == 0:
    import signal
    signal.alarm(20)
    with HostLock(path).hold(0):
        os._exit(0)
end_of(child)
leave.set()
thread.join()
""",
    "the child closes no file of its own": """
lock = HostLock(path)
assert lock.try_acquire()
child = fork()
if child == 0:
    os.closerange(3, 100)  # as daemons do
    ours = os.open(path.parent / "ours", os.O_CREAT | os.O_WRONLY)
    assert ours == lock._holds[0]._fd, "the number was free"
    HostLock(path.with_name("b.lock")).try_acquire()
    lock.release()
    os.write(ours, b"!")
    os._exit(0)
end_of(child)
""",
}


@needs_fork
@pytest.mark.parametrize("case", C_FORKS)
def test_after_a_fork_without_hooks(tmp_path: Path, case: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", C_FORK + C_FORKS[case], str(tmp_path / "a.lock")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
