"""The lock where it is hard: Ctrl-C, forked children, dead hosts, one file with many names."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text

from flex_tokenstore import TokenLockTimeoutError, open_store
from flex_tokenstore_sql import _forks
from sql_support import Database, SqliteFile, sql_config
from tests.servers.mariadb import MariaDb
from tests.servers.postgres import Postgres
from tests.support.handles import IDENTITY, Open, opener, token

pytest_plugins = ["sql_fixtures"]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@contextmanager
def interrupted(after: float) -> Iterator[None]:
    """Ctrl-C, so many seconds from now, in this thread."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer")
def test_ctrl_c_while_waiting_leaves_nothing_behind(database: Database) -> None:
    with opener("sync") as opened:
        store, other = (opened(sql_config(database.url)) for _ in range(2))
        with store.token_lock(0, 30):
            with interrupted(0.2), other.token_lock(60, 30):
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
        with interrupted(0.1), store.token_lock(5, 30):
            time.sleep(60)
        with opened(sql_config(database.url)).token_lock(5, 30):
            pass


@needs_fork
def test_a_child_keeps_a_file_that_has_the_number_of_a_dead_connection(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    holder = object()
    _forks.note(holder, SimpleNamespace(connection=SimpleNamespace(driver_connection=ours)))
    try:
        ours.close()
        file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
        assert file == number
        child = os.fork()
        if child == 0:
            os._exit(0 if os.path.sameopenfile(file, os.open(tmp_path / "file", os.O_RDWR)) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        os.close(file)
    finally:
        _forks.forget(holder)
        theirs.close()


def connections(port: int) -> dict[str, str]:
    """The timer of each of this server's connections, by the client's address."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[2]: row[5] for row in rows if row[1].endswith(f":{port:04X}")}


def keepalives(port: int, before: dict[str, str]) -> list[float]:
    """Seconds until this server asks each silent client of this test whether it is there."""
    new = [timer for client, timer in connections(port).items() if client not in before]
    timers = [timer.split(":") for timer in new]
    return [int(when, 16) / os.sysconf("SC_CLK_TCK") for kind, when in timers if kind == "02"]


def once(holds: Callable[[], bool]) -> None:
    """Waits for it: a packet on its way has a timer of another kind."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/net/tcp")
def test_postgres_asks_a_silent_holder_whether_it_lives(
    opened: Open, postgres_server: Postgres
) -> None:
    before = connections(postgres_server.port)
    store, other = (opened(sql_config(postgres_server.url)) for _ in range(2))
    with store.token_lock(0, 60):
        once(lambda: min(keepalives(postgres_server.port, before), default=7200) <= 10)
        with pytest.raises(TokenLockTimeoutError), other.token_lock(0.1, 60):
            pass  # one who waits may be given the lock
    once(lambda: all(seconds > 10 for seconds in keepalives(postgres_server.port, before)))


@pytest.mark.slow
def test_mariadb_ends_a_silent_holder_and_no_other_connection(mariadb_server: MariaDb) -> None:
    engine = create_engine(mariadb_server.url.replace("mariadb", "mariadb+pymysql"), pool_size=1)
    with open_store({"name": "sql", "engine": engine}, IDENTITY) as store:
        for wait in (0, 0.1):
            before = time.monotonic()
            with store.token_lock(wait, 60) as end:
                assert end is not None
                assert before + 60 <= end <= time.monotonic() + 60
                with pytest.raises(TokenLockTimeoutError), store.token_lock(wait, 60):
                    pass
    with engine.connect() as connection:
        limits = connection.execute(text("SELECT @@SESSION.wait_timeout, @@GLOBAL.wait_timeout"))
        ((session, everywhere),) = limits.fetchall()
    engine.dispose()
    assert session == everywhere


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
