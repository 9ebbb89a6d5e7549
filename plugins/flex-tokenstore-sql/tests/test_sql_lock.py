"""The lock where it is hard: Ctrl-C, one file with many names."""

from __future__ import annotations

import os
import signal
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from sqlalchemy import create_engine

from flex_tokenstore import TokenLockTimeoutError, open_store
from sql_support import Database, SqliteFile, sql_config
from tests.support.handles import IDENTITY, Open, opener, token

pytest_plugins = ["sql_fixtures"]


def _lets_no_exception_out(frame: FrameType | None) -> bool:
    """Of a finalizer, and of a callback of a weak reference, Python only prints what is raised."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename == weakref.__file__:
            return True
        # The end of each import is such a callback.
        if code.co_name == "cb" and code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


@contextmanager
def interrupted() -> Iterator[Callable[[float], object]]:
    """A function for Ctrl-C in this thread, so many seconds after it is called."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _lets_no_exception_out(frame):
            signal.setitimer(signal.ITIMER_REAL, 0.001)
        else:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield lambda after: signal.setitimer(signal.ITIMER_REAL, after)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer")
def test_ctrl_c_while_waiting_leaves_nothing_behind(database: Database) -> None:
    with opener("sync") as opened:
        store, other = (opened(sql_config(database.url)) for _ in range(2))
        with store.token_lock(0, 30):
            with interrupted() as interrupt:
                interrupt(0.2)
                with other.token_lock(60, 30):
                    pass
            with pytest.raises(TokenLockTimeoutError), other.token_lock(0, 30):
                pass
            other.set_token(token("a"), None)
        with other.token_lock(5, 30):
            assert other.get_token() is not None
        with store.token_lock(5, 30):
            pass


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer")
def test_ctrl_c_while_it_is_held_frees_it(database: Database) -> None:
    with opener("sync") as opened:
        store = opened(sql_config(database.url))
        with interrupted() as interrupt, store.token_lock(5, 30):
            interrupt(0.1)  # not before: the first connection may take longer
            time.sleep(60)
        with opened(sql_config(database.url)).token_lock(5, 30):
            pass


def test_an_sqlite_file_has_one_lock_whatever_it_is_called(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    stores = [
        opened(sql_config(f"sqlite:///{name}/t.db"))
        for name in (folder, f"{tmp_path}/link", "data")
    ]
    assert len({store.place for store in stores}) == 1
    monkeypatch.chdir("/")
    stores[2].set_token(token("a"), None)
    for holder in stores:
        with holder.token_lock(5, 30):
            for store in stores:
                with pytest.raises(TokenLockTimeoutError), store.token_lock(0, 30):
                    pass
                assert store.get_token() is not None
    assert len(list(folder.glob("*.lock"))) == 1


def test_an_engine_on_a_uri_locks_beside_its_file(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///file:{tmp_path}/a%20b.db?uri=true")
    plain = SqliteFile(tmp_path, "a b.db").url
    with (
        open_store({"name": "sql", "engine": engine}, IDENTITY) as store,
        open_store(sql_config(plain), IDENTITY) as other,
        store.token_lock(0, 30),
        pytest.raises(TokenLockTimeoutError),
        other.token_lock(0, 30),
    ):
        pass
    engine.dispose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_child_that_was_forked_while_the_lock_was_held_can_have_it_later(tmp_path: Path) -> None:
    config = sql_config(f"sqlite:///{tmp_path}/t.db")
    read, write = os.pipe()
    with open_store(config, IDENTITY) as store:
        with store.token_lock(0, 5):
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    os.read(read, 1)  # the parent has released it
                    with store.token_lock(5, 5), store.token_lock(0, 5):
                        pass
                except TokenLockTimeoutError:  # the second one: it is held
                    code = 0
                finally:
                    os._exit(code)
        os.write(write, b"x")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        with store.token_lock(5, 5):
            pass
    os.close(read)
    os.close(write)
