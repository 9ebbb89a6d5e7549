"""Checks of the way to the server: its name, the connection, and how long a request takes."""

from __future__ import annotations

from collections.abc import Iterator

from .checks import check
from .finding import Outcome, SkipCheck, error, ok, warning
from .ground import Ground
from .variables import without_proxy

# Seconds after which a connection and a request are slow: TCP repeats a lost packet after one.
SLOW = 2.0
# Seconds beyond the limit of a check: else it would be given up when the request's own is over.
EXTRA = 2.0


@check("network.dns", extra=EXTRA)
def dns(ground: Ground) -> Iterator[Outcome]:
    """Whether the server's name has an address."""
    way = ground.way
    if way.peer.variable:
        raise SkipCheck(f"The proxy looks up {way.host}.")
    host, servers = way.peer.host, "the name servers of this machine (/etc/resolv.conf)"
    try:
        found = way.look_up()
    except TimeoutError as failed:
        way.block("network.dns")
        yield error(f"{host} could not be looked up: {failed}", f"Check {servers} and the network")
        return
    except (OSError, UnicodeError):
        way.block("network.dns")
        yield error(
            f"{host} could not be looked up: no name server knows an address of it",
            f"Check the host in {ground.named('base_url')}, {servers}, and the network"
            f"{without_proxy(way.base_url)}",
        )
        return
    shown = ", ".join(found[:3]) + (", …" if len(found) > 3 else "")
    yield ok(f"{host} is an address" if found == [host] else f"{host} has the address {shown}")


@check("network.reach", extra=EXTRA)
def reach(ground: Ground) -> Iterator[Outcome]:
    """Whether a connection to the server can be made."""
    way = ground.way
    seen = way.seen
    if seen.stage == "connect" and seen.error is not None:
        way.block("network.reach")
        yield error(
            sentence(seen.error),
            f"Check that the server is up, that host and port of {ground.named('base_url')} are "
            f"right, and that no firewall is in between{without_proxy(way.base_url)}",
        )
        return
    by = f" through the proxy ({way.peer.variable})" if way.peer.variable else ""
    yield ok(f"{way.host} can be reached{by}")


def sentence(failed: Exception) -> str:
    """What happened; what to check next is in the remedy."""
    text = str(failed).partition(". Check ")[0]
    return text[:1].upper() + text[1:]


@check("network.latency", extra=EXTRA)
def latency(ground: Ground) -> Iterator[Outcome]:
    """How long a connection takes, and a request on it."""
    way = ground.way
    seen, again = way.seen, way.again()
    if again.error is not None:
        yield warning(sentence(again.error), "Check the network: it loses data now and then")
        return
    # The first request of a server, and of the HTTP library, takes longer than the others.
    quick = min(seen.answering, again.answering)
    text = f"A request takes {quick * 1000:.0f} ms, a connection {seen.connecting * 1000:.0f} ms"
    if quick + seen.connecting < SLOW:
        yield ok(text)
        return
    yield warning(
        f"{text}, which is slow",
        "Check the network, and any proxy on the way; if it cannot be quicker, raise timeout and "
        "request_timeout in the program",
    )


CHECKS = (dns, reach)
"""Those before TLS; ``latency`` needs a response, and comes after that."""
