"""The SQL store passes the contract of a token store on each database that it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from flex_tokenstore import TokenIdentity
from sql_support import Database, SqliteFile, sql_config
from tests.support.handles import opener

if TYPE_CHECKING:
    from tests.servers.mariadb import MariaDb
    from tests.servers.postgres import Postgres

testing = pytest.importorskip("flex_tokenstore.testing")


class Contract(testing.TokenStoreContract):  # type: ignore[misc, name-defined]  # imported if there
    """What all databases have in common."""

    __test__ = False

    @pytest.fixture
    def store_config(self, database: Database, request: pytest.FixtureRequest) -> dict[str, Any]:
        # As short as it may be where it runs out, as long as many processes need elsewhere.
        timeout = 1.0 if "hang" in request.node.name else 20.0
        return sql_config(database.url, timeout=timeout)

    @pytest.fixture
    def plant(self, database: Database) -> Callable[[TokenIdentity, bytes], None]:
        with opener("sync") as opened:
            opened(sql_config(database.url)).get_token()  # makes the table
        return lambda identity, content: database.plant(content, identity)


@pytest.mark.slow  # test_sql_store has the same store for the default suite
class TestSqlStoreOnSqlite(Contract):
    """Its file may be away; that it is locked is in ``test_sql_failures``."""

    __test__ = True

    @pytest.fixture(params=["sync"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        """The servers below have both, and run the same code."""
        return str(request.param)

    @pytest.fixture
    def outage(self, tmp_path: Path) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            folder, away = tmp_path / "data", tmp_path / "away"
            folder.rename(away)
            yield
            away.rename(folder)

        return broken

    @pytest.fixture
    def database(self, tmp_path: Path) -> Database:
        folder = tmp_path / "data"
        folder.mkdir()
        return Database("sqlite", SqliteFile(folder))


class Breakable(Protocol):
    """A server that a test may break."""

    port: int

    def kill(self) -> None: ...
    def restart(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class OnServer(Contract):
    """With a server that is killed and paused, again and again."""

    patience = 15.0

    @pytest.fixture
    def running(self) -> Breakable:
        raise NotImplementedError

    @pytest.fixture
    def server_address(self, running: Breakable) -> tuple[str, int]:
        return "127.0.0.1", running.port

    @pytest.fixture
    def store_config(
        self, database: Database, proxy: Any, running: Breakable, request: pytest.FixtureRequest
    ) -> dict[str, Any]:
        # Short where the time runs out, as long as many processes need elsewhere.
        name = request.node.name
        timeout = 1.0 if "hang" in name else 3.0 if "forgotten" in name else 20.0
        url = database.url.replace(f":{running.port}/", f":{proxy.port}/")
        return sql_config(url, timeout=timeout)

    @pytest.fixture
    def outage(self, running: Breakable) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            running.kill()
            yield
            running.restart()

        return broken

    @pytest.fixture
    def stall(self, running: Breakable) -> Callable[[], Any]:
        @contextmanager
        def broken() -> Iterator[None]:
            running.pause()
            yield
            running.resume()

        return broken


@pytest.mark.one_kind
@pytest.mark.slow
class TestSqlStoreOnPostgres(OnServer):
    __test__ = True

    @pytest.fixture
    def running(self, postgres_server: Postgres) -> Postgres:
        return postgres_server

    @pytest.fixture
    def database(self, running: Postgres) -> Database:
        return Database("postgres", running)


@pytest.mark.one_kind
@pytest.mark.slow
class TestSqlStoreOnMariaDb(OnServer):
    __test__ = True

    @pytest.fixture
    def running(self, mariadb_server: MariaDb) -> MariaDb:
        return mariadb_server

    @pytest.fixture
    def database(self, running: MariaDb) -> Database:
        return Database("mariadb", running)
