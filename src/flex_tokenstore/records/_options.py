"""The one table of connection options, with one set of names for all remote stores."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from .._config.env_text import expand_path
from .._config.secret_files import read_secret_file
from .._values.secret import Secret
from ..errors import StoreOptionsError

LONGEST = 3600.0  # seconds


def doc(text: str) -> dict[str, str]:
    """Metadata of a field: what people are told about the option."""
    return {"doc": text}


@dataclass(kw_only=True)
class RemoteOptions:
    """What each remote store takes. A store's own ``Options`` add its address to it.

    Files are read again when they change, and whenever a new connection is made.
    """

    store: ClassVar[str] = ""
    """The store's name, for messages."""

    username: str | None = field(
        default=None, metadata=doc("user name; overrides the one in the url")
    )
    password: Secret[str] | None = field(
        default=None, metadata=doc("password; overrides the one in the url")
    )
    password_file: str | None = field(
        default=None, metadata=doc("file with the password; read again when it changes")
    )
    ca_file: str | None = field(
        default=None, metadata=doc("PEM file with the CA certificates; by default the system's")
    )
    cert_file: str | None = field(default=None, metadata=doc("PEM file with a client certificate"))
    key_file: str | None = field(
        default=None,
        metadata=doc("PEM file with the private key of that certificate, if it is not in it"),
    )
    key_password: Secret[str] | None = field(
        default=None, metadata=doc("passphrase of that private key")
    )
    timeout: float = field(default=5.0, metadata=doc("seconds to wait for a response"))
    connect_timeout: float = field(default=2.0, metadata=doc("seconds to wait for a connection"))

    def check_connection(self, *, tls: bool, needs: str) -> None:
        """Says what is wrong with these options, before anything is sent. Call it last.

        Args:
            tls: The connection is encrypted; else certificates are refused.
            needs: What the options for certificates need, such as "the url must start with
                rediss://".

        Raises:
            StoreOptionsError: An option cannot be used.
        """
        for name in ("timeout", "connect_timeout"):
            got = getattr(self, name)
            if not 0 < got <= LONGEST:
                raise self.wrong(
                    name, f"must be a number of seconds above 0 and at most 3600; got {got:g}"
                )
        if self.password is not None and self.password_file is not None:
            raise self.wrong("password_file", "cannot be combined with password: omit one of them")
        for name in ("password_file", "ca_file", "cert_file", "key_file"):
            path = getattr(self, name)
            if path is None:
                continue
            if not tls and name != "password_file":
                raise self.wrong(name, f"is for TLS only: {needs}")
            setattr(self, name, expand_path(path))
            if not Path(getattr(self, name)).is_file():
                raise self.wrong(
                    name, f"names a file that does not exist, or cannot be read: {path!r}"
                )
        if self.cert_file is None and (self.key_file is not None or self.key_password is not None):
            name = "key_file" if self.key_file is not None else "key_password"
            raise self.wrong(name, "needs cert_file, the certificate that belongs to that key")
        if self.ca_file is not None or self.cert_file is not None:
            self.tls_context()

    def files(self) -> tuple[str | None, ...]:
        """The files that a connection depends on."""
        return (self.password_file, self.ca_file, self.cert_file, self.key_file)

    def password_now(self) -> Secret[str] | None:
        """The password; from its file, as it is now.

        Raises:
            StoreOptionsError: The file cannot be read, or is empty.
        """
        if self.password_file is None:
            return self.password
        try:
            found = read_secret_file(self.password_file)
        except ValueError as error:
            raise self.wrong("password_file", f"{self.password_file} {error}") from None
        if not found:
            raise self.wrong("password_file", f"{self.password_file} is empty")
        return found

    def tls_context(self) -> ssl.SSLContext:
        """What to check the server's certificate with, and the client's own certificate.

        Raises:
            StoreOptionsError: A file does not hold what its option says.
        """
        context = self._trusting()
        if self.cert_file is None:
            return context
        try:
            # Never without a passphrase: OpenSSL would ask at the terminal.
            context.load_cert_chain(self.cert_file, self.key_file, self._passphrase)
            return context
        except (OSError, ValueError) as error:
            problem = _unreadable(error)
        option = "cert_file" if self.key_file is None else "key_file"
        raise self.wrong(
            option,
            f"{problem}: the two must hold a certificate and its private key (PEM)"
            + ("" if self.key_password else "; for an encrypted key, set key_password"),
        )

    def _trusting(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # ssl.SSLError is one
            problem = _unreadable(error)
        raise self.wrong("ca_file", f"{problem}: it must hold CA certificates (PEM)")

    def _passphrase(self) -> str:
        return "" if self.key_password is None else self.key_password.reveal()

    @classmethod
    def wrong(cls, option: str, problem: str, variable: str = "") -> StoreOptionsError:
        """The error for an option that cannot be used.

        Args:
            option: Its name.
            problem: What is wrong, after "option x of the store 'y'"; without a secret.
            variable: The environment variable that it comes from.
        """
        source = f" (set by the variable {variable})" if variable else ""
        return StoreOptionsError(
            f"option {option} of the store {cls.store!r} {problem}{source}",
            option=option,
            store=cls.store,
        )


def _unreadable(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"cannot be used ({error.reason or 'no PEM'})"
    return f"cannot be read ({type(error).__name__})"
