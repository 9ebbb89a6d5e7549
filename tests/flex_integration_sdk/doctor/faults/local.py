"""Faults of this machine: files, users, mounts, plugins. The real command runs in them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from flex_integration_sdk.config import Settings, resolve
from flex_tokenstore import Token, TokenStore, open_store

from . import fault
from .world import Diagnosis, World

BIN = Path(sys.executable).parent
PREFIX = "FLEX_INTEGRATION_"
STORE = f"{PREFIX}TOKEN_STORE"
SECRETS = {
    "secret": "sentinel-client-secret",
    "access_token": "sentinel-access-token",
    "refresh_token": "sentinel-refresh-token",
    "key": "sentinelsentinelsentinelsentinel",
}
# Of all rights of root, those by which no mode and no owner counts.
_POWERS = "-dac_override,-dac_read_search,-fowner,-chown"
_WITHOUT = ["setpriv", f"--bounding-set={_POWERS}", f"--inh-caps={_POWERS}"]
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
STRANGER = 54321  # a uid without an entry in the user database


@dataclass
class Local:
    """A user's home folder and environment, with nothing wrong; the command runs on its own."""

    world: World
    environ: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    mounts: list[list[str]] = field(default_factory=list)
    """Commands that are run first, in a mount namespace that nothing else sees."""
    is_powerless: bool = False
    """Root without the power to use what its modes forbid."""
    stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.folder, self.sandbox = self.world.folder, self.world.sandbox
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o700)
        self.world.runner = self.doctor
        self.world.secrets |= {*SECRETS.values()}
        self.world.changing += [
            (re.escape(str(self.home)), "/home/joe"),
            (re.escape(str(self.folder)), "/srv"),
            *_CHANGING,
        ]
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "NO_PROXY": "127.0.0.1",
            f"{PREFIX}CLIENT_ID": self.sandbox.client_id,
            f"{PREFIX}CLIENT_SECRET": self.sandbox.client_secret,
            f"{PREFIX}BASE_URL": self.sandbox.base_url,
        }

    @property
    def default_folder(self) -> Path:
        """Where the store ``file`` keeps the token if nothing else is chosen."""
        return self.home / ".config" / "flex-integration-sdk"

    def choose(self, name: str, **options: object) -> None:
        """Chooses the store by variables."""
        self.environ[STORE] = name
        for option, value in options.items():
            self.environ[f"{STORE}__{option.upper()}"] = str(value)

    def at(self, path: Path, **options: object) -> Path:
        """Chooses the store ``file`` with this path, in a private folder."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.choose("file", path=path, **options)
        return path

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A block in which this process has the environment of the world."""
        with patch.dict(os.environ, self.environ, clear=True):
            yield

    def settings(self) -> Settings:
        """The settings, as the command line has them."""
        with self.entered():
            return resolve(token_store=None if STORE in self.environ else "file")

    @contextmanager
    def store(self) -> Iterator[TokenStore]:
        """The chosen store, opened by this process."""
        settings = self.settings()
        with self.entered(), open_store(settings.token_store, settings.identity) as store:
            yield store

    def save(self, *, age: float = 60.0, lives: float = 3600.0, **changes: Any) -> None:
        """Saves a token, as if it had been obtained that many seconds ago."""
        answer = {
            "access_token": SECRETS["access_token"],
            "refresh_token": SECRETS["refresh_token"],
            "token_type": "bearer",
            "expires_in": lives,
            **changes,
        }
        with self.store() as store:
            key = store.identity.key
            store.set_token(Token.issued(answer, identity_key=key, obtained_at=time.time() - age))

    def doctor(self) -> Diagnosis:
        """What ``flex-sdk doctor --json`` finds. It changes nothing."""
        before = tree(self.folder)
        done = subprocess.run(
            self._command(),
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        changed = changes(before, tree(self.folder))
        assert not changed, changed
        assert not done.stderr, done.stderr
        answer = json.loads(done.stdout)
        assert answer["ok"] is (done.returncode == 0)
        return Diagnosis(done.returncode, done.stdout, answer["findings"])

    def _command(self) -> list[str]:
        command = [str(BIN / "flex-sdk"), "doctor", "--json", *self.arguments]
        if self.is_powerless and IS_ROOT:
            command = [*_WITHOUT, *command]
        if self.mounts:
            lines = [*map(shlex.join, self.mounts), f"exec {shlex.join(command)}"]
            namespace = ["unshare", "-m"] if IS_ROOT else ["unshare", "-Urm"]
            command = [*namespace, "sh", "-e", "-c", "\n".join(lines)]
        return command


def local_fault(
    what: str,
    finds: str,
    status: str,
    says: str,
    remedy: str,
    *,
    needs: str = "",
    others: tuple[str, ...] = (),
) -> Callable[[Callable[[Local], None]], None]:
    """Adds a fault of this machine, which the function makes really.

    Args:
        what: What is wrong, for people.
        finds: Id of the finding that names it.
        status: Of that finding.
        says: A regular expression for its message.
        remedy: The same for its remedy.
        needs: What the test needs: ``"root"``, ``"mounts"``, ``"modes"`` or ``"chattr"``.
        others: Ids of other findings that come of the same.
    """

    def decorate(make: Callable[[Local], None]) -> None:
        def plant(world: World) -> Iterator[None]:
            if reason := lacks(needs):
                pytest.skip(reason)
            local = Local(world)
            with local.stack:
                make(local)
                yield

        plant.__name__ = re.sub(r"[^a-z0-9]+", "_", what.lower())[:80].strip("_")
        plant.__module__ = make.__module__
        fault(
            what,
            finds=finds,
            says=re.compile(says),
            remedy=re.compile(remedy),
            status=status,
            also=others,
        )(plant)

    return decorate


def lacks(needs: str) -> str:
    """Why it cannot be planted here; "" if it can."""
    if needs == "root" and not IS_ROOT:
        return "only root can give files to another user"
    if needs == "chattr" and not _marks_files():
        return "only root can mark a file as unchangeable, and not on each file system"
    if needs == "modes" and IS_ROOT and shutil.which("setpriv") is None:
        return "setpriv is needed to take the power over modes from root"
    if needs == "mounts":
        command = ["unshare", "-m" if IS_ROOT else "-Urm", "true"]
        if shutil.which("unshare") is None or _code(command):
            return "this system gives no mount namespace"
    return ""


def _marks_files() -> bool:
    if not IS_ROOT or shutil.which("chattr") is None:
        return False
    with tempfile.NamedTemporaryFile() as file:
        if _code(["chattr", "+i", file.name]):
            return False
        subprocess.run(["chattr", "-i", file.name], check=True)
        return True


def _code(command: list[str]) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """All files and folders, each with mode, owner and content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        about = path.lstat()
        content = ""
        if stat.S_ISREG(about.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (about.st_mode, about.st_uid, content)
    return found


def changes(
    before: dict[str, tuple[object, ...]], after: dict[str, tuple[object, ...]]
) -> list[str]:
    """The paths that are not as they were. A lock file may be new, if its folder's owner owns it.

    What SQLite keeps beside a database that is open changes with each reader.
    """
    return [
        path
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
        and not (path not in before and path.endswith(".lock") and _is_own(path, after))
        and not path.endswith(("-shm", "-wal"))
    ]


def _is_own(path: str, found: dict[str, tuple[object, ...]]) -> bool:
    return found[path][1] == found[str(Path(path).parent)][1]


# What is different on each machine.
_CHANGING = (
    (r"a-client-[0-9a-f]{16}", "a-client-0123456789abcdef"),
    (r"\w+ \(uid 0\)", "joe (uid 1000)"),
    (rf"uid {STRANGER}", "uid 1001"),
    (rf"#{STRANGER}", "#1001"),
    (r"process \d+ \([^)]*\)", "process 4711 (python)"),
    (r"has run for \d+ \w+", "has run for 3 hours"),
    (r"\b\d+ KB\b", "12 KB"),
    (r"\b\d+(\.\d+)? ms\b", "1 ms"),
    (r"with the key [0-9a-f]{16}", "with the key 0123456789abcdef"),
    (r"the first one is [0-9a-f]{16}", "the first one is fedcba9876543210"),
    (r"another-client-[0-9a-f]{16}", "another-client-89abcdef01234567"),
)
