"""TLS in front of any TCP server."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Certificates(NamedTuple):
    """PEM files; the certificate is its own CA."""

    certificate: Path
    key: Path


@contextlib.contextmanager
def tls_proxy(
    target_port: int, certificates: Certificates, *, postgres: bool = False
) -> Iterator[int]:
    """Gives the port on which the server at ``target_port`` is reached by TLS.

    Args:
        target_port: Of the server.
        certificates: Of the proxy.
        postgres: TLS begins when a client has asked for it, as PostgreSQL's clients do.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificates)
    started: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def serve() -> None:
        writers: set[asyncio.StreamWriter] = set()
        tasks: set[asyncio.Task[None] | None] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.add(writer)
            tasks.add(asyncio.current_task())
            if postgres:
                await reader.readexactly(8)  # SSLRequest
                writer.write(b"S")
                try:
                    await writer.start_tls(context)
                except OSError:  # who does not trust us goes away
                    writer.close()
                    return
            inward, outward = await asyncio.open_connection("127.0.0.1", target_port)
            writers.add(outward)
            await asyncio.gather(_pump(reader, outward), _pump(inward, writer))

        early = None if postgres else context
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=early)
        stop = asyncio.Event()
        port = server.sockets[0].getsockname()[1]
        started.append((port, asyncio.get_running_loop(), stop))
        ready.set()
        await stop.wait()
        server.close()
        # Else Python warns of them when it collects them, in whatever test runs then.
        for writer in writers:
            writer.transport.abort()
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)
        await asyncio.sleep(0)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise TimeoutError("the TLS proxy did not start")
    port, loop, stop = started[0]
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (OSError, ssl.SSLError):
        pass
    finally:
        writer.close()
