"""Which database, and which table in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flex_tokenstore import Secret, StoreOptionsError

STORE = "sql"
_SCHEMES = ("postgresql", "mysql", "mariadb", "sqlite")
_SQLITE = "sqlite"
_is_name = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,50}").fullmatch


def _doc(text: str) -> dict[str, str]:
    return {"doc": text}


def _sqlite_file(url: Secret[str]) -> str | None:
    """The path in the url of an SQLite database: the framework looks at it as at other paths."""
    scheme, _, rest = url.reveal().partition("://")
    if scheme.partition("+")[0] != _SQLITE or not rest.startswith("/"):
        return None
    path = rest[1:].partition("?")[0]
    return None if path in ("", ":memory:") or path.startswith("file:") else path


@dataclass(kw_only=True)
class Options:
    """Where the table is, and how long a response may take."""

    url: Secret[str] | None = field(
        default=None,
        metadata={
            **_doc(
                "postgresql://user:password@host/database, mysql://…, mariadb://… or "
                "sqlite:////full/path.db"
            ),
            "path": _sqlite_file,
        },
    )
    password: Secret[str] | None = field(
        default=None, metadata=_doc("password; overrides the one in the url")
    )
    table: str = field(default="flex_tokens", metadata=_doc("name of the table"))
    schema: str | None = field(default=None, metadata=_doc("schema of the table"))
    create_table: bool = field(
        default=True,
        metadata=_doc(
            "create the table if it is missing; if off, the error shows the statement to run"
        ),
    )
    timeout: float = field(
        default=5.0, metadata=_doc("seconds to wait for a connection, and for a response")
    )
    engine: Any = field(
        default=None,
        repr=False,
        metadata=_doc(
            "the program's own SQLAlchemy Engine or AsyncEngine; the store does not close it"
        ),
    )

    def __post_init__(self) -> None:
        """Says what is wrong before anything is sent."""
        if (self.url is None) == (self.engine is None):
            raise wrong("url", "or the option engine must be set, but not both")
        if self.engine is not None and self.password is not None:
            raise wrong("password", "can only be set with url; an engine has its own password")
        for name in ("table", "schema"):
            value = getattr(self, name)
            if value is not None and not _is_name(value):
                raise wrong(
                    name, f"takes letters, digits and underscores, at most 51; got {value!r:.80}"
                )
        if not 0 < self.timeout <= 3600:
            raise wrong(
                "timeout",
                f"must be a number of seconds above 0 and at most 3600; got {self.timeout:g}",
            )


def wrong(option: str, problem: str) -> StoreOptionsError:
    """An option that cannot be used; the message holds no value."""
    return StoreOptionsError(
        f"option {option} of the store {STORE!r} {problem}", option=option, store=STORE
    )


def check_backend(name: str) -> None:
    """Raises unless the database is one that this store knows."""
    if name not in _SCHEMES:
        known = ", ".join(_SCHEMES)
        raise wrong("url", f"must start with one of {known}, not with {name!r}")
