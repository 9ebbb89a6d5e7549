"""Planted faults of settings, secret, plugins and the choice of a store."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.plugins import GOOD, install

from .local import PREFIX, SECRETS, STORE, STRANGER, Local, local_fault

SKIPPED = (
    *("store.plugin", "store.open", "store.encryption", "store.read", "store.latency"),
    *("store.lock", "store.save", "place.owner", "place.rights", "place.disk"),
    *("place.filesystem", "place.mount", "token.present", "token.age", "token.expiry"),
)


@local_fault(
    "no client id",
    *("config.settings", "error", "--client-id is missing", f"{PREFIX}CLIENT_ID"),
    others=(*SKIPPED, "secret"),
)
def _(world: Local) -> None:
    del world.environ[f"{PREFIX}CLIENT_ID"]


@local_fault(
    "a variable's name is misspelt",
    *("config.settings", "error", "FLEX_INTEGRATION_CLIENTID is not known", f"{PREFIX}CLIENT_ID"),
    others=(*SKIPPED, "secret"),
)
def _(world: Local) -> None:
    world.environ[f"{PREFIX}CLIENTID"] = world.environ.pop(f"{PREFIX}CLIENT_ID")


@local_fault(
    "the server's address has no scheme",
    *(
        "config.settings",
        "error",
        "must start with https://",
        "Write https://api.example",
    ),
    others=(*SKIPPED, "secret"),
)
def _(world: Local) -> None:
    world.environ[f"{PREFIX}BASE_URL"] = "api.example.com"


@local_fault(
    "the server's address is plain http to another host",
    *("config.settings", "error", "is plain http", "Write https:// .*ALLOW_HTTP"),
    others=(*SKIPPED, "secret"),
)
def _(world: Local) -> None:
    world.environ[f"{PREFIX}BASE_URL"] = "http://api.example.com"


@local_fault(
    "a variable of a later version, which this one does not know",
    *("config.settings", "warning", "FLEX_INTEGRATION_COLOUR is not known", "FLEX_INTEGRATION_"),
)
def _(world: Local) -> None:
    world.environ[f"{PREFIX}COLOUR"] = "green"


@local_fault(
    "the file with the client secret does not exist",
    *("secret", "error", "No such file", "Create that file"),
)
def _(world: Local) -> None:
    del world.environ[f"{PREFIX}CLIENT_SECRET"]
    world.environ[f"{PREFIX}CLIENT_SECRET_FILE"] = str(world.home / "client-secret")


@local_fault(
    "the client secret is in quotes that no shell took off",
    *("secret", "error", "CLIENT_SECRET is in quotes", "CLIENT_SECRET without the quotes"),
)
def _(world: Local) -> None:
    world.environ[f"{PREFIX}CLIENT_SECRET"] = f'"{SECRETS["secret"]}"'


@local_fault(
    "the file with the client secret may not be read",
    *("secret", "error", "Permission denied", "chmod"),
    needs="modes",
)
def _(world: Local) -> None:
    del world.environ[f"{PREFIX}CLIENT_SECRET"]
    file = world.home / "client-secret"
    file.write_text(SECRETS["secret"])
    file.chmod(0)
    world.environ[f"{PREFIX}CLIENT_SECRET_FILE"] = str(file)
    world.is_powerless = True


@local_fault(
    "everybody can read the file with the client secret",
    *("secret", "warning", "Other users can read the file .*client-secret", "chmod 600"),
)
def _(world: Local) -> None:
    del world.environ[f"{PREFIX}CLIENT_SECRET"]
    file = world.home / "client-secret"
    file.write_text(SECRETS["secret"])
    file.chmod(0o644)
    world.environ[f"{PREFIX}CLIENT_SECRET_FILE"] = str(file)


@local_fault(
    "nothing is stored, and there is no client secret",
    *("secret", "error", "no client secret is configured", "--client-secret-file"),
)
def _(world: Local) -> None:
    del world.environ[f"{PREFIX}CLIENT_SECRET"]


@local_fault(
    "sudo keeps the home folder of the user who called it",
    *("user", "warning", "the home folder .* belongs to uid 54321", "sudo -H"),
    needs="root",
)
def _(world: Local) -> None:
    # As `sudo -E` leaves it: files go elsewhere, so that nothing else is wrong.
    for name in ("CONFIG", "STATE"):
        world.environ[f"XDG_{name}_HOME"] = str(world.folder / name.lower())
    os.chown(world.home, STRANGER, STRANGER)


@local_fault(
    "sudo looks at the files of root, not at those of its caller",
    *("user", "warning", "by sudo from 'mary'", "without sudo"),
    needs="root",
)
def _(world: Local) -> None:
    world.environ["SUDO_USER"] = "mary"


@local_fault(
    "HOME names a folder that does not exist",
    *("user", "warning", "cannot be used: No such file", "Set HOME"),
)
def _(world: Local) -> None:
    for name in ("CONFIG", "STATE"):
        world.environ[f"XDG_{name}_HOME"] = str(world.folder / name.lower())
    world.environ["HOME"] = str(world.folder / "gone")


AFTER_PLUGIN = tuple(id for id in SKIPPED if id != "store.plugin")


@local_fault(
    "the store's name is misspelt",
    *("store.plugin", "error", "no token store is named 'rediss'; did you mean 'redis'", STORE),
    others=AFTER_PLUGIN,
)
def _(world: Local) -> None:
    world.choose("rediss")


@local_fault(
    "an option of the store is misspelt",
    *("store.open", "error", "'pth'", f"{STORE}__PTH"),
    others=tuple(id for id in AFTER_PLUGIN if id != "store.open"),
)
def _(world: Local) -> None:
    world.choose("file", pth="/srv/token.json")


@local_fault(
    "two plugins claim the name of the store that is chosen",
    *("store.plugin", "error", "'vega'.*(vega-one|vega-two)", "Uninstall|FLEX_TOKENSTORE_BLOCK"),
    others=(*AFTER_PLUGIN, "plugins.duplicate"),
)
def _(world: Local) -> None:
    two_plugins(world)
    world.choose("vega")


@local_fault(
    "two plugins claim the name of a store that is not chosen",
    *("plugins.duplicate", "warning", "'vega' is claimed by vega-one 1.0 and by vega-two 1.0"),
    "pip uninstall vega-one|FLEX_TOKENSTORE_BLOCK",
)
def _(world: Local) -> None:
    two_plugins(world)


def two_plugins(world: Local) -> None:
    for number in ("one", "two"):
        folder = world.folder / f"site-{number}"
        install(folder, f"vega-{number}", f"vega = vega_{number}:Store", **{f"vega_{number}": GOOD})
    plugins_in(world, "site-one", "site-two")


def plugins_in(world: Local, *folders: str) -> None:
    world.environ["PYTHONPATH"] = os.pathsep.join(str(world.folder / each) for each in folders)
    world.environ["PYTHONDONTWRITEBYTECODE"] = "1"


@local_fault(
    "a plugin raises when it is imported",
    *("plugins.broken", "warning", "'vega' of vega-one cannot be loaded.*ZeroDivisionError"),
    "pip uninstall vega-one",
)
def _(world: Local) -> None:
    install(world.folder / "site", "vega-one", "vega = vega_one:Store", vega_one="1 / 0")
    plugins_in(world, "site")


@local_fault(
    "this user may not read the metadata of a plugin",
    *(
        "plugins.broken",
        "warning",
        "its metadata .* cannot be read by this user: permission denied",
    ),
    "the right to read it",
    needs="modes",
)
def _(world: Local) -> None:
    install(world.folder / "site", "vega-one", "vega = vega_one:Store", vega_one=GOOD)
    plugins_in(world, "site")
    (metadata,) = (world.folder / "site").glob("*.dist-info/METADATA")
    metadata.chmod(0)
    world.is_powerless = True


@local_fault(
    "the driver of a plugin is not installed",
    *("plugins.broken", "warning", "vega_driver", "Install what is missing"),
)
def _(world: Local) -> None:
    source = f"import vega_driver\n{GOOD}"
    install(world.folder / "site", "vega-one", "vega = vega_one:Store", vega_one=source)
    plugins_in(world, "site")


@local_fault(
    "a plugin was made for another version",
    *("plugins.broken", "warning", "'vega'.*flex-integration-sdk", "Install a version of vega-one"),
)
def _(world: Local) -> None:
    install(
        world.folder / "site",
        "vega-one",
        "vega = vega_one:Store",
        requires="flex-integration-sdk<0.0.1",
        vega_one=GOOD,
    )
    plugins_in(world, "site")


@local_fault(
    "a plugin takes the name of a built-in store",
    *("plugins.broken", "warning", "'file' of vega-one", "Uninstall it"),
)
def _(world: Local) -> None:
    install(world.folder / "site", "vega-one", "file = vega_one:Store", vega_one=GOOD)
    plugins_in(world, "site")


@local_fault(
    "the store that is chosen is blocked",
    *("store.plugin", "error", "'redis' of flex-tokenstore-redis.*blocked"),
    "FLEX_TOKENSTORE_BLOCK",
    others=AFTER_PLUGIN,
)
def _(world: Local) -> None:
    world.choose("redis", url="redis://127.0.0.1:1")
    world.environ["FLEX_TOKENSTORE_BLOCK"] = "flex-tokenstore-redis"


@local_fault(
    "the store must encrypt, and does not",
    *("store.encryption", "error", "would keep the token as plain text"),
    "encrypted.*FLEX_INTEGRATION_REQUIRE_ENCRYPTED",
)
def _(world: Local) -> None:
    world.environ[f"{PREFIX}REQUIRE_ENCRYPTED"] = "1"


@local_fault(
    "the store `memory` keeps nothing between programs",
    *("store.plugin", "warning", "only inside the program", f"{STORE}=file"),
)
def _(world: Local) -> None:
    world.choose("memory")


@local_fault(
    "the variables of the store are of another one than --store names",
    *("config.settings", "warning", "TOKEN_STORE__URL", "FLEX_INTEGRATION_TOKEN_STORE"),
)
def _(world: Local) -> None:
    world.choose("redis", url="redis://127.0.0.1:1")
    world.arguments = ["--store", "file"]


def config(world: Local, text: str, mode: int = 0o600) -> Path:
    """A config file with the client; its variables are unset."""
    folder = world.default_folder
    folder.mkdir(mode=0o700, parents=True)
    path = folder / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        world.environ.pop(f"{PREFIX}{name}", None)
    return path


NO_SETTINGS = (*SKIPPED, "secret", "config.settings")


@local_fault(
    "the config file is not TOML",
    *("config.file", "error", "config.toml is not TOML", "Correct line 2 of .*config.toml"),
    others=NO_SETTINGS,
)
def _(world: Local) -> None:
    config(world, "[profiles.default]\nclient_id = a-client\n")


@local_fault(
    "a key of the config file is misspelt",
    *("config.file", "error", "line 2: the key 'cliend_id'", "Write client_id in .*line 2"),
    others=NO_SETTINGS,
)
def _(world: Local) -> None:
    config(world, '[profiles.default]\ncliend_id = "a-client"\n')


@local_fault(
    "the config file has a secret, and others can read it",
    *("config.file", "error", "other users can read the file", "chmod 600"),
    others=NO_SETTINGS,
)
def _(world: Local) -> None:
    secret = SECRETS["secret"]
    text = f'[profiles.default]\nclient_id = "a-client"\nclient_secret = "{secret}"\n'
    config(world, text, 0o644)


@local_fault(
    "others can change the config file",
    *("config.file", "error", "can be changed by other users", "chmod go-w"),
    others=NO_SETTINGS,
)
def _(world: Local) -> None:
    config(world, '[profiles.default]\nclient_id = "a-client"\n', 0o666)


@local_fault(
    "the config file belongs to another user",
    *("config.file", "error", "belongs to another user, uid 54321", "Run it as that user"),
    needs="root",
    others=NO_SETTINGS,
)
def _(world: Local) -> None:
    os.chown(config(world, '[profiles.default]\nclient_id = "a-client"\n'), STRANGER, STRANGER)


@local_fault(
    "this user may not enter the folder of the config file, which is another user's",
    *("config.file", "error", "cannot be looked at: Permission denied.*belongs to uid 54321"),
    "Run it as the user .*chmod u\\+rwx .*FLEX_INTEGRATION_CONFIG",
    needs="root",
)
def _(world: Local) -> None:
    world.at(world.home / "tokens" / "token.json")
    folder = world.default_folder
    folder.mkdir(mode=0o700, parents=True)
    (folder / "config.toml").write_text('[profiles.default]\nclient_id = "a-client"\n')
    os.chown(folder, STRANGER, STRANGER)
    world.is_powerless = True
    del world.environ[f"{PREFIX}CLIENT_ID"]


@local_fault(
    "this user may not enter the folder of the config file, and a variable has the client id",
    *("config.file", "warning", "cannot be looked at: Permission denied.*belongs to uid 54321"),
    "Run it as the user .*FLEX_INTEGRATION_CONFIG",
    needs="root",
)
def _(world: Local) -> None:
    world.at(world.home / "tokens" / "token.json")
    folder = world.default_folder
    folder.mkdir(mode=0o700, parents=True)
    os.chown(folder, STRANGER, STRANGER)
    world.is_powerless = True


@local_fault(
    "FLEX_INTEGRATION_CONFIG names a file that does not exist",
    *("config.file", "error", "gone.toml does not exist", "FLEX_INTEGRATION_CONFIG"),
    others=NO_SETTINGS,
)
def _(world: Local) -> None:
    world.environ[f"{PREFIX}CONFIG"] = str(world.home / "gone.toml")


@local_fault(
    "the config file does not have the profile",
    *("config.settings", "error", "has no profile 'live'", "--profile"),
    others=(*SKIPPED, "secret"),
)
def _(world: Local) -> None:
    config(world, '[profiles.test]\nclient_id = "a-client"\n')
    world.environ[f"{PREFIX}PROFILE"] = "live"


@local_fault(
    "the config file misspells the store's name",
    *("store.plugin", "error", "no token store is named 'rediss'"),
    "Set token_store in .*config.toml, line 3, to redis",
    others=AFTER_PLUGIN,
)
def _(world: Local) -> None:
    text = '[profiles.default]\nclient_id = "a-client"\ntoken_store = "rediss"\n'
    config(world, text)
    world.environ[f"{PREFIX}CLIENT_SECRET"] = SECRETS["secret"]


@local_fault(
    "the config file names a file with the client secret that does not exist",
    *("secret", "error", "No such file", "correct client_secret_file in .*config.toml, line 3"),
)
def _(world: Local) -> None:
    text = '[profiles.default]\nclient_id = "a-client"\nclient_secret_file = "~/gone"\n'
    config(world, text)


@local_fault(
    "the command that prints the client secret fails",
    *("secret", "error", "no-such-program", "Run that program .*client_secret_cmd"),
)
def _(world: Local) -> None:
    command = 'client_secret_cmd = ["no-such-program", "read"]'
    config(world, f'[profiles.default]\nclient_id = "a-client"\n{command}\n')
