"""Where the server is and how it is reached: the options, and the address in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from flex_tokenstore import Secret
from flex_tokenstore.records import RemoteOptions, doc

STORE = "redis"
_NOT_ENCODED = (
    "may contain a password that is not percent-encoded, which makes the url ambiguous. In the "
    "password, write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25, or omit it from the url "
    "and set the option password. For a socket, the url is unix:///run/redis.sock"
)
_DEFAULT_URL = "redis://localhost:6379/0"
# Sentinel's default port.
_SENTINEL_PORT = 26379


@dataclass(kw_only=True)
class Options(RemoteOptions):
    """Which server, and under which keys."""

    store: ClassVar[str] = STORE

    url: Secret[str] = field(
        default=Secret(_DEFAULT_URL),
        metadata=doc(
            f"redis://, rediss:// (TLS) or unix://, as [user:password@]host:port/db; by default "
            f"{_DEFAULT_URL}"
        ),
    )
    prefix: str = field(
        default="flex-tokenstore:", metadata=doc("prefix of all keys; without braces")
    )
    cluster: bool = field(default=False, metadata=doc("the url is a node of a Redis Cluster"))
    sentinels: tuple[str, ...] = field(
        default=(), metadata=doc("host:port of each Sentinel; the url's host is not used then")
    )
    service_name: str = field(
        default="", metadata=doc("what the Sentinels call the primary, such as mymaster")
    )
    sentinel_username: str | None = field(default=None, metadata=doc("ACL user of the Sentinels"))
    sentinel_password: Secret[str] | None = field(
        default=None, metadata=doc("password of the Sentinels")
    )
    client: Any = field(
        default=None,
        repr=False,
        metadata=doc("the program's own redis-py client or pool; the store does not close it"),
    )

    def __post_init__(self) -> None:
        """Says what is wrong before anything is sent."""
        address = parse(self.url)
        if isinstance(address, str):
            raise self.wrong("url", address)
        if "{" in self.prefix or "}" in self.prefix:
            raise self.wrong(
                "prefix",
                f"must not contain braces: they would split the keys of a Cluster; got "
                f"{self.prefix!r:.80}",
            )
        if self.client is not None and (
            self.cluster or self.sentinels or self.url != Secret(_DEFAULT_URL)
        ):
            raise self.wrong("client", "has its own server: omit url, cluster and sentinels")
        names = ("username", "password", "password_file", "sentinel_username", "sentinel_password")
        for name in names if self.client is not None else ():
            if getattr(self, name) is not None:
                raise self.wrong(name, "can only be set with url; a client has its own")
        if self.sentinel_password is not None and not self.sentinels:
            raise self.wrong("sentinel_password", "needs the option sentinels")
        if bool(self.sentinels) != bool(self.service_name):
            raise self.wrong("service_name", "and the option sentinels must be set together")
        if any(isinstance(parse_sentinel(text), str) for text in self.sentinels):
            raise self.wrong("sentinels", "must be a list of host:port, separated by commas")
        if self.cluster and (self.sentinels or address.path or address.db):
            raise self.wrong(
                "cluster",
                "cannot be combined with sentinels, with unix://, or with a db other than 0",
            )
        if self.sentinels and address.path:
            raise self.wrong("sentinels", "cannot be combined with unix://")
        self.check_connection(tls=address.tls, needs="the url must start with rediss://")

    @property
    def tls(self) -> bool:
        """The url is rediss://."""
        address = parse(self.url)
        return isinstance(address, Address) and address.tls

    @property
    def server(self) -> str:
        """The server, for people."""
        if self.client is not None:
            return "a client of the program's own,"
        if self.sentinels:
            return f"sentinels {','.join(self.sentinels)} service {self.service_name},"
        return str(parse(self.url))


class Address(NamedTuple):
    """A server's address; its ``str`` is for people and holds no user and no password."""

    host: str
    port: int
    db: int
    path: str
    tls: bool
    username: str | None
    password: Secret[str] | None

    def __str__(self) -> str:
        return f"unix://{self.path}?db={self.db}" if self.path else f"{self.server}/{self.db}"

    @property
    def server(self) -> str:
        """The url without a database."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' if self.tls else ''}://{host}:{self.port}"


def parse(url: Secret[str]) -> Address | str:
    """The address; or what is wrong with the URL, which may hold a password: not quoted."""
    # First: urlsplit would read a part of such a password as port, path or query.
    if _is_doubtful(url):
        return _NOT_ENCODED
    try:
        parts = urlsplit(url.reveal().strip())
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        unix = parts.scheme == "unix"
        db = int(query.pop("db", "") or ("0" if unix else parts.path.strip("/") or "0"))
        address = Address(
            "" if unix else unquote(parts.hostname or "localhost"),
            0 if unix else parts.port or 6379,
            db,
            unquote(parts.path) if unix else "",
            parts.scheme == "rediss",
            unquote(parts.username) if parts.username else None,
            Secret(unquote(parts.password)) if parts.password else None,
        )
    except ValueError:
        # The parser's own text quotes the port, which may be the end of a password.
        return "has a port or a database that is not a number"
    if parts.scheme not in ("redis", "rediss", "unix"):
        return "must start with redis://, rediss:// or unix://"
    if unix and not address.path:
        return "must name a socket: unix:///run/redis.sock"
    if query or parts.fragment:
        return "takes no query parameter except db; set everything else as an option"
    return address if db >= 0 else "must not have a negative database number"


def _is_doubtful(url: Secret[str]) -> bool:
    """Whether a part of a password may be read as host, database or socket."""
    scheme, _, rest = map(Secret, url.reveal().strip().partition("://"))
    authority = Secret(re.split("[/?#]", rest.reveal(), maxsplit=1)[0])
    after = Secret(rest.reveal()[len(authority.reveal()) :])
    if scheme.reveal() != "unix":
        # After the host there is a number. A password may contain an @: it ends at the last one.
        return "@" in after.reveal()
    account, at, host = map(Secret, authority.reveal().rpartition("@"))
    return bool(host) or (bool(at) and ":" in account.reveal() and "@" in after.reveal())


def parse_sentinel(text: str) -> tuple[str, int] | str:
    """Host and port of one Sentinel, or what is wrong."""
    try:
        parts = urlsplit(f"//{text.strip()}")
        host, port = parts.hostname, parts.port or _SENTINEL_PORT
    except ValueError:
        return "its port is not a number"
    return (host, port) if host and parts.netloc == text.strip() and "@" not in text else "no host"
