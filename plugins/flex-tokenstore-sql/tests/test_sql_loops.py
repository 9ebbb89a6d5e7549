"""An async handle outlives its event loop: the next one gets connections of its own."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flex_tokenstore import Secret, TokenLockTimeoutError, open_async_store, open_store
from flex_tokenstore_sql import AsyncSqlStore, Options
from flex_tokenstore_sql._sqlite import FileLock
from sql_support import Database, sql_config
from tests.servers.postgres import Postgres
from tests.servers.tls import Certificates
from tests.support.handles import IDENTITY, token
from tests.support.loops import check_at_once, check_one_after_the_other

pytest_plugins = ["sql_fixtures"]

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts sockets in /proc")


@linux
def test_one_loop_after_the_other(database: Database) -> None:
    def connections() -> int:
        if database.kind == "sqlite":
            return 0
        if database.kind == "mariadb":
            return len(database.run("SHOW PROCESSLIST"))
        return len(database.run("SELECT pid FROM pg_stat_activity WHERE usename IS NOT NULL"))

    check_one_after_the_other(sql_config(database.url), connections)


def test_several_loops_at_once(database: Database) -> None:
    check_at_once(sql_config(database.url))


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_files_are_read_in_a_thread(
    scheme: str, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Certificates take tens of milliseconds, in which the program would stand still."""
    password = tmp_path / "password"
    password.write_text("x")
    options = Options(
        url=Secret(f"{scheme}://app@localhost/t"),
        password_file=str(password),
        ca_file=str(certificates.certificate),
    )
    store = AsyncSqlStore(options, IDENTITY)
    loops = []

    def watched(read: Callable[[Options], object]) -> Callable[[Options], object]:
        def reading(self: Options) -> object:
            loops.append(asyncio._get_running_loop())
            return read(self)

        return reading

    monkeypatch.setattr(Options, "tls_context", watched(Options.tls_context))
    monkeypatch.setattr(Options, "password_now", watched(Options.password_now))
    asyncio.run(store.connect())
    assert loops == [None, None]


def test_a_file_lock_that_another_holds_is_closed_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, closed = FileLock.free, []

    def watched(self: FileLock) -> None:
        if self._connection is not None:
            closed.append(asyncio._get_running_loop())
        free(self)

    async def main() -> None:
        config = sql_config(f"sqlite:///{tmp_path}/tokens.db")
        with open_store(config, IDENTITY) as holder, holder.token_lock(0, 30):
            async with await open_async_store(config, IDENTITY) as store:
                monkeypatch.setattr(FileLock, "free", watched)
                with pytest.raises(TokenLockTimeoutError):
                    async with store.token_lock(0, 30):
                        pass
                monkeypatch.undo()

    asyncio.run(main())
    assert closed
    assert set(closed) == {None}


@linux
def test_a_fork_without_pythons_hooks_while_the_lock_is_held(postgres_server: Postgres) -> None:
    """As uWSGI forks: the child saves, and the lock is free as soon as the parent is done."""
    config = sql_config(postgres_server.url)
    with open_store(config, IDENTITY) as store, open_store(config, IDENTITY) as other:
        store.set_token(token("a"))
        with store.token_lock(0, 30):
            read, write = os.pipe()
            pid = ctypes.PyDLL(None).fork()
            if pid == 0:
                try:
                    store.set_token(token("b"), token("a").revision)
                    os.write(write, b"saved")
                    os.read(read, 0)
                finally:
                    os._exit(0)
            assert os.read(read, 5) == b"saved"
            os.waitpid(pid, 0)
            kept = store.get_token()
            assert kept is not None
            assert kept.revision == token("b").revision
        with other.token_lock(0, 5):
            pass
        os.close(read)
        os.close(write)
