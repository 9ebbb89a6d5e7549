"""Faults on the way to the server: proxy, certificates, name, connection, response, clock."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from flex_integration_sdk._transport import proxy_and_tls
from tests.servers import free_port
from tests.servers.tls import Certificates, tls_proxy
from tests.support.slow_servers import black_hole, listening
from tests.support.way import answering

from . import fault
from .world import LIVE, SECRET, World

PAGE = b"<html><body>Welcome to the Hotel Wi-Fi</body></html>"


@fault(
    "HTTPS_PROXY has a port that is not a number",
    finds="network.proxy",
    says="HTTPS_PROXY is wrong: its port is not a number",
    remedy="HTTPS_PROXY",
)
def proxy_port(world: World) -> Iterator[None]:
    world.set(
        FLEX_INTEGRATION_BASE_URL=f"https://{LIVE}",
        HTTPS_PROXY=f"http://u:{SECRET}@proxy.example:port",
    )
    yield


@fault(
    "ALL_PROXY has the scheme socks://",
    finds="network.proxy",
    says="ALL_PROXY is wrong: the scheme socks://",
    remedy="ALL_PROXY",
)
def proxy_scheme(world: World) -> Iterator[None]:
    world.set(
        FLEX_INTEGRATION_BASE_URL=f"https://{LIVE}", ALL_PROXY=f"socks://u:{SECRET}@127.0.0.1:9"
    )
    yield


@fault(
    "NO_PROXY has blanks between its entries",
    finds="network.proxy",
    says="NO_PROXY is wrong: its entries must be separated by commas",
    remedy="separated by commas",
)
def no_proxy_blanks(world: World) -> Iterator[None]:
    with world.live(world.authority()):
        world.set(NO_PROXY="localhost internal.example", SSL_CERT_FILE=None)
        yield


@fault(
    "NO_PROXY names the server with its port, and the proxy is used all the same",
    finds="network.proxy",
    says="in a form that does not exclude it",
    remedy="Write just flex.example into NO_PROXY",
    status="warning",
)
def no_proxy_port(world: World) -> Iterator[None]:
    authority = world.authority()
    with world.live(authority):
        world.set(SSL_CERT_FILE=authority.file, NO_PROXY=f"{LIVE}:443")
        yield


@fault(
    "NO_PROXY excludes a server that only the proxy can reach",
    finds="network.dns",
    says="no name server knows an address of it",
    remedy="HTTPS_PROXY is not used for this server, since NO_PROXY names it",
)
def no_proxy_too_much(world: World) -> Iterator[None]:
    authority = world.authority()
    with world.live(authority):
        world.set(SSL_CERT_FILE=authority.file, NO_PROXY="localhost,.example")
        yield


@fault(
    "https_proxy and HTTPS_PROXY name two proxies",
    finds="network.proxy",
    says="https_proxy and HTTPS_PROXY differ; https_proxy is used",
    remedy="Unset one of https_proxy and HTTPS_PROXY",
    status="warning",
)
def two_proxies(world: World) -> Iterator[None]:
    authority = world.authority()
    with world.live(authority) as proxy:
        world.set(
            SSL_CERT_FILE=authority.file,
            https_proxy=f"http://127.0.0.1:{proxy.port}",
            HTTPS_PROXY="http://old.example:3128",
        )
        yield


@fault(
    "The proxy is down",
    finds="network.proxy",
    says="(HTTPS_PROXY): it refused the connection",
    remedy="check that the proxy is up",
)
def proxy_down(world: World) -> Iterator[None]:
    world.set(
        FLEX_INTEGRATION_BASE_URL=f"https://{LIVE}",
        HTTPS_PROXY=f"http://u:{SECRET}@127.0.0.1:{free_port()}",
    )
    yield


@fault(
    "The proxy demands another password",
    finds="network.proxy",
    says="(HTTP 407)",
    remedy="Write them into HTTPS_PROXY",
)
def proxy_password(world: World) -> Iterator[None]:
    with world.live(world.authority(), refuses=407):
        yield


@fault(
    "The proxy does not allow this server",
    finds="network.proxy",
    says="refuses a connection to flex.example (HTTP 403)",
    remedy="NO_PROXY",
)
def proxy_forbids(world: World) -> Iterator[None]:
    with world.live(world.authority(), refuses=403):
        yield


@fault(
    "SSL_CERT_FILE names a file that is not there",
    finds="network.tls_variables",
    says="SSL_CERT_FILE is wrong",
    remedy="Have SSL_CERT_FILE name a file",
)
def authorities_missing(world: World) -> Iterator[None]:
    with world.live(world.authority()):
        world.set(SSL_CERT_FILE=world.folder / "no-such.pem")
        yield


@fault(
    "SSL_CERT_FILE names a file that is not PEM",
    finds="network.tls_variables",
    says="holds no CA certificates in PEM form",
    remedy="Have SSL_CERT_FILE name a file",
)
def authorities_not_pem(world: World) -> Iterator[None]:
    (world.folder / "ca.der").write_bytes(b"\x30\x82\x01\x01")
    with world.live(world.authority()):
        world.set(SSL_CERT_FILE=world.folder / "ca.der")
        yield


@fault(
    "SSL_CERT_DIR names a folder without hashed names",
    finds="network.tls_variables",
    says="run `openssl rehash`",
    remedy="Have SSL_CERT_DIR name a folder",
)
def authorities_not_hashed(world: World) -> Iterator[None]:
    with world.live(world.authority()):
        world.set(SSL_CERT_DIR=world.folder)
        yield


@fault(
    "This machine has no CA certificates, as slim images of containers",
    finds="network.tls_variables",
    says="no CA certificates, so no server is trusted",
    remedy="Install this machine's CA certificates (the package ca-certificates)",
)
def no_authorities(world: World) -> Iterator[None]:
    nothing = str(world.folder / "no-such")
    none = ssl.get_default_verify_paths()._replace(openssl_cafile=nothing, openssl_capath=nothing)
    world.patch.setattr(ssl, "get_default_verify_paths", lambda: none)
    world.patch.setattr("httpcore2._ssl.CA_FILE_CANDIDATES", [nothing])
    contexts = proxy_and_tls._contexts.get()
    contexts.clear()  # those of this process were made with the real ones
    try:
        with world.live(world.authority()):
            yield
    finally:
        contexts.clear()


@fault(
    "SSLKEYLOGFILE was left set",
    finds="network.tls_variables",
    says="whoever reads that file can read the client secret",
    remedy="Unset SSLKEYLOGFILE",
    status="warning",
)
def key_log(world: World) -> Iterator[None]:
    authority = world.authority()
    with world.live(authority):
        world.set(SSL_CERT_FILE=authority.file, SSLKEYLOGFILE=world.folder / "keys.log")
        yield


@fault(
    "The server's host name does not exist",
    finds="network.dns",
    says="flex.invalid could not be looked up",
    remedy="Check the host in",
)
def unknown_host(world: World) -> Iterator[None]:
    world.set(FLEX_INTEGRATION_BASE_URL="https://flex.invalid")
    yield


@fault(
    "Nothing listens on the server's port",
    finds="network.reach",
    says="it refused the connection",
    remedy="Check that the server is up",
)
def nothing_listens(world: World) -> Iterator[None]:
    world.set(FLEX_INTEGRATION_BASE_URL=f"http://127.0.0.1:{free_port()}")
    yield


@fault(
    "A firewall drops what is sent to the server",
    finds="network.reach",
    says="no connection could be made within 1 s",
    remedy="no firewall is in between",
)
def firewall(world: World) -> Iterator[None]:
    world.options = ["--timeout", "1"]
    with black_hole() as port:
        world.set(FLEX_INTEGRATION_BASE_URL=f"http://127.0.0.1:{port}")
        yield


@fault(
    "https:// to a port that speaks plain http",
    finds="network.tls",
    says="it speaks plain http on that port, not https",
    remedy="write http:// in place of https://",
)
def plain_port(world: World) -> Iterator[None]:
    port = urlsplit(world.sandbox.base_url).port
    world.set(
        FLEX_INTEGRATION_BASE_URL=f"https://localhost:{port}", SSL_CERT_FILE=world.authority().file
    )
    yield


@fault(
    "http:// to a port that speaks TLS",
    finds="network.api",
    says="No response from localhost",
    remedy="Write https:// in place of http://",
)
def secure_port(world: World) -> Iterator[None]:
    with _secure(world, world.authority().issue("localhost")):
        address = os.environ["FLEX_INTEGRATION_BASE_URL"]
        world.set(FLEX_INTEGRATION_BASE_URL=address.replace("https://", "http://"))
        yield


@contextmanager
def _secure(world: World, files: Certificates) -> Iterator[None]:
    """The sandbox as ``https://localhost``, with this certificate."""
    port = urlsplit(world.sandbox.base_url).port
    assert port is not None
    with tls_proxy(port, files) as secure:
        world.set(FLEX_INTEGRATION_BASE_URL=f"https://localhost:{secure}")
        yield


