"""Where the server is, how to sign in to it, and where in it the token is kept."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

import httpx2

from flex_tokenstore import Secret, StoreOptionsError
from flex_tokenstore.records import RemoteOptions, doc

# The default of Vault's own client.
_DEFAULT_ADDRESS = "https://127.0.0.1:8200"
# Where Kubernetes mounts the token of a pod's service account.
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
# Which ways to sign in an option is for.
_FOR = {
    "token": ("token",),
    "token_file": ("token",),
    "role_id": ("approle",),
    "secret_id": ("approle",),
    "secret_id_file": ("approle",),
    "secret_id_wrapped": ("approle",),
    "role": ("kubernetes", "cert"),
    "username": ("userpass",),
    "password": ("userpass",),
    "password_file": ("userpass",),
}
_NEEDED = {
    "approle": "role_id",
    "kubernetes": "role",
    "userpass": "username",
    "cert": "cert_file",
}


@dataclass(kw_only=True)
class Options(RemoteOptions):
    """Which server, how to sign in, and under which path.

    What is omitted comes from the variables that Vault's and OpenBao's own programs read.
    """

    store: ClassVar[str] = "vault"

    address: str | None = field(
        default=None,
        metadata=doc(f"https://host:port; by default VAULT_ADDR, else {_DEFAULT_ADDRESS}"),
    )
    namespace: str | None = field(default=None, metadata=doc("by default VAULT_NAMESPACE"))
    mount: str = field(default="secret", metadata=doc("path of the KV secrets engine"))
    prefix: str = field(
        default="flex-tokenstore",
        metadata=doc("folder in the engine; all secrets are stored under it"),
    )
    auth: Literal["token", "approle", "kubernetes", "userpass", "cert", "none"] = field(
        default="token",
        metadata=doc("how to sign in; none: an agent or proxy at the address does it"),
    )
    auth_mount: str | None = field(
        default=None, metadata=doc("path of the auth method; by default its name")
    )
    token: Secret[str] | None = field(
        default=None, metadata=doc("for auth=token; by default VAULT_TOKEN")
    )
    token_file: str | None = field(
        default=None,
        metadata=doc(
            "file with the token, such as a sink of Vault Agent; read again when it changes; by "
            "default ~/.vault-token if no token is set"
        ),
    )
    role_id: str | None = field(default=None, metadata=doc("for auth=approle"))
    secret_id: Secret[str] | None = field(
        default=None, metadata=doc("for auth=approle, if the role requires one")
    )
    secret_id_file: str | None = field(
        default=None, metadata=doc("file with the secret_id; read again at each sign-in")
    )
    secret_id_wrapped: bool = field(
        default=False, metadata=doc("the secret_id is a response-wrapping token that has it")
    )
    role: str | None = field(default=None, metadata=doc("for auth=kubernetes and auth=cert"))
    jwt_file: str = field(
        default=_SERVICE_ACCOUNT,
        metadata=doc("for auth=kubernetes; read again at each sign-in"),
    )
    username: str | None = field(default=None, metadata=doc("for auth=userpass"))
    password: Secret[str] | None = field(default=None, metadata=doc("for auth=userpass"))
    password_file: str | None = field(
        default=None, metadata=doc("file with the password; read again at each sign-in")
    )
    ca_file: str | None = field(
        default=None,
        metadata=doc(
            "PEM file with the CA certificates; by default VAULT_CACERT, else the system's"
        ),
    )
    cert_file: str | None = field(
        default=None,
        metadata=doc("PEM file with a client certificate; by default VAULT_CLIENT_CERT"),
    )
    key_file: str | None = field(
        default=None, metadata=doc("PEM file with its private key; by default VAULT_CLIENT_KEY")
    )

    def __post_init__(self) -> None:
        """Fills in from the environment, and says what is wrong before anything is sent."""
        address, source = self._or_variable("address", "ADDR")
        self.address = (address or _DEFAULT_ADDRESS).strip().rstrip("/")
        problem = _problem_of_address(self.address)
        if problem:
            raise self.wrong("address", problem, source)
        self.namespace, source = self._or_variable("namespace", "NAMESPACE")
        if self.namespace is not None and not (self.namespace.isascii() and _fits(self.namespace)):
            got = f"must be a path of ASCII characters, such as a/b; got {self.namespace!r:.80}"
            raise self.wrong("namespace", got, source)
        for name in ("mount", "prefix", "auth_mount"):
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, self._path(name, value))
        self._check_tls()
        self._check_sign_in()

    @property
    def tls(self) -> bool:
        """The address is https://."""
        return str(self.address).lower().startswith("https:")

    def files(self) -> tuple[str | None, ...]:
        """The files that a connection depends on; those for the sign-in are read there."""
        return (self.ca_file, self.cert_file, self.key_file)

    def context(self) -> ssl.SSLContext | bool:
        """What to check the server's certificate with; False: no TLS."""
        if self.tls and self.ca_file is None and self.cert_file is None:
            # It honours SSL_CERT_FILE and SSL_CERT_DIR, as the SDK's own connections do.
            return httpx2.create_ssl_context()
        return self.tls_context() if self.tls else False

    def _check_tls(self) -> None:
        sources = {}
        if self.tls:
            self.ca_file, sources["ca_file"] = self._or_variable("ca_file", "CACERT")
            if self.cert_file is None and self.key_file is None:  # one without the other: as it is
                for name in ("cert_file", "key_file"):
                    variable = f"CLIENT_{name.removesuffix('_file').upper()}"
                    value, sources[name] = self._or_variable(name, variable)
                    setattr(self, name, value)
        if self.auth == "cert" and self.cert_file is None:
            raise self.wrong("cert_file", "is needed for auth=cert")
        try:
            self.check_connection(tls=self.tls, needs="the address must start with https://")
        except StoreOptionsError as error:
            source = sources.get(error.option or "")
            if source:
                error.message += f" (set by the variable {source})"
            raise

    def _check_sign_in(self) -> None:
        for name, methods in _FOR.items():
            if self.auth not in methods and getattr(self, name) not in (None, False):
                raise self.wrong(
                    name, f"is for auth={' and auth='.join(methods)}; this is auth={self.auth}"
                )
        needed = _NEEDED.get(self.auth)
        if needed not in (None, "cert_file") and not getattr(self, str(needed)):
            raise self.wrong(str(needed), f"is needed for auth={self.auth}")
        for name in ("token", "secret_id"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise self.wrong(
                    f"{name}_file", f"cannot be combined with {name}: omit one of them"
                )
        if self.auth == "userpass" and self.password is None and self.password_file is None:
            raise self.wrong("password", "is needed for auth=userpass; or set password_file")
        if self.secret_id_wrapped and self.secret_id is None and self.secret_id_file is None:
            raise self.wrong("secret_id_wrapped", "needs secret_id or secret_id_file")
        source = ""
        if self.auth == "token" and self.token is None and self.token_file is None:
            self.token, source = self._variable("token", "TOKEN")
            if self.token is None:
                self._default_token()
        if self.token is not None and not is_token(self.token):
            problem = "is empty, or contains characters that a Vault token cannot contain"
            raise self.wrong("token", problem, source)

    def _default_token(self) -> None:
        # `vault login` keeps the token there.
        usual = Path("~/.vault-token").expanduser()
        if not usual.is_file():
            raise self.wrong(
                "token", "is missing: set it, VAULT_TOKEN or token_file, or choose another auth"
            )
        self.token_file = str(usual)

    def _or_variable(self, option: str, name: str) -> tuple[str | None, str]:
        """The option's value, else that of BAO_<name> or VAULT_<name>, and which of these it is."""
        given: str | None = getattr(self, option)
        if given:
            return given, ""
        found, source = self._variable(option, name)
        return None if found is None else found.reveal(), source

    def _variable(self, option: str, name: str) -> tuple[Secret[str] | None, str]:
        # OpenBao's program reads its own variable first, and then Vault's.
        for variable in (f"BAO_{name}", f"VAULT_{name}"):
            value = Secret(os.environ.get(variable, "").strip().strip("\ufeff").strip())
            if value and value.reveal()[0] in "\"'" and value.reveal()[-1] == value.reveal()[0]:
                raise self.wrong(option, "is in quotes: set the variable without them", variable)
            if value:
                return value, variable
        return None, ""

    def _path(self, name: str, value: str) -> str:
        path = value.strip().strip("/")
        if not path or not _fits(path) or any(part in ("", ".", "..") for part in path.split("/")):
            problem = (
                f"must be a path such as a/b, without `.`, `..`, `*` and `+`; got {value!r:.80}"
            )
            raise self.wrong(name, problem)
        return path


class Kv1Options(Options):
    """The same, for KV version 1."""

    store: ClassVar[str] = "vault-kv1"


def is_token(token: Secret[str]) -> bool:
    """It may stand in a header."""
    return bool(token) and all("!" <= letter <= "~" for letter in token.reveal())


def _problem_of_address(address: str) -> str:
    if "@" in address:  # wherever it is: a password in front of it may hold a slash
        return "must not contain a user or a password: set token, or choose another auth"
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises for one that is not a number
    except ValueError:
        return "has a host or a port that is not valid"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"must be https://host:port, or http://host:port; got {address!r:.200}"
    if parts.query or parts.fragment:
        return "must not have query parameters"
    return (
        ""
        if address.isascii() and _fits(address)
        else "contains characters that an address cannot contain"
    )


def _fits(text: str) -> bool:
    # `*` and `+` are wildcards in Vault's policies; `?` and `#` would end the path of a url.
    return text.isprintable() and not set(text) & set("*+?#\\ ")
