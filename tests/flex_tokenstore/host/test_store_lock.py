"""The host lock that a store takes for its own writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flex_tokenstore import (
    TokenIdentity,
    TokenLockTimeoutError,
    TokenPermissionError,
    host_lock,
)
from flex_tokenstore.embedding import HostProgram

HOLDER = """
import sys
from flex_tokenstore import host_lock
with host_lock("a-store", wait=0) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "flex-integration-sdk" / "a-store.store.lock"


def test_another_process_is_kept_out_until_the_holder_dies(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        with pytest.raises(TokenLockTimeoutError) as caught, host_lock("a-store", wait=0):
            pass
        assert str(lock_file(tmp_path)) in str(caught.value)
        with host_lock("another", wait=0) as held:
            assert held
        child.kill()
    with host_lock("a-store", wait=0) as held:
        assert held


def test_it_is_free_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), host_lock("a-store", wait=0):
        raise ZeroDivisionError
    with host_lock("a-store", wait=0) as held:
        assert held


def test_a_reader_makes_no_lock_file(tmp_path: Path) -> None:
    with host_lock("a-store", wait=0, make=False) as held:
        assert not held
    assert not (tmp_path / "state").exists()
    with host_lock("a-store", wait=0):
        assert lock_file(tmp_path).exists()
    with host_lock("a-store", wait=0, make=False) as held:
        assert held
        with pytest.raises(TokenLockTimeoutError), host_lock("a-store", wait=0, make=False):
            pass


def test_all_programs_share_it(tmp_path: Path) -> None:
    """A store may belong to any program: the lock is not named after one."""
    identity = TokenIdentity("https://api.example.com", "a-client", program=HostProgram("acme"))
    assert identity.program.folder == "acme"
    with host_lock("a-store", wait=0):
        assert lock_file(tmp_path).exists()


@pytest.mark.parametrize("name", ["", "Keyring", "a/b", "..", "a b", "a" * 65])
def test_a_name_is_a_file_name_on_each_system(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        host_lock(name, wait=0)


def test_what_to_do_about_a_lock_file_that_cannot_be_used(tmp_path: Path) -> None:
    lock_file(tmp_path).mkdir(parents=True)
    with pytest.raises(OSError, match="XDG_STATE_HOME") as caught, host_lock("a-store", wait=0):
        pass
    assert "host_lock" not in str(caught.value)
    lock_file(tmp_path).rmdir()
    lock_file(tmp_path).symlink_to("elsewhere")
    # What is not there cannot be held; a link is refused by whoever locks it.
    with pytest.raises(TokenPermissionError, match="symbolic link"), host_lock("a-store", wait=0):
        pass
