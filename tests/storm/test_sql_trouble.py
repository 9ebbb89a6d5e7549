"""The database fails while one process renews the token and the others wait for it.

The lock is a row, so it outlives all connections: nobody else may renew.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import play, sql_store, two_kinds
from .crowd import Figures
from .trouble import PROCESSES, THREADS, Trouble, brief, play_trouble

if TYPE_CHECKING:
    from tests.servers.mariadb import MariaDb
    from tests.servers.postgres import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ONE_REFRESH = Figures(1, 0, 0)
ANSWER_AFTER = 2.5  # seconds; the server is up again earlier
CONNECTIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def scene_on(server: Postgres | MariaDb, folder: Path, family: bool) -> Any:
    return play(sql_store(server.url), folder, reuse_revokes_family=family)


@two_kinds
def test_stopped_and_started_again(
    postgres_server: Postgres, tmp_path: Path, kind: str, family: bool
) -> None:
    with scene_on(postgres_server, tmp_path, family) as played:
        play_trouble(played, kind, brief(postgres_server.restart, ANSWER_AFTER), ONE_REFRESH)


@two_kinds
def test_killed_and_started_again(
    postgres_server: Postgres, tmp_path: Path, kind: str, family: bool
) -> None:
    def crash() -> None:
        postgres_server.kill()
        postgres_server.restart()

    with scene_on(postgres_server, tmp_path, family) as played:
        play_trouble(played, kind, brief(crash, ANSWER_AFTER), ONE_REFRESH)


@two_kinds
def test_down_when_the_token_comes(
    postgres_server: Postgres, tmp_path: Path, kind: str, family: bool
) -> None:
    trouble = Trouble(postgres_server.kill, postgres_server.restart)
    with scene_on(postgres_server, tmp_path, family) as played:
        play_trouble(played, kind, trouble, ONE_REFRESH)


@two_kinds
def test_all_connections_are_ended(
    postgres_server: Postgres, tmp_path: Path, kind: str, family: bool
) -> None:
    def cut() -> None:
        postgres_server.run(CONNECTIONS)

    with scene_on(postgres_server, tmp_path, family) as played:
        good, _ = play_trouble(played, kind, Trouble(cut), ONE_REFRESH)
        assert good == PROCESSES * THREADS, "each statement was sent once more"


@pytest.mark.parametrize("way", ["restart", "connections ended"])
def test_mariadb(mariadb_server: MariaDb, tmp_path: Path, way: str) -> None:
    def cut() -> None:
        mariadb_server.run("KILL USER app")

    start = mariadb_server.restart if way == "restart" else cut
    with scene_on(mariadb_server, tmp_path, family=True) as played:
        play_trouble(played, "threads", brief(start, ANSWER_AFTER), ONE_REFRESH)
