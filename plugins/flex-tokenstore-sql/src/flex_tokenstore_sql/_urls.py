"""The url: what it names, and whether it can be read in two ways.

A password that is not percent-encoded makes two readings, and one shows the password. SQLAlchemy
ends the password at the first ``@``, the standard for urls (RFC 3986) ends user and password at the
last ``@`` before the first ``/``, ``?`` or ``#``. A url that both read alike is clear; of any
other, no part may be shown as host or database.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from flex_tokenstore import Secret

from ._options import BACKENDS, SQLITE, Options, split_parameters

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

SYNC = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql", SQLITE: "pysqlite"}
ASYNC = {**SYNC, "mysql": "aiomysql", "mariadb": "aiomysql", SQLITE: "aiosqlite"}
PROBLEM = (
    "may contain a password that is not percent-encoded, which makes the url ambiguous; no "
    "connection was made, and no part of the url is shown. In the password, write @ as %40, / as "
    "%2F, ? as %3F, # as %23, : as %3A and % as %25, or omit the password from the url and set the "
    "option password. Write an @ after the host as %40 too"
)
_is_pair = re.compile(r"[\w.-]+=[^=]*").fullmatch
_split_host = re.compile(r"(\[[^\]]*\]|[^:]*)(:.*)?").fullmatch


def url_of(options: Options) -> Secret[URL]:
    """The url as SQLAlchemy reads it. Parameters may be secrets too, and a URL shows them.

    Raises:
        StoreOptionsError: It cannot be used.
    """
    url = _parsed(spelled_out(options.url or Secret("")))
    backend = url.reveal().get_backend_name()
    check_backend(backend)
    ours = {f"{backend}+{kind[backend]}" for kind in (SYNC, ASYNC)}
    if (name := url.reveal().drivername) != backend and name not in ours:
        raise Options.wrong(
            "url",
            f"names the driver {name!r:.60}; this store uses {' or '.join(sorted(ours))}: start "
            f"the url with {backend}://",
        )
    if backend != SQLITE:
        user = options.username
        return url if user is None else Secret(url.reveal().set(username=user))
    if is_in_memory(url.reveal()):
        raise Options.wrong("url", "must name a file; for memory only, choose the store 'memory'")
    if is_uri(url.reveal().database):
        raise Options.wrong("url", "takes the path of a file, no 'file:' URI: sqlite:////full/path")
    # Now: a program may change its current directory, and connections are made later, too.
    file = os.path.abspath(os.path.expanduser(str(url.reveal().database)))  # noqa: PTH100, PTH111 - without an error
    return Secret(url.reveal().set(database=file))


def check_backend(name: str) -> None:
    """Raises unless the database is one that this store knows."""
    if name not in BACKENDS:
        known = ", ".join(BACKENDS)
        raise Options.wrong("url", f"must start with one of {known}, not with {name!r}")


def address_of(url: URL) -> str:
    """The database, for people: without user and password. Parameters may name host and port."""
    if (file := sqlite_path(url)) is not None:
        return file
    hosts = _list(url.query.get("host") or url.query.get("unix_socket") or url.host or "localhost")
    ports = _list(url.query.get("port") or str(url.port or "")) or [""]
    if len(ports) < len(hosts):
        ports = [ports[0]] * len(hosts)
    database = url.query.get("dbname") or url.database or ""
    where = (f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=False))
    return f"{','.join(where)}/{database}"


def sqlite_path(url: URL) -> str | None:
    """The file of an SQLite database, by the one name that all have for it: without links."""
    path: str | None = url.database
    if path is None or url.get_backend_name() != SQLITE:
        return None
    return os.path.realpath(unquote(urlsplit(path).path) if is_uri(path) else path)


def is_uri(path: str | None) -> bool:
    """A URI instead of a path."""
    return path is not None and path.startswith("file:")


def is_in_memory(url: URL) -> bool:
    """An SQLite database that no other process shares."""
    return url.database in (None, "", ":memory:") or url.query.get("mode") == "memory"


def spelled_out(raw: Secret[str]) -> Secret[str]:
    """With the hosts of ``postgresql://host:1,host:2/db`` as parameters, as SQLAlchemy has them."""
    scheme, colon, rest = map(Secret, raw.reveal().partition("://"))
    authority, tail = _split(rest)
    account, at, address = map(Secret, authority.reveal().rpartition("@"))
    if "," not in address.reveal() or not scheme.reveal().startswith("postgresql"):
        return raw
    path, _, query = map(Secret, tail.reveal().partition("?"))
    hosts = "&".join(f"host={host}" for host in address.reveal().split(","))
    return Secret(
        f"{scheme.reveal()}{colon.reveal()}{account.reveal()}{at.reveal()}{path.reveal() or '/'}"
        f"?{hosts}{'&' if query else ''}{query.reveal()}"
    )


