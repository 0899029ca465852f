"""From a socket of the outer network to the API server in the inner one: the socket was opened before the sandbox
entered its own network, and stays where it was opened."""

from __future__ import annotations

import asyncio
import contextlib
import socket

_CHUNK = 256 * 1024


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        if sink.can_write_eof():
            sink.write_eof()


def run(listening: socket.socket, address: tuple[str, int]) -> None:
    """Take connections for ever, and hand each to ``address``."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*address, limit=_CHUNK)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        for each in (inner_writer, writer):
            each.close()

    async def serve() -> None:
        server = await asyncio.start_server(connected, sock=listening, limit=_CHUNK)
        await server.serve_forever()

    asyncio.run(serve())
