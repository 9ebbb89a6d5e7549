"""What stands between a program and the API: authorities, tunnels, servers that say odd things."""

from __future__ import annotations

import contextlib
import datetime
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.tls import Certificates
from tests.support.slow_servers import Line, SlowServer, listening

Serve = Callable[[SlowServer, Line], None]

REFUSAL = {
    "errors": [{"status": 401, "code": "auth-missing-access-token", "title": "Unauthorized"}]
}


class Authority:
    """Issues certificates; its own is in ``file``."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        basic = x509.BasicConstraints(ca=True, path_length=None)
        made = _builder(self._name, self._name, self._key.public_key(), -1, 30)
        made = made.add_extension(basic, critical=True).add_extension(_SIGNS, critical=True)
        self._certificate = self._identified(made, self._key).sign(self._key, hashes.SHA256())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def _identified(
        self, made: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        """With the identifiers that Python 3.13 and newer ask for."""
        subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return made.add_extension(subject, critical=False).add_extension(issuer, critical=False)

    def issue(self, *hosts: str, begin: float = -1, end: float = 30) -> Certificates:
        """A certificate for these hosts; ``begin`` and ``end`` are days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts])
        made = _builder(_named(hosts[0]), self._name, key.public_key(), begin, end)
        made = self._identified(made.add_extension(names, critical=False), key)
        signed = made.sign(self._key, hashes.SHA256())
        stem = f"{hosts[0]}-{signed.serial_number}"
        files = Certificates(self._folder / f"{stem}.crt", self._folder / f"{stem}.key")
        files.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


_SIGNS = x509.KeyUsage(
    **dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    ),
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begin: float, end: float
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=begin))
        .not_valid_after(now + datetime.timedelta(days=end))
    )


def server_context(files: Certificates) -> ssl.SSLContext:
    """For a server that has this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    return context


class Asked(NamedTuple):
    """A request that a server got."""

    line: str
    headers: dict[str, str]
    body: bytes


def answering(
    status: int = 401,
    body: object = REFUSAL,
    *,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
    ahead: float | None = 0.0,
    pause: float = 0.0,
    asked: list[Asked] | None = None,
) -> Serve:
    """Serves one and the same response to every request.

    Args:
        status: HTTP status.
        body: Bytes, or what is sent as JSON.
        kind: Content type.
        headers: Further headers.
        ahead: Seconds by which its clock is ahead; None: it sends no Date.
        pause: Seconds before each response.
        asked: Gets each request.
    """

    def serve(_: SlowServer, line: Line) -> None:
        for request in requests_of(line):
            if asked is not None:
                asked.append(request)
            if line.stop.wait(pause):
                return
            respond(line, status, body, kind=kind, headers=headers, ahead=ahead)

    return serve


def respond(
    line: Line,
    status: int,
    body: object,
    *,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
    ahead: float | None = 0.0,
) -> None:
    """Sends one response; see :func:`answering`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"Content-Type": kind, **(headers or {}), "Content-Length": str(len(content))}
    if ahead is not None:
        head["Date"] = formatdate(time.time() + ahead, usegmt=True)
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in head.items())]
    line.send("\r\n".join([*lines, "", ""]).encode() + content)


def requests_of(line: Line) -> Iterator[Asked]:
    """The requests that come over a connection."""
    stream = line.connection.makefile("rb")
    while first := stream.readline():
        headers: dict[str, str] = {}
        while (header := stream.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        yield Asked(first.decode().strip(), headers, body)


@contextlib.contextmanager
def tunnel(
    target: int, *, refuses: int = 0, asked: list[Asked] | None = None
) -> Iterator[SlowServer]:
    """An HTTP proxy, all of whose tunnels lead to ``target`` on this machine.

    Args:
        target: Port, whatever host and port the client names.
        refuses: HTTP status with which it refuses each tunnel; 0: it does not.
        asked: Gets each request for a tunnel.
    """

    def serve(_: SlowServer, line: Line) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := line.connection.recv(1)):
                return
            head += more
        first, *rest = head.decode().split("\r\n")
        if asked is not None:
            pairs = (each.partition(":") for each in rest if each)
            asked.append(
                Asked(first, {name.lower(): value.strip() for name, _, value in pairs}, b"")
            )
        if refuses:
            line.send(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % refuses)
            return
        with socket.create_connection(("127.0.0.1", target), timeout=30) as behind:
            line.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(behind, line.connection), daemon=True)
            back.start()
            _pump(line.connection, behind)
            back.join(10)

    with listening(serve) as server:
        yield server


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
