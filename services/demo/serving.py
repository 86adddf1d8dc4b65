"""The backbone's HTTP address for as long as the demo runs: a real server, in the demo's own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import uvicorn

HOST = "127.0.0.1"
"""Only this machine can reach it."""
START_S = 15.0
LINGER_S = 1
"""How long open connections (a live page) may hold up the end."""


class AddressInUse(RuntimeError):
    """The port asked for is taken; says what to do."""


class DidNotStart(RuntimeError):
    """The server did not come up."""


@asynccontextmanager
async def served(app: Any, port: int) -> AsyncIterator[str]:
    """Serve an ASGI application; yields its address. Port 0: any free one."""
    listening = _listen(port)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=LINGER_S, server_header=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="demo http")
    try:
        await _started(server, serving)
        yield f"http://{HOST}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        listening.close()


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError:
        listening.close()
    else:
        return listening
    raise AddressInUse(f"port {port} of {HOST} cannot be used: choose another with --port, or leave it out")


async def _started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    give_up_s = perf_counter() + START_S
    while not server.started and not serving.done() and perf_counter() < give_up_s:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    if not server.started:
        raise DidNotStart(f"the HTTP server did not start within {START_S:.0f} s")
