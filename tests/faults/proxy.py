"""The network between one worker and the brokers: a TCP proxy for each broker, which can be cut, slowed and healed.

A broker tells its clients where it is, so the worker itself goes the way round (`RoundaboutLoop`, in its own process).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import uvloop

VARIABLE = "CCR_TEST_NETWORK"
"""JSON: port of a broker → port to go through instead."""
CHUNK = 65_536


class Network:
    """Proxies of one worker. Cut, nothing passes and nobody is told, as when a cable is pulled."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._ports: dict[int, int] = {}
        self._passing = asyncio.Event()
        self._passing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self.delay_s = 0.0
        """Before each chunk."""

    async def start(self, ports: Sequence[int]) -> None:
        """One proxy for each of these ports of this machine."""
        for port in ports:
            server = await asyncio.start_server(lambda r, w, port=port: self._served(port, r, w), "127.0.0.1", 0)
            self._servers.append(server)
            self._ports[port] = server.sockets[0].getsockname()[1]

    @property
    def environment(self) -> Mapping[str, str]:
        """For the worker's process."""
        return {VARIABLE: json.dumps(self._ports)}

    def cut(self) -> None:
        """From now on nothing passes."""
        self._passing.clear()

    def heal(self) -> None:
        """The network is back; what hung in it is lost, and its connections end."""
        if not self._passing.is_set():
            for writer in self._open:
                writer.transport.abort()
        self.delay_s = 0.0
        self._passing.set()

    async def close(self) -> None:
        self.heal()
        for server in self._servers:
            server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _served(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        try:
            await asyncio.gather(self._passed_on(reader, far_writer), self._passed_on(far_reader, writer))
        finally:
            self._open -= {writer, far_writer}

    async def _passed_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                await self._passing.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                target.write(data)
                await target.drain()
        target.transport.abort()


class RoundaboutLoop(uvloop.Loop):
    """The loop of `ccr worker`, whose connections to the brokers go through the proxies it was started with."""

    def __init__(self) -> None:
        super().__init__()
        ports = json.loads(os.environ.get(VARIABLE, "{}"))
        self._round = {int(port): int(other) for port, other in ports.items()}

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """As asked, by way of the proxy."""
        return await super().create_connection(factory, host, self._round.get(port, port), **options)
