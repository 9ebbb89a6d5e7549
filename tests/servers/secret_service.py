"""A D-Bus session with gnome-keyring: the Secret Service of a Linux desktop, without the desktop.

Needs the programs dbus-daemon and gnome-keyring-daemon, and the wheel SecretStorage.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from typing import Any

from tests.servers import end_with_us, own_folder

PASSWORD = b"pw"
# Nothing is started on demand: neither another keyring, nor a window that asks for a password.
_CONFIG = """<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
# gnome-keyring's own, beside the Secret Service.
_INTERNAL = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"
BUS = "DBUS_SESSION_BUS_ADDRESS"


class SecretService:
    """A running session. Stop it, or use it in a ``with`` statement.

    Args:
        daemon: Whether there is a keyring in it.
        unlocked: Whether that was unlocked, as by signing in to a desktop.
    """

    def __init__(self, *, daemon: bool = True, unlocked: bool = True) -> None:
        self.folder = own_folder("secrets")
        self._unlocked = unlocked
        self._processes: list[subprocess.Popen[bytes]] = []
        self.variables = {BUS: ""}
        try:
            self.variables[BUS] = self._start_bus()
            if daemon:
                self._start_daemon()
        except BaseException:
            self.stop()
            raise

    def lock(self) -> None:
        """Locks the keyring, as a screen saver may."""
        self.collection(lambda found: found.lock())

    def unlock(self) -> None:
        """Unlocks it with its password, without asking anybody."""
        import secretstorage.util as util
        from secretstorage.defines import SS_PATH

        def enter_password(found: Any) -> None:
            session = util.open_session(found.connection)
            address = util.DBusAddressWrapper(SS_PATH, _INTERNAL, found.connection)
            secret = util.format_secret(session, PASSWORD, "text/plain")
            arguments = (found.collection_path, secret)
            address.call("UnlockWithMasterPassword", "o(oayays)", *arguments)

        self.collection(enter_password)

    def clear(self) -> None:
        """Deletes all items."""
        self.collection(lambda found: [item.delete() for item in found.get_all_items()])

    def items(self) -> list[dict[str, str]]:
        """The attributes of all items."""
        found = self.collection(lambda of: [item.get_attributes() for item in of.get_all_items()])
        return sorted(found, key=lambda attributes: str(attributes.get("service")))

    def collection(self, action: Any) -> Any:
        """What ``action`` returns for the default collection."""
        import secretstorage
        from jeepney.io.blocking import open_dbus_connection

        with contextlib.closing(open_dbus_connection(self.variables[BUS])) as bus:
            return action(secretstorage.get_default_collection(bus))

    def stop(self) -> None:
        """Ends it and removes its files."""
        for process in reversed(self._processes):
            process.kill()
            process.communicate()
        self._processes = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> SecretService:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        own = {"HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_DATA_HOME": folder}
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**kept, **own, **self.variables, "GNOME_KEYRING_CONTROL": f"{folder}/keyring"}

    def _start(self, *command: str, given: bytes = b"") -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                preexec_fn=end_with_us,
                env=self._environment(),
            )
        self._processes.append(process)
        assert process.stdin is not None
        process.stdin.write(given)
        process.stdin.close()
        process.stdin = None
        return process

    def _start_bus(self) -> str:
        config = self.folder / "bus.conf"
        config.write_text(_CONFIG.format(folder=self.folder))
        bus = self._start("dbus-daemon", f"--config-file={config}", "--nofork", "--print-address")
        assert bus.stdout is not None
        return bus.stdout.readline().decode().strip()

    def _start_daemon(self) -> None:
        command = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        if self._unlocked:
            daemon = self._start(*command, "--unlock", given=PASSWORD)
        else:
            daemon = self._start(*command)
        deadline = time.monotonic() + 20
        while not self._answers():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"gnome-keyring-daemon does not run: {daemon.poll()}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        import secretstorage
        from jeepney.io.blocking import open_dbus_connection

        with contextlib.closing(open_dbus_connection(self.variables[BUS])) as bus:
            return bool(secretstorage.check_service_availability(bus))


def missing() -> str:
    """What is missing to run it; "": nothing."""
    programs = {"dbus-daemon": "dbus", "gnome-keyring-daemon": "gnome-keyring"}
    for program, package in programs.items():
        if shutil.which(program) is None:
            return f"needs the program {program} (package {package})"
    return ""