@fault(
    "The server's certificate is for another host",
    finds="network.tls",
    says="for another host (it is for other.example)",
    remedy="Correct the host in",
)
def certificate_of_another(world: World) -> Iterator[None]:
    authority = world.authority()
    world.set(SSL_CERT_FILE=authority.file)
    with _secure(world, authority.issue("other.example")):
        yield


@fault(
    "The server's certificate has expired",
    finds="network.tls",
    says="has expired (valid from",
    remedy="renew the server's certificate",
)
def certificate_expired(world: World) -> Iterator[None]:
    authority = world.authority()
    world.set(SSL_CERT_FILE=authority.file)
    with _secure(world, authority.issue("localhost", begin=-30, end=-1)):
        yield


@fault(
    "The server's certificate is not valid yet, since the clock is behind",
    finds="network.tls",
    says="not valid yet",
    remedy="Set this machine's clock",
)
def certificate_of_tomorrow(world: World) -> Iterator[None]:
    authority = world.authority()
    world.set(SSL_CERT_FILE=authority.file)
    with _secure(world, authority.issue("localhost", begin=1, end=30)):
        yield


@fault(
    "The server's certificate expires tomorrow",
    finds="network.tls",
    says="it expires at",
    remedy="Renew the server's certificate",
    status="warning",
)
def certificate_expires_soon(world: World) -> Iterator[None]:
    authority = world.authority()
    world.set(SSL_CERT_FILE=authority.file)
    with _secure(world, authority.issue("localhost", end=1)):
        yield