def _split(rest: Secret[str]) -> tuple[Secret[str], Secret[str]]:
    """User, password and hosts; and what comes after them."""
    authority = Secret(re.split("[/?#]", rest.reveal(), maxsplit=1)[0])
    return authority, Secret(rest.reveal()[len(authority.reveal()) :])


def _sqlite_url(raw: Secret[str]) -> URL | None:
    """Made without SQLAlchemy's parser, which would end the path at a ``?``."""
    from sqlalchemy import make_url

    scheme, _, rest = raw.reveal().partition("://")
    if scheme.partition("+")[0] != SQLITE or not rest.startswith("/"):
        return None
    path, parameters = split_parameters(rest[1:])
    return make_url(f"{scheme}:///?{parameters}").set(database=path)


def _list(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value
    return [part for each in parts for part in each.split(",") if part]


def _parsed(raw: Secret[str]) -> Secret[URL]:
    import sqlalchemy

    with suppress(Exception):  # its error quotes the text, password and all
        return Secret(_sqlite_url(raw) or sqlalchemy.make_url(raw.reveal()))
    raise Options.wrong(
        "url",
        "is not a URL such as postgresql://user@host/database; a password in it must be "
        "percent-encoded, or set the option password",
    )


def is_doubtful(given: Secret[str]) -> bool:
    """Whether the url can be read in two ways."""
    raw = spelled_out(given)
    parsed = _parsed(raw)
    # An SQLite url has no password, and a path may contain an @.
    if parsed.reveal().get_backend_name() == "sqlite":
        return False
    rest = Secret(raw.reveal().partition("://")[2])
    authority, after = _split(rest)
    account, _, address = map(Secret, authority.reveal().rpartition("@"))
    user, colon, password = map(Secret, account.reveal().partition(":"))
    found = _split_host(address.reveal())
    host = found.group(1).strip("[]") if found is not None else None
    readings_differ = Secret((unquote(user.reveal()), unquote(password.reveal()), host)) != Secret(
        (parsed.reveal().username or "", parsed.reveal().password or "", parsed.reveal().host or "")
    )
    stray = "@" in password.reveal() or (bool(colon) and _has_stray_at(after))
    return readings_differ or stray


def is_read_wrongly(parsed: Secret[URL]) -> bool:
    """Whether that of the program's own engine has a part of the password as host or database."""
    url = parsed.reveal()
    return "@" in (url.host or "") or (url.password is not None and "@" in (url.database or ""))


def _has_stray_at(after: Secret[str]) -> bool:
    """An ``@`` behind the host, which may be where the password really ends."""
    path, _, query = after.reveal().partition("?")
    if "@" in path or "@" not in query:
        return "@" in path
    # Parameters with an @, as in ?application_name=me@box, are common enough to be taken.
    pairs = all(_is_pair(pair) for pair in query.split("&"))
    return path in ("", "/") or not pairs or "/" in query.rpartition("@")[2]
