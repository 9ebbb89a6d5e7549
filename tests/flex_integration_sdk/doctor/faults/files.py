"""Planted faults of files, folders, disks and mounts, of the lock, and of what is stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.plugins import install

from .local import PREFIX, STORE, STRANGER, Local, local_fault


def locked_once(world: Local, path: Path) -> Path:
    """The lock file, which is there once somebody held the lock."""
    with world.store() as store, store.token_lock(1, 10):
        pass
    found = [each for each in path.parent.glob("*.lock") if ".write." not in each.name]
    assert len(found) == 1
    return found[0]


UNREAD = ("store.read", "store.latency", "token.present", "token.age", "token.expiry")


@local_fault(
    "this user may not enter the token's folder",
    *("place.rights", "error", "may not enter the folder .*tokens", "chmod u\\+rwx"),
    needs="modes",
    others=(*UNREAD, "store.lock", "store.save", "place.owner", "place.disk"),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    path.parent.chmod(0)
    world.is_powerless = True


@local_fault(
    "this user may not write in the token's folder",
    *("place.rights", "error", "may not write in the folder .*tokens", "chmod u\\+rwx"),
    needs="modes",
    others=("store.save",),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    locked_once(world, path)
    path.parent.chmod(0o500)
    world.is_powerless = True


@local_fault(
    "the token's folder cannot be made in the folder above it",
    *("place.rights", "error", "may not make .*tokens in the folder", "chmod u\\+rwx"),
    needs="modes",
    others=("store.save", "store.lock", "token.age", "token.expiry"),
)
def _(world: Local) -> None:
    above = world.home / "above"
    above.mkdir(mode=0o500)
    world.choose("file", path=above / "tokens" / "token.json")
    world.is_powerless = True


@local_fault(
    "a file is where the token's folder should be",
    *("place.rights", "error", "a folder has to be there", "Move .*tokens away"),
    others=(*UNREAD, "store.save", "store.lock"),
)
def _(world: Local) -> None:
    (world.home / "tokens").write_text("")
    world.choose("file", path=world.home / "tokens" / "token.json")


@local_fault(
    "others can read the token file",
    *("place.rights", "warning", "Other users can read .*\\(mode 0644\\)", "chmod 600"),
)
def _(world: Local) -> None:
    world.save()
    (world.default_folder / "file-store-token.json").chmod(0o644)


@local_fault(
    "others can write in the folder of the token file",
    *("place.rights", "error", "Other users can write in", "chmod go-w"),
    others=(*UNREAD, "store.save"),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    path.parent.chmod(0o777)


@local_fault(
    "the token file belongs to another user",
    *("place.owner", "error", "belongs to uid 54321", "chown -R"),
    needs="root",
    others=(*UNREAD, "store.save"),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    os.chown(path, STRANGER, STRANGER)


@local_fault(
    "root looks at the files of another user, as with `sudo`",
    *("place.owner", "error", "tokens belongs to uid 54321", "^Run it as .*sudo -u '#54321'[^,]*$"),
    needs="root",
    others=UNREAD,
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    for each in (world.home, path.parent, *path.parent.iterdir()):
        os.chown(each, STRANGER, STRANGER)
    # Elsewhere, so that the home folder is not told too.
    world.environ["HOME"] = str(world.folder)


@local_fault(
    "root would make the token's folder in that of another user",
    *("place.owner", "warning", "would be made in .*uid 54321", "sudo -u '#54321'"),
    needs="root",
)
def _(world: Local) -> None:
    world.choose("file", path=world.home / "tokens" / "token.json")
    os.chown(world.home, STRANGER, STRANGER)
    world.environ["HOME"] = str(world.folder)


@local_fault(
    "the lock file belongs to another user, as after a run with sudo",
    *("place.owner", "error", "\\.lock belongs to uid 54321", "chown -R"),
    needs="root",
    others=("place.rights", "store.lock", "store.save"),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    lock = locked_once(world, path)
    os.chown(lock, STRANGER, STRANGER)
    world.is_powerless = True


@local_fault(
    "the disk is full",
    *("place.disk", "error", "is full", "Free some space"),
    needs="mounts",
    others=("place.mount",),
)
def _(world: Local) -> None:
    folder = world.at(world.home / "tokens" / "token.json").parent
    world.mounts = [
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(folder)],
        ["sh", "-c", f"cat /dev/zero > {folder}/filled 2>/dev/null || true"],
    ]


@local_fault(
    "the file system has no inode left",
    *("place.disk", "error", "no inode left", "df -i"),
    needs="mounts",
    others=("place.mount", "store.lock"),
)
def _(world: Local) -> None:
    folder = world.at(world.home / "tokens" / "token.json").parent
    world.mounts = [
        ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=4,mode=0700", "tmpfs", str(folder)],
        ["touch", f"{folder}/a", f"{folder}/b", f"{folder}/c"],
    ]


@local_fault(
    "the folder is on a file system in memory",
    *("place.mount", "warning", "is on tmpfs .*lost at a restart", "folder on a disk"),
    needs="mounts",
)
def _(world: Local) -> None:
    folder = world.at(world.home / "tokens" / "token.json").parent
    world.mounts = [["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", str(folder)]]


@local_fault(
    "the folder is mounted read-only",
    *("place.mount", "error", "is mounted read-only", "remount,rw"),
    needs="mounts",
    others=("store.save", "store.lock"),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    folder = path.parent
    world.save()
    locked_once(world, path)
    world.mounts = [
        ["mount", "--bind", str(folder), str(folder)],
        ["mount", "-o", "remount,bind,ro", str(folder)],
    ]


@local_fault(
    "the token file is a mount of its own, as of `docker run -v ./token.json:/data/token.json`",
    *("place.mount", "warning", "is a mount of its own", "Mount the folder .*, not the file"),
    needs="mounts",
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    host = world.folder / "token.json"
    host.write_bytes(path.read_bytes())
    host.chmod(0o600)
    world.mounts = [["mount", "--bind", str(host), str(path)]]


@local_fault(
    "the token file is mounted, and read-only",
    *("place.mount", "error", "token.json is mounted read-only", ":ro"),
    needs="mounts",
    others=("store.save",),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    world.mounts = [
        ["mount", "--bind", str(path), str(path)],
        ["mount", "-o", "remount,bind,ro", str(path)],
    ]


@local_fault(
    "what is stored is cut off",
    *("store.read", "error", "does not hold a token", "flex-sdk token remove"),
    others=UNREAD[1:],
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@local_fault(
    "a newer version wrote what is stored",
    *("store.read", "error", "newer version", "Upgrade"),
    others=(*UNREAD[1:], "store.save"),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    content = json.loads(path.read_text())
    content["flex_tokenstore"]["format"] = 99
    path.write_text(json.dumps(content))


@local_fault(
    "another client's token is stored at that path",
    *("store.read", "error", "not a token of", "another path|profile"),
    others=UNREAD[1:],
)
def _(world: Local) -> None:
    world.at(world.home / "tokens" / "token.json")
    mine = world.environ[f"{PREFIX}CLIENT_ID"]
    world.environ[f"{PREFIX}CLIENT_ID"] = "another-client"
    world.save()
    world.environ[f"{PREFIX}CLIENT_ID"] = mine


def encrypted(world: Local) -> Path:
    """The store ``encrypted`` over a file, with a key in a file of its own."""

    path = world.home / "tokens" / "token.json"
    path.parent.mkdir(mode=0o700)
    key = world.home / "token.key"
    new_key(key)
    world.choose("encrypted", inner__name="file", inner__path=path, key_file=key)
    return key


def new_key(path: Path) -> None:
    command = [sys.executable, "-m", "flex_tokenstore_encrypted", "new-key", str(path)]
    subprocess.run(command, check=True, capture_output=True)


@local_fault(
    "the token is encrypted with another key",
    *("store.read", "error", "encrypted with the key", "Add the missing key"),
    others=UNREAD[1:],
)
def _(world: Local) -> None:
    key = encrypted(world)
    world.save()
    key.unlink()
    new_key(key)


@local_fault(
    "the file with the key of `encrypted` is missing",
    *("store.open", "error", "token.key", "KEY_FILE.*new-key"),
    others=(*UNREAD, "store.save", "store.lock", "store.encryption"),
)
def _(world: Local) -> None:
    key = encrypted(world)
    world.save()
    key.unlink()


@local_fault(
    "an encrypted token is read without its key",
    *("store.read", "error", "another store wrapped", f"{STORE}=encrypted"),
    others=(*UNREAD[1:], "store.save"),
)
def _(world: Local) -> None:
    encrypted(world)
    world.save()
    path = world.environ.pop(f"{STORE}__INNER__PATH")
    for name in [name for name in world.environ if name.startswith(STORE)]:
        del world.environ[name]
    world.choose("file", path=path)


@local_fault(
    "the access token has expired, without a refresh token and without a client secret",
    *("token.expiry", "error", "expired 2 hours ago", "--client-secret-file"),
)
def _(world: Local) -> None:
    world.save(age=3 * 3600, lives=3600, refresh_token=None)
    del world.environ[f"{PREFIX}CLIENT_SECRET"]


@local_fault(
    "the token was obtained in the future: a clock is wrong",
    *("token.age", "warning", "in the future", "clock"),
)
def _(world: Local) -> None:
    world.save(age=-3600)


@local_fault(
    "the token was not refreshed for 45 days",
    *("token.age", "warning", "45 days ago", "--online"),
)
def _(world: Local) -> None:
    world.save(age=45 * 86400)


HOLDER = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@local_fault(
    "another program holds the token lock, and hangs",
    *("store.lock", "warning", "The process \\d+ \\(python.*, which has run", "process \\d+"),
    others=("store.save",),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    lock = locked_once(world, path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    world.stack.enter_context(holder)
    world.stack.callback(holder.kill)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    world.arguments = ["--timeout", "0.5"]


@local_fault(
    "a folder is where the token file should be",
    *("store.read", "error", "is not an ordinary file", "FLEX_INTEGRATION_TOKEN_STORE__PATH"),
    others=(*UNREAD[1:], "store.save"),
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    path.mkdir(mode=0o700)


@local_fault(
    "the folder of the SQLite database does not exist",
    *("place.rights", "error", "does not exist, and this token store does not make it"),
    "mkdir -p -m 700",
    others=("store.latency", "store.lock", "store.save", "token.age", "token.expiry"),
)
def _(world: Local) -> None:
    world.choose("sql", url=f"sqlite:///{world.home}/data/tokens.db")


@local_fault(
    "the url of `sql` names a file that is not an SQLite database",
    *("store.read", "error", "not an SQLite database", "TOKEN_STORE__URL"),
    others=(*UNREAD[1:], "store.save"),
)
def _(world: Local) -> None:
    database = world.home / "tokens.db"
    database.write_bytes(b"this is no database at all" * 100)
    database.chmod(0o600)
    world.choose("sql", url=f"sqlite:///{database}")


PLUGIN = """
import contextlib
import time
from pathlib import Path
from dataclasses import dataclass
from flex_tokenstore import TokenPermissionError, hookimpl

