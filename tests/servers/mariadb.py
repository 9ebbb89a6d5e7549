"""MariaDB, from the system's package; its programs are often in ``/usr/sbin``."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pymysql

from tests.servers import end_with_us, free_port, own_folder, stand_still
from tests.servers.tls import Certificates

PASSWORD = "pw-SENTINEL"


def program(name: str) -> str | None:
    """Where it is, if it is installed."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


class MariaDb:
    """A running server with the database ``t`` and the user ``app``.

    Args:
        certificates: It offers TLS with them.
    """

    def __init__(self, certificates: Certificates | None = None) -> None:
        self.folder = own_folder("my")
        self.port = free_port()
        self._as: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:  # it refuses root
            from tests.servers.postgres import nobodys_group

            self._as |= {"user": "nobody", "group": nobodys_group(), "extra_groups": []}
            shutil.chown(self.folder, "nobody", nobodys_group())
        self._process: subprocess.Popen[bytes] | None = None
        self._tls = self._options(certificates) if certificates is not None else []
        try:
            command = [str(program("mariadb-install-db")), "--no-defaults", "--skip-test-db"]
            command += [f"--datadir={self.folder}/data", f"--tmpdir={self.folder}"]
            command += ["--auth-root-authentication-method=normal"]
            subprocess.run(command, check=True, capture_output=True, **self._as)
            self.restart()
            self.run("CREATE DATABASE t")
            self.run("CREATE USER app@'127.0.0.1' IDENTIFIED BY %s", PASSWORD)
            self.run("GRANT ALL ON t.* TO app@'127.0.0.1'")
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """Its address, with user and password."""
        return f"mariadb://app:{PASSWORD}@127.0.0.1:{self.port}/t"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows that one statement gives, sent as root on a connection of its own."""
        with (
            pymysql.connect(
                unix_socket=str(self.folder / "s.sock"), user="root", autocommit=True
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall())

    def empty(self) -> None:
        """Removes all tables."""
        self.run("DROP DATABASE t")
        self.run("CREATE DATABASE t")

    def restart(self) -> None:
        """Ends the server, if it runs, and starts it again on the same port and folder."""
        self._end()
        command = [str(program("mariadbd")), "--no-defaults", f"--datadir={self.folder}/data"]
        command += [f"--socket={self.folder}/s.sock", f"--port={self.port}"]
        command += [f"--pid-file={self.folder}/pid", "--bind-address=127.0.0.1"]
        command += [f"--tmpdir={self.folder}"]  # it removes what others have in one they share
        command += ["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=2", *self._tls]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=end_with_us, **self._as
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as probe:  # pymysql leaves its own open
                    probe.connect(str(self.folder / "s.sock"))
                self.run("SELECT 1")
                return
            except (OSError, pymysql.err.OperationalError):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        """Ends the server at once, as a crash does; what it answered is on the disk."""
        process, self._process = self._process, None
        assert process is not None
        process.kill()
        process.wait()

    def pause(self) -> None:
        """The server stands still (SIGSTOP): connections stay, nothing is answered."""
        stand_still(self.pid)

    def resume(self) -> None:
        """Goes on after :meth:`pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ends the server and removes its folder; twice is fine."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _options(self, certificates: Certificates) -> list[str]:
        for path in certificates:
            copy = shutil.copy(path, self.folder)
            Path(copy).chmod(0o644)  # it runs as another user
        names = [self.folder / path.name for path in certificates]
        return [f"--ssl-cert={names[0]}", f"--ssl-key={names[1]}"]

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)  # a stopped process does not see SIGTERM
            process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> MariaDb:
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()