@fault(
    "A proxy replaces the certificates of all servers (TLS interception)",
    finds="network.tls",
    says="(issued by Example Corp Inspection CA)",
    remedy="set SSL_CERT_FILE to a file with the certificate of that authority",
)
def interception(world: World) -> Iterator[None]:
    with world.live(world.authority("Example Corp Inspection CA")):
        yield


@fault(
    "The authority of the company is in REQUESTS_CA_BUNDLE only",
    finds="network.tls",
    says="comes from an authority that this machine does not trust",
    remedy="Set SSL_CERT_FILE to the value of REQUESTS_CA_BUNDLE",
)
def bundle_of_requests(world: World) -> Iterator[None]:
    authority = world.authority()
    world.set(REQUESTS_CA_BUNDLE=authority.file)
    with world.live(authority):
        yield


@fault(
    "SSL_CERT_FILE has other authorities than the server's",
    finds="network.tls",
    says="does not trust (issued by Another Authority)",
    remedy="Add the certificate of that authority to SSL_CERT_FILE",
)
def other_authority(world: World) -> Iterator[None]:
    world.set(SSL_CERT_FILE=world.authority().file)
    with world.live(world.authority("Another Authority")):
        yield


@fault(
    "A hotel's sign-in page responds in place of the server",
    finds="network.api",
    says="responded with a web page (HTTP 200)",
    remedy="Sign in to this network in a browser",
)
def sign_in_page(world: World) -> Iterator[None]:
    with listening(answering(200, PAGE, kind="text/html")) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


@fault(
    "Something redirects all requests",
    finds="network.api",
    says="redirects to portal.example",
    remedy="Sign in to this network in a browser",
)
def redirected(world: World) -> Iterator[None]:
    location = {"Location": f"http://portal.example/?from={SECRET}"}
    with listening(answering(302, b"", headers=location)) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


@fault(
    "The address is that of another service",
    finds="network.api",
    says="does not speak the Integration API: it responded with HTTP 404",
    remedy="https://flex-integ-api.sharetribe.com",
)
def another_service(world: World) -> Iterator[None]:
    with listening(answering(404, {"detail": "Not Found"})) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


@fault(
    "The address has a path too many",
    finds="network.api",
    says="has nothing at the path /marketplace",
    remedy="Omit the path in",
)
def path_too_many(world: World) -> Iterator[None]:
    world.set(FLEX_INTEGRATION_BASE_URL=f"{world.sandbox.base_url}/marketplace")
    yield


@fault(
    "The server limits the rate of requests (429)",
    finds="network.api",
    says="HTTP 429, too many requests",
    remedy="Wait 7 s",
)
def too_many_requests(world: World) -> Iterator[None]:
    with listening(answering(429, {"errors": []}, headers={"Retry-After": "7"})) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


@fault(
    "The server fails (503)",
    finds="network.api",
    says="responded with HTTP 503",
    remedy="Try again later",
)
def server_fails(world: World) -> Iterator[None]:
    world.sandbox.fault("status", target="api", status=503, count=100)
    yield


@fault(
    "The server takes a request and never responds",
    finds="network.api",
    says="the response was not complete within 1 s",
    remedy="wait longer with --timeout",
)
def server_is_silent(world: World) -> Iterator[None]:
    world.options = ["--timeout", "1"]
    with listening(answering(pause=60)) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


@fault(
    "The server is slow",
    finds="network.latency",
    says="which is slow",
    remedy="request_timeout",
    status="warning",
    slow=True,
)
def server_is_slow(world: World) -> Iterator[None]:
    world.options = ["--timeout", "10"]
    with listening(answering(pause=2.1)) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


@fault(
    "This machine's clock is an hour ahead",
    finds="clock",
    says="1 h ahead of the server's",
    remedy="Set this machine's clock",
)
def clock_an_hour_ahead(world: World) -> Iterator[None]:
    with listening(answering(ahead=-3600)) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield


@fault(
    "This machine's clock is two minutes behind",
    finds="clock",
    says="2 min behind the server's",
    remedy="Set this machine's clock",
    status="warning",
)
def clock_minutes_behind(world: World) -> Iterator[None]:
    with listening(answering(ahead=120)) as server:
        world.set(FLEX_INTEGRATION_BASE_URL=server.base_url)
        yield
