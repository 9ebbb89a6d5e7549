"""An async handle outlives its event loop: the next one gets connections of its own."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from flex_tokenstore import open_store
from sql_support import Database, sql_config
from tests.servers.postgres import Postgres
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
