"""Which database, and which table in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from flex_tokenstore import Secret
from flex_tokenstore.records import RemoteOptions, doc

STORE = "sql"
SQLITE = "sqlite"
_URL = "postgresql://user:password@host/db, mysql://…, mariadb://… or sqlite:////full/path.db"
BACKENDS = ("postgresql", "mysql", "mariadb", SQLITE)
_is_name = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,50}").fullmatch
_are_parameters = re.compile(r"\w+=[^&]*(&\w+=[^&]*)*").fullmatch


def split_parameters(rest: str) -> tuple[str, str]:
    """The path of an SQLite url, and the parameters after it; a path may contain a ``?``."""
    path, mark, parameters = rest.rpartition("?")
    return (path, parameters) if mark and _are_parameters(parameters) else (rest, "")


def _sqlite_file(url: Secret[str]) -> str | None:
    """The path in the url of an SQLite database: the framework looks at it as at other paths."""
    scheme, _, rest = url.reveal().partition("://")
    if scheme.partition("+")[0] != SQLITE or not rest.startswith("/"):
        return None
    path, _ = split_parameters(rest[1:])
    return None if path in ("", ":memory:") or path.startswith("file:") else path


@dataclass(kw_only=True)
class Options(RemoteOptions):
    """Where the table is, and how it is reached."""

    store: ClassVar[str] = STORE

    url: Secret[str] | None = field(
        default=None,
        metadata={**doc(_URL), "path": _sqlite_file},
    )
    table: str = field(default="flex_tokens", metadata=doc("name of the table"))
    schema: str | None = field(default=None, metadata=doc("schema of the table"))
    create_table: bool = field(
        default=True,
        metadata=doc(
            "create the table if it is missing; if off, the error shows the statement to run"
        ),
    )
    engine: Any = field(
        default=None,
        repr=False,
        metadata=doc(
            "the program's own SQLAlchemy Engine or AsyncEngine; the store does not close it"
        ),
    )

    def __post_init__(self) -> None:
        """Says what is wrong before anything is sent."""
        if (self.url is None) == (self.engine is None):
            raise self.wrong("url", "or the option engine must be set, but not both")
        for name in (each.name for each in fields(RemoteOptions) if each.default is None):
            if self.engine is not None and getattr(self, name) is not None:
                raise self.wrong(name, "can only be set with url; an engine has its own")
        for name in ("table", "schema"):
            value = getattr(self, name)
            if value is not None and not _is_name(value):
                raise self.wrong(
                    name, f"takes letters, digits and underscores, at most 51; got {value!r:.80}"
                )
        is_file = self.url is not None and self.url.reveal().startswith(SQLITE)
        for name in ("username", "password", "password_file"):
            if is_file and getattr(self, name) is not None:
                raise self.wrong(name, "is for servers only: an SQLite file has no user")
        self.check_connection(
            tls=not is_file, needs="the url must name PostgreSQL, MySQL or MariaDB"
        )

    @property
    def full_table(self) -> str:
        """The table, for people."""
        return self.table if self.schema is None else f"{self.schema}.{self.table}"
