"""Whose token it is."""

from __future__ import annotations

import hashlib
import json
import re
from urllib.parse import urlsplit

from .host_program import NOBODY, HostProgram

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FOLDER = re.compile(r"(?!\.+$)[^/\\:\x00-\x1f]+")  # else files would be in a folder of others
_SLUG_LENGTH = 24  # characters of the client id, for people
_DIGEST_LENGTH = 16  # hexadecimal digits; with it the longest key has 41 characters


class TokenIdentity:
    """Whose token it is: the client, server, scopes and profile. A store keeps one token for each.

    Two identities are equal if their normalised fields are equal: scheme and host of ``base_url``
    in lower case, without its default port and trailing slashes; the scopes sorted.

    Args:
        base_url: Address of the server that issues the token, such as
            ``"https://api.example.com"``.
        client_id: The OAuth client id.
        scope: Scopes, separated by blanks (RFC 6749 section 3.3).
        profile: A name of your own that keeps several tokens of one client apart.
        program: The program that asks, if it embeds the framework: its folder and what messages
            name. Not a part of the identity: it counts neither for ``==`` nor for :attr:`key`.

    Raises:
        ValueError: ``base_url`` is not an absolute http or https URL, or has a user, a query or a
            fragment; or ``client_id`` or ``profile`` is empty; or a value cannot be encoded in
            UTF-8; or ``program.folder`` is not a name.
        TypeError: A value is not a string.
    """

    __slots__ = ("_key", "base_url", "client_id", "profile", "program", "scope")

    base_url: str
    client_id: str
    scope: str
    profile: str
    program: HostProgram
    _key: str

    def __init__(
        self,
        base_url: str,
        client_id: str,
        scope: str = "",
        profile: str = "default",
        program: HostProgram = NOBODY,
    ) -> None:
        given = {"base_url": base_url, "client_id": client_id, "scope": scope, "profile": profile}
        for name, value in given.items():
            if not isinstance(value, str):
                raise TypeError(f"{name} must be a string, got {type(value).__name__}")
        if not isinstance(program, HostProgram):
            raise TypeError(f"program must be a HostProgram, got {type(program).__name__}")
        if not isinstance(program.folder, str) or not _FOLDER.fullmatch(program.folder):
            raise ValueError(f"program.folder must be the name of a folder, got {program.folder!r}")
        if not client_id:
            raise ValueError("client_id must be provided")
        if not profile:
            raise ValueError("profile must not be empty; omit it for the default profile")
        fields = {
            "base_url": normalise_url(base_url),
            "client_id": client_id,
            "profile": profile,
            # The order of scopes means nothing (RFC 6749 section 3.3).
            "scope": " ".join(sorted(set(scope.split()))),
        }
        for name, value in fields.items():
            if any("\ud800" <= letter <= "\udfff" for letter in value):
                # So Python reads bytes of the environment that do not fit its encoding.
                raise ValueError(
                    f"{name} contains bytes that cannot be decoded; check that the locale is UTF-8"
                )
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "program", program)
        object.__setattr__(self, "_key", _key_of(fields))

    @property
    def key(self) -> str:
        """Names this identity in file names, Redis keys and Vault paths.

        A lower-case slug of the client id (24 characters at most), a dash, and 16 hexadecimal
        digits of the SHA-256 of the normalised fields as canonical JSON (RFC 8785). A wire
        format: the test vectors are in ``docs/formats.md``.
        """
        return self._key

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenIdentity) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __reduce__(self) -> tuple[type[TokenIdentity], tuple[str | HostProgram, ...]]:
        return TokenIdentity, (*self._fields(), self.program)

    def __repr__(self) -> str:
        return (
            f"TokenIdentity(base_url={self.base_url!r}, client_id={self.client_id!r}, "
            f"scope={self.scope!r}, profile={self.profile!r})"
        )

    def _fields(self) -> tuple[str, ...]:
        return (self.base_url, self.client_id, self.scope, self.profile)


def normalise_url(url: str) -> str:
    """Returns a server's address in one spelling, as ``TokenIdentity.base_url`` has it.

    Scheme and host are in lower case, without the scheme's default port and the last slashes.

    Args:
        url: An absolute http or https URL; blanks around it do not belong to it.

    Raises:
        ValueError: It is not such a URL, or has a user, a query or a fragment. The message begins
            with ``base_url`` and does not quote the URL.
    """
    url = url.strip()
    if re.search(r"[\x00-\x20\x7f-\xa0]", url):  # urlsplit drops line ends and tabs
        raise ValueError("base_url contains a blank or a control character, such as a line end")
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed; its text may quote a password
        raise ValueError("base_url is not a URL: check its host and brackets") from None
    if parts.scheme.lower() not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("base_url must be an absolute URL that starts with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("base_url must not contain a user name or password")
    if parts.query or parts.fragment:
        raise ValueError("base_url must not have a query or a fragment")
    scheme, host = parts.scheme.lower(), parts.hostname.lower()
    # urlsplit takes the brackets off an IPv6 address.
    if ":" in host:
        host = f"[{host}]"
    try:
        # urlsplit looks at the port only when it is asked for it.
        port = parts.port
    except ValueError:
        raise ValueError("base_url has a port that is not a number from 0 to 65535") from None
    address = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    return f"{scheme}://{address}{parts.path.rstrip('/')}"


def _key_of(fields: dict[str, str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", fields["client_id"].lower()).strip("-")
    slug = slug[:_SLUG_LENGTH].rstrip("-") or "client"
    # For strings only, this is RFC 8785: sorted keys, no spaces, UTF-8, only necessary escapes.
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{slug}-{hashlib.sha256(canonical.encode()).hexdigest()[:_DIGEST_LENGTH]}"