class Store:
    '''A store for tests.'''

    @dataclass(kw_only=True)
    class Options:
        pass

    place = "vega"

    def __init__(self, options, identity):
        pass

    @hookimpl
    def get_token(self):
        GET

    @hookimpl
    def set_token(self, token):
        pass

    @hookimpl
    def remove_token(self):
        pass

    @hookimpl
    def prepare_save(self):
        PREPARE

    @hookimpl
    @contextlib.contextmanager
    def token_lock(self, wait, lease):
        yield None
"""


def plugin(world: Local, get: str = "pass", prepare: str = "pass") -> None:
    """Chooses a store that was installed as a plugin; its lock keeps nobody out."""
    source = PLUGIN.replace("GET", get).replace("PREPARE", prepare)
    install(world.folder / "site", "vega-store", "vega = vega_store:Store", vega_store=source)
    world.environ["PYTHONPATH"] = str(world.folder / "site")
    world.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    world.choose("vega")


@local_fault(
    "the store's lock keeps nobody out",
    *("store.lock", "error", "acquired twice at the same time", "whose lock works"),
)
def _(world: Local) -> None:
    plugin(world)


@local_fault(
    "the store is slow",
    *("store.latency", "warning", "takes \\d+.\\d+ ms, which makes", "nearer"),
    others=("store.lock",),
)
def _(world: Local) -> None:
    plugin(world, get="time.sleep(0.6)")


@local_fault(
    "the store hangs",
    *("store.read", "error", "did not end within", "does not answer.*--timeout"),
    others=("store.lock",),
)
def _(world: Local) -> None:
    plugin(world, get="time.sleep(60)")
    world.arguments = ["--timeout", "0.5"]


@local_fault(
    "the store refuses each save",
    *("store.save", "error", "vega is read-only for this user", "Give this user the right"),
    others=("store.lock",),
)
def _(world: Local) -> None:
    plugin(world, prepare="raise TokenPermissionError('vega is read-only for this user')")


@local_fault(
    "the token file is marked as unchangeable",
    *("store.save", "error", "marked as unchangeable", "chattr -i -a"),
    needs="chattr",
)
def _(world: Local) -> None:
    path = world.at(world.home / "tokens" / "token.json")
    world.save()
    subprocess.run(["chattr", "+i", str(path)], check=True)
    world.stack.callback(lambda: subprocess.run(["chattr", "-i", str(path)], check=True))
