"""Where the server is, how to sign in to it, and where in it the token is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from flex_tokenstore import Secret, StoreOptionsError

# The default of Vault's own client.
_DEFAULT_ADDRESS = "https://127.0.0.1:8200"
# Where Kubernetes mounts the token of a pod's service account.
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"


def _doc(text: str) -> dict[str, str]:
    return {"doc": text}


@dataclass(kw_only=True)
class Options:
    """Which server, how to sign in, under which path, and how long a response may take.

    What is omitted comes from the variables that Vault's and OpenBao's own programs read.
    """

    address: str | None = field(
        default=None,
        metadata=_doc(f"https://host:port; by default VAULT_ADDR, else {_DEFAULT_ADDRESS}"),
    )
    namespace: str | None = field(default=None, metadata=_doc("by default VAULT_NAMESPACE"))
    mount: str = field(default="secret", metadata=_doc("path of the KV secrets engine"))
    prefix: str = field(
        default="flex-tokenstore",
        metadata=_doc("folder in the engine; all secrets are stored under it"),
    )
    auth: Literal["token", "approle", "kubernetes"] = field(
        default="token", metadata=_doc("how to sign in")
    )
    auth_mount: str | None = field(
        default=None, metadata=_doc("path of the auth method; by default its name")
    )
    token: Secret[str] | None = field(
        default=None, metadata=_doc("for auth=token; by default VAULT_TOKEN")
    )
    token_file: str | None = field(
        default=None,
        metadata=_doc(
            "file with the token, such as a sink of Vault Agent; by default ~/.vault-token if no "
            "token is set"
        ),
    )
    role_id: str | None = field(default=None, metadata=_doc("for auth=approle"))
    secret_id: Secret[str] | None = field(
        default=None, metadata=_doc("for auth=approle, if the role requires one")
    )
    secret_id_file: str | None = field(
        default=None, metadata=_doc("file with the secret_id; read again at each sign-in")
    )
    role: str | None = field(default=None, metadata=_doc("for auth=kubernetes"))
    jwt_file: str = field(
        default=_SERVICE_ACCOUNT,
        metadata=_doc("for auth=kubernetes; read again at each sign-in"),
    )
    timeout: float = field(default=5.0, metadata=_doc("seconds to wait for a response"))
    connect_timeout: float = field(default=2.0, metadata=_doc("seconds to wait for a connection"))
    ca_file: str | None = field(
        default=None,
        metadata=_doc(
            "PEM file with the CA certificates; by default VAULT_CACERT, else the system's"
        ),
    )

    def __post_init__(self) -> None:
        """Fills in from the environment, and says what is wrong before anything is sent."""
        address, source = _given_or_variable(self.address, "address", "ADDR")
        self.address = (address or _DEFAULT_ADDRESS).strip().rstrip("/")
        problem = _problem_of_address(self.address)
        if problem:
            raise _wrong("address", problem, source)
        self.namespace, source = _given_or_variable(self.namespace, "namespace", "NAMESPACE")
        if self.namespace is not None and not (self.namespace.isascii() and _fits(self.namespace)):
            got = f"must be a path of ASCII characters, such as a/b; got {self.namespace!r:.80}"
            raise _wrong("namespace", got, source)
        for name in ("mount", "prefix", "auth_mount"):
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, _path(name, value))
        for name in ("timeout", "connect_timeout"):
            if not 0 < getattr(self, name) <= 3600:
                got = getattr(self, name)
                raise _wrong(
                    name, f"must be a number of seconds above 0 and at most 3600; got {got:g}"
                )
        self._check_sign_in()
        self._check_ca()

    @property
    def tls(self) -> bool:
        """The address is https://."""
        return str(self.address).lower().startswith("https:")

    def _check_ca(self) -> None:
        source = ""
        if self.tls:
            self.ca_file, source = _given_or_variable(self.ca_file, "ca_file", "CACERT")
        elif self.ca_file is not None:
            raise _wrong("ca_file", "is for TLS only: the address must start with https://")
        if self.ca_file is None:
            return
        self.ca_file = os.path.expanduser(self.ca_file)  # noqa: PTH111 - without an error
        if not Path(self.ca_file).is_file():
            problem = f"names a file that does not exist, or cannot be read: {self.ca_file!r}"
            raise _wrong("ca_file", problem, source)

    def _check_sign_in(self) -> None:
        mine = {
            "token": ("token", "token_file"),
            "approle": ("role_id", "secret_id", "secret_id_file"),
            "kubernetes": ("role",),
        }
        for method, names in mine.items():
            for name in names:
                if method != self.auth and getattr(self, name) is not None:
                    raise _wrong(name, f"is for auth={method}; this is auth={self.auth}")
        if self.auth == "approle" and not self.role_id:
            raise _wrong("role_id", "is needed for auth=approle")
        if self.secret_id is not None and self.secret_id_file is not None:
            raise _wrong("secret_id_file", "cannot be combined with secret_id: omit one of them")
        if self.auth == "kubernetes" and not self.role:
            raise _wrong("role", "is needed for auth=kubernetes")
        if self.token is not None and self.token_file is not None:
            raise _wrong("token_file", "cannot be combined with token: omit one of them")
        if self.auth == "token" and self.token is None and self.token_file is None:
            self._default_token()
        if self.token is not None and not is_token(self.token):
            raise _wrong(
                "token", "is empty, or contains characters that a Vault token cannot contain"
            )

    def _default_token(self) -> None:
        self.token, source = _secret_or_variable("token", "TOKEN")
        if self.token is not None:
            if not is_token(self.token):
                raise _wrong(
                    "token", "contains characters that a Vault token cannot contain", source
                )
            return
        # `vault login` keeps the token there.
        usual = Path("~/.vault-token").expanduser()
        if not usual.is_file():
            raise _wrong(
                "token",
                "is missing: set it, VAULT_TOKEN or token_file, or choose another auth",
            )
        self.token_file = str(usual)


