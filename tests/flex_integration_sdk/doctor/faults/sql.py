"""Faults of the store ``sql``, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import free_port

from . import fault
from .world import SECRET, World

PASSWORD = "the-passw0rd"
AFTER_IT = ("store.lock", "store.save")  # each asks the server, and meets the same
GRANTED = ("GRANT ALL ON SCHEMA public TO app",)


@contextmanager
def _with_user(world: World, *statements: str, password: str = PASSWORD) -> Iterator[None]:
    """A user ``app`` with a password, and whatever the statements do to it."""
    server = world.server("postgres_server")
    world.secrets.add(PASSWORD)
    server.run(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
    url = f"postgresql://app:{password}@127.0.0.1:{server.port}/postgres"
    try:
        for statement in statements:
            server.run(statement)
        world.store("sql", url=url)
        yield
    finally:
        server.run("DROP OWNED BY app")
        server.run("DROP ROLE app")


@fault(
    "PostgreSQL: the password in the url is wrong",
    finds="store.read",
    says="it does not accept the user name or password",
    remedy="The option url comes from FLEX_INTEGRATION_TOKEN_STORE__URL",
    also=AFTER_IT,
)
def sql_wrong_password(world: World) -> Iterator[None]:
    with (
        world.server("postgres_server").passwords_required(),
        _with_user(world, *GRANTED, password=SECRET),
    ):
        yield


@fault(
    "PostgreSQL: the user does not exist",
    finds="store.read",
    says="it has no such user",
    remedy="Check the option username",
    also=AFTER_IT,
)
def sql_user(world: World) -> Iterator[None]:
    port = world.server("postgres_server").port
    world.store("sql", url=f"postgresql://nobody@127.0.0.1:{port}/postgres")
    yield


@fault(
    "PostgreSQL: the database does not exist",
    finds="store.read",
    says="there is no database with that name",
    remedy="Create it, or correct the url",
    also=AFTER_IT,
)
def sql_database(world: World) -> Iterator[None]:
    port = world.server("postgres_server").port
    world.store("sql", url=f"postgresql://postgres@127.0.0.1:{port}/missing")
    yield


@fault(
    "PostgreSQL: the server is down, or the port is wrong",
    finds="store.read",
    says="it could not be reached",
    remedy="Check that it is up",
    also=AFTER_IT,
)
def sql_down(world: World) -> Iterator[None]:
    world.store("sql", url=f"postgresql://postgres@127.0.0.1:{free_port()}/postgres")
    yield


@fault(
    "PostgreSQL: the user has no right to the table",
    finds="store.read",
    says="its user may not do this",
    remedy="Grant this user SELECT, INSERT, UPDATE and DELETE on the table",
    also=AFTER_IT,
)
def sql_right(world: World) -> Iterator[None]:
    server = world.server("postgres_server")
    world.store("sql", url=server.url)
    world.sign_in()  # makes the table, which is the owner's
    with _with_user(world):
        yield


@fault(
    "PostgreSQL: the user may read the table, and not write",
    finds="store.lock",
    says="its user may not do this",
    remedy="Grant this user SELECT, INSERT, UPDATE and DELETE on the table",
    also=("store.save",),
)
def sql_right_to_write(world: World) -> Iterator[None]:
    server = world.server("postgres_server")
    world.store("sql", url=server.url)
    world.sign_in()
    with _with_user(world, "GRANT SELECT ON flex_tokens TO app"):
        yield


@fault(
    "PostgreSQL: the server is a read-only standby",
    finds="store.lock",
    says="it is read-only",
    remedy="Connect to the primary",
    also=("store.save",),
)
def sql_standby(world: World) -> Iterator[None]:
    server = world.server("postgres_server")
    world.store("sql", url=server.url)
    world.sign_in()
    grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON flex_tokens TO app"
    with _with_user(world, grant, "ALTER ROLE app SET default_transaction_read_only = on"):
        yield


@fault(
    "PostgreSQL: the user has no free connection",
    finds="store.read",
    says="it has no free connection left",
    remedy="Raise its limit (max_connections",
    also=AFTER_IT,
)
def sql_connections(world: World) -> Iterator[None]:
    with _with_user(world, *GRANTED, "ALTER ROLE app CONNECTION LIMIT 0"):
        world.store("sql", timeout="0.5")
        yield


@fault(
    "PostgreSQL: the schema does not exist",
    finds="store.read",
    says="the schema is missing",
    remedy="The option schema comes from FLEX_INTEGRATION_TOKEN_STORE__SCHEMA",
    also=AFTER_IT,
)
def sql_schema(world: World) -> Iterator[None]:
    world.store("sql", url=world.server("postgres_server").url, schema="missing")
    yield


@fault(
    "PostgreSQL: the table is another program's",
    finds="store.read",
    says="the table was not created by this store",
    remedy="The option table comes from FLEX_INTEGRATION_TOKEN_STORE__TABLE",
    also=AFTER_IT,
)
def sql_table(world: World) -> Iterator[None]:
    server = world.server("postgres_server")
    server.run("CREATE TABLE orders (id integer)")
    world.store("sql", url=server.url, table="orders")
    yield
