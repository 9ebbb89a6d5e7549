#!/usr/bin/env python3
"""Records what the last version of each plugin writes on real servers, for the tests to compare.

python tools/golden.py            writes plugins/*/tests/data/last_version.json
python tools/golden.py --check    exit code 1 if the files are not what the last version writes

The code of the last version comes from the history of this clone: tests/support/last_version.py
says which commit. Run it again only when the last version is another one: what it wrote then must
still be read. The golden file of `encrypted` is not made here: see its tests/encrypted_golden.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = ("redis", "sql", "vault")
sys.path[:0] = [str(ROOT)]


def main(arguments: list[str]) -> int:
    """Writes or checks the files; returns the exit code."""
    if arguments == ["--child"]:
        json.dump(recorded(), sys.stdout)
        return 0
    wrong = 0
    for plugin, sections in made().items():
        text = json.dumps(sections, indent=1, ensure_ascii=True) + "\n"
        if arguments != ["--check"]:
            path_of(plugin).parent.mkdir(exist_ok=True)
            path_of(plugin).write_text(text, encoding="utf-8", newline="\n")
        elif path_of(plugin).read_text(encoding="utf-8") != text:
            print(f"{path_of(plugin)} is not what the last version writes")
            wrong = 1
    return wrong


def path_of(plugin: str) -> Path:
    """The golden file."""
    tests = ROOT / "plugins" / f"flex-tokenstore-{plugin}" / "tests"
    return tests / "data" / "last_version.json"


def made() -> dict[str, Any]:
    """What the last version writes, by plugin; recorded in a process that runs its code."""
    from tests.support.last_version import unpack

    with tempfile.TemporaryDirectory() as folder:
        last = unpack(Path(folder))
        command = [sys.executable, str(Path(__file__).resolve()), "--child"]
        environment = {**os.environ, **last.variables, "HOME": folder}
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
        found: dict[str, Any] = json.loads(done.stdout)
        assert last.has(found.pop("code")), "another version was recorded"
        return found


def recorded() -> dict[str, Any]:
    """What the stores of this process write, and the files that their code comes from."""
    for plugin in PLUGINS:
        sys.path.append(str(path_of(plugin).parents[1]))
    from redis_golden import RedisVessel
    from sql_golden import PostgresVessel, SqliteVessel
    from sql_golden_mysql import describe_mysql
    from tests.servers import valkey
    from tests.servers.openbao import OpenBao
    from tests.servers.postgres import Postgres
    from tests.support.golden import record
    from vault_golden import VaultVessel

    with valkey.start() as valkey_server, closing(RedisVessel(valkey_server)) as redis_vessel:
        of_redis = record(redis_vessel)
    with OpenBao() as openbao, closing(VaultVessel(openbao)) as vault_vessel:
        of_vault = record(vault_vessel)
    with tempfile.TemporaryDirectory() as folder, closing(SqliteVessel(Path(folder))) as of_file:
        of_sqlite = {"table": of_file.describe(), **record(of_file)}
    with Postgres() as postgres, closing(PostgresVessel(postgres)) as of_server:
        of_postgres = {"table": of_server.describe(), **record(of_server)}
    of_mysql = {"table": describe_mysql()}
    ours = [module for name, module in sys.modules.items() if name.startswith("flex_")]
    return {
        "redis": {"redis": of_redis},
        "sql": {"sqlite": of_sqlite, "postgresql": of_postgres, "mysql": of_mysql},
        "vault": {"vault": of_vault},
        "code": [module.__file__ for module in ours if getattr(module, "__file__", None)],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
