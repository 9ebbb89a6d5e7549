"""TLS as arguments say it: whom to trust, and the certificate that this client shows."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from flex_tokenstore import Secret


class TlsProblem(Exception):
    """What is wrong with ``verify`` or ``client_cert``; the message names the argument."""


class ClientCertificate(NamedTuple):
    """The files of a client certificate."""

    certificate: str
    """PEM: the certificate, its chain, and the private key if ``key`` is None."""
    key: str | None = None
    password: Secret[str | bytes] | None = None

    def __repr__(self) -> str:
        return "ClientCertificate(…)"  # the key may be a password in the wrong place


class OwnTls(NamedTuple):
    """What the arguments say, and what the files were like; equals can share connections."""

    verify: bool | str | ssl.SSLContext = True
    """A path is absolute."""
    certificate: ClientCertificate | None = None
    state: tuple[object, ...] = ()

    def __repr__(self) -> str:
        return "OwnTls(…)"

    @property
    def checks(self) -> bool:
        """Whether a server must prove who it is."""
        if isinstance(self.verify, ssl.SSLContext):
            return self.verify.verify_mode != ssl.CERT_NONE
        return self.verify is not False

    def now(self, environment: tuple[object, ...]) -> OwnTls:
        """The same, as the files are now: one that was replaced is read again.

        Args:
            environment: What the variables say, if they count.
        """
        files = [self.verify if isinstance(self.verify, str) else None]
        if self.certificate is not None:
            files += [self.certificate.certificate, self.certificate.key]
        return self._replace(state=(environment, *map(changed, files)))

    def check(self) -> None:
        """Reads the files.

        Raises:
            TlsProblem: One cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if isinstance(self.verify, str):
            _trusting(self.verify, context)
        if self.certificate is not None:
            _show(self.certificate, context)

    def context(self, of_environment: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        """Makes a context; one of the program's own stays as it is.

        Args:
            of_environment: Makes one that trusts whom the environment says.

        Raises:
            TlsProblem: A file cannot be used any more.
        """
        if isinstance(self.verify, ssl.SSLContext):
            return self.verify
        if self.verify is True:
            context = of_environment()
        elif self.verify is False:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            # Not empty: that would load this machine's authorities too.
            context = _trusting(self.verify, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        if self.certificate is not None:
            _show(self.certificate, context)
        return context


def changed(file: str | None) -> tuple[int, int, int] | None:
    """What differs once a file is replaced: certificates are renewed while programs run."""
    try:
        stat = os.stat(file) if file else None  # noqa: PTH116 - a descriptor's number is no path
    except (OSError, ValueError):
        return None  # whoever reads it says what is wrong
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat else None


def file_problem(file: str) -> str | None:
    """Why a file cannot be read, as the end of a sentence."""
    try:
        with Path(file).open("rb") as opened:
            opened.read(1)
    except ValueError:
        return "its value cannot be the name of a file"
    except OSError as error:
        return f"its file {file!r} cannot be read: {error.strerror}"
    return None


def folder_problem(folder: str) -> str | None:
    """Why OpenSSL finds no authorities in a folder, as the end of a sentence."""
    try:
        names = [each.name for each in Path(folder).iterdir()]
    except ValueError:
        return "its value cannot be the name of a folder"
    except OSError as error:
        return f"its folder {folder!r} cannot be read: {error.strerror}"
    # OpenSSL finds a certificate by the hash of its subject: eight digits, a dot, a number.
    if not any(re.fullmatch(r"[0-9a-fA-F]{8}\.\d+", name) for name in names):
        return (
            f"its folder {folder!r} has no certificate under the name that OpenSSL looks for; run "
            "`openssl rehash` on it"
        )
    return None


def _trusting(path: str, context: ssl.SSLContext) -> ssl.SSLContext:
    """Has the context trust the authorities in a file or a folder."""
    folder = Path(path).is_dir()
    problem = folder_problem(path) if folder else file_problem(path)
    try:
        if problem is None and folder:
            context.load_verify_locations(capath=path)
        elif problem is None:
            context.load_verify_locations(cafile=path)
    except (ssl.SSLError, OSError):
        problem = f"its file {path!r} contains no CA certificates in PEM form"
    if problem is not None:
        raise TlsProblem(f"the argument verify is wrong: {problem}")
    return context


def _show(found: ClientCertificate, context: ssl.SSLContext) -> None:
    """Has the context show the client certificate to a server that asks for one."""
    asked = False

    def password() -> str | bytes:
        nonlocal asked
        asked = True
        # Never the terminal, where OpenSSL itself would ask: nobody may be there.
        return "" if found.password is None else found.password.reveal()

    problem = (
        _problem_of_content(found)
        or file_problem(found.certificate)
        or (found.key and _problem_of_key(found))
    )
    try:
        if problem is None:
            context.load_cert_chain(found.certificate, found.key, password)
    except (ssl.SSLError, OSError, ValueError) as error:
        problem = _problem_of_certificate(error, found, asked=asked)
    if problem is not None:
        raise TlsProblem(f"the argument client_cert is wrong: {problem}")


def _problem_of_content(found: ClientCertificate) -> str | None:
    names = found.certificate, found.key or ""
    if any("-----BEGIN" in name or "\n" in name for name in names):
        return "it is the content of a PEM file, and must be the file's path: write it into a file"
    return None


def _problem_of_key(found: ClientCertificate) -> str | None:
    key = found.key or ""
    if not os.path.exists(key):  # noqa: PTH110 - never raises
        return (
            "the file of its private key does not exist (its name is not shown, since it may be "
            "the password: if it is, pass (certificate, None, password))"
        )
    return file_problem(key)


def _problem_of_certificate(error: Exception, found: ClientCertificate, *, asked: bool) -> str:
    key = found.key or found.certificate
    if asked and found.password is None:
        return (
            f"the private key in {key!r} is encrypted: pass (certificate, key, password), key "
            "None if it is in the certificate's file"
        )
    if asked:
        return f"the password does not open the private key in {key!r}"
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return f"the private key in {key!r} does not belong to {found.certificate!r}"
    if found.key is None:
        return f"its file {key!r} must contain a certificate and its private key in PEM form"
    return (
        f"the file {found.certificate!r} must contain a certificate, and {key!r} its private key, "
        "both in PEM form"
    )
