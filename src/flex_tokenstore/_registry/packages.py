"""Which of our own packages brings a store that is not installed: one table."""

from __future__ import annotations

import sys
from typing import NamedTuple

__all__ = ["PACKAGES", "advice", "meant"]


class Package(NamedTuple):
    """What to install for a store."""

    distribution: str
    also: dict[str, str]
    """What users call the store, in lower case, each with the extra that it needs; "": none, or
    any of them."""
    extras: tuple[str, ...] = ()
    """One of them is needed."""

    def command(self, name: str) -> str:
        """What installs it, from what the user called the store.

        From a clone: nothing of ours is on an index, where its name may be somebody else's.
        """
        wanted = self.also.get(_normal(name))
        first, *others = (wanted,) if wanted else self.extras or ("",)
        folder = f"./plugins/{self.distribution}"
        choice = f" (or {', or '.join(f'[{extra}]' for extra in others)})" if others else ""
        target = f"'{folder}[{first}]'" if first else folder
        return f"python -m pip install . {target}{choice}"


PACKAGES = {
    "encrypted": Package(
        "flex-tokenstore-encrypted",
        dict.fromkeys(
            (
                *("encrypt", "encryption", "encrypted-file", "encrypted-redis", "crypt", "crypto"),
                *("cipher", "sealed", "aes", "aes-gcm", "aes-256-gcm", "chacha20-poly1305"),
                *("cryptography", "fernet"),
            ),
            "",
        ),
    ),
    "keyring": Package(
        "flex-tokenstore-keyring",
        dict.fromkeys(
            (
                *("keychain", "macos-keychain", "credential-manager", "credentials", "wincred"),
                *("winvault", "windows-credential-manager", "secret-service", "secretservice"),
                *("libsecret", "gnome-keyring", "kwallet", "system-keyring", "os-keyring"),
                *("keyrings", "keyring-store", "seahorse", "keepassxc"),
            ),
            "",
        ),
    ),
    "redis": Package(
        "flex-tokenstore-redis",
        dict.fromkeys(
            ("valkey", "rediss", "redis-cluster", "redis-sentinel", "elasticache", "memorystore"),
            "",
        ),
    ),
    "sql": Package(
        "flex-tokenstore-sql",
        {
            **dict.fromkeys(("database", "db", "sqlalchemy"), ""),
            **dict.fromkeys(("sqlite", "sqlite3", "aiosqlite"), "sqlite"),
            **dict.fromkeys(
                ("postgresql", "postgres", "pgsql", "pg", "psycopg", "psycopg2", "asyncpg"),
                "postgresql",
            ),
            **dict.fromkeys(("mysql", "mariadb", "pymysql", "aiomysql"), "mysql"),
        },
        ("postgresql", "mysql", "sqlite"),
    ),
    "vault": Package(
        "flex-tokenstore-vault",
        dict.fromkeys(
            ("hashicorp", "hashicorp-vault", "openbao", "bao", "kv", "kv2", "vault-kv2"), ""
        ),
    ),
    "vault-kv1": Package("flex-tokenstore-vault", {"kv1": ""}),
}
"""Our plugins, by the name of the store."""


def meant(name: str) -> str | None:
    """The store of ours that is called ``name``, or is meant by it; None if none is."""
    wanted = _normal(name)
    for store, package in PACKAGES.items():
        if wanted == store or wanted in package.also:
            return store
    return None


def advice(store: str, written: str) -> str:
    """How to install a store of ours.

    Args:
        store: Its name.
        written: What the user called it, which may tell which extra it needs.
    """
    package = PACKAGES[store]
    if is_frozen():
        return (
            f"{store!r} is in the package {package.distribution}: add it to the frozen program, "
            f"and register its class there with register_store({store!r}, …)"
        )
    return (
        f"{store!r} is in the package {package.distribution}, which is not installed in the "
        "environment of this program; from the root of a clone of the project: "
        f"{package.command(written)}"
    )


def is_frozen() -> bool:
    """Whether PyInstaller, cx_Freeze or the like made one program of Python and its packages."""
    # Nuitka sets no sys.frozen, but this name in each module that it compiled.
    return bool(getattr(sys, "frozen", False)) or "__compiled__" in globals()


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-")