def is_token(token: Secret[str]) -> bool:
    """It may stand in a header."""
    return bool(token) and all("!" <= letter <= "~" for letter in token.reveal())


def _given_or_variable(given: str | None, option: str, name: str) -> tuple[str | None, str]:
    """The option's value, else that of BAO_<name> or VAULT_<name>, and which of these it is."""
    if given:
        return given, ""
    found, source = _secret_or_variable(option, name)
    return None if found is None else found.reveal(), source


def _secret_or_variable(option: str, name: str) -> tuple[Secret[str] | None, str]:
    # OpenBao's program reads its own variable first, and then Vault's.
    for variable in (f"BAO_{name}", f"VAULT_{name}"):
        value = Secret(os.environ.get(variable, "").strip().strip("\ufeff").strip())
        if value and value.reveal()[0] in "\"'" and value.reveal()[-1] == value.reveal()[0]:
            raise _wrong(option, "is in quotes: set the variable without them", variable)
        if value:
            return value, variable
    return None, ""


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


def _path(name: str, value: str) -> str:
    path = value.strip().strip("/")
    if not path or not _fits(path) or any(part in ("", ".", "..") for part in path.split("/")):
        raise _wrong(
            name, f"must be a path such as a/b, without `.`, `..`, `*` and `+`; got {value!r:.80}"
        )
    return quote(path)


def _fits(text: str) -> bool:
    # `*` and `+` are wildcards in Vault's policies; `?` and `#` would end the path of a url.
    return text.isprintable() and not set(text) & set("*+?#\\ ")


def _wrong(option: str, problem: str, variable: str = "") -> StoreOptionsError:
    source = f" (set by the variable {variable})" if variable else ""
    return StoreOptionsError(f"option {option} of the Vault store {problem}{source}", option=option)
