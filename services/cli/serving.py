"""The backbone's HTTP address, served by uvicorn in the event loop of the command, until a signal asks to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from services.cli.refused import Refused

LINGER_S = 3
"""How long requests under way may take to finish once the service is told to stop."""
BACKLOG = 1024
"""Connections that may wait to be taken."""
MAX_CONNECTIONS = 4_000
"""Requests served at the same time; further ones are told to come back (503)."""
_LOOK_S = 0.02


@asynccontextmanager
async def stop_asked() -> AsyncIterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set, in place of ending the process where it stands."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    try:
        yield asked
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def served(app: Any, host: str, port: int) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """Serve an ASGI application (port 0: any free one); yields its address and the task that ends with the server.

    Raises `Refused` when the address cannot be used or the application does not start.
    """
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=LINGER_S,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="http")
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(_LOOK_S)
        if not server.started:
            raise Refused("the HTTP server did not start; its own message is above")
        yield _url(host, listening.getsockname()[1]), serving
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, UnicodeError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or "no such address"
        raise Refused(f"cannot listen on {host}, port {port} ({why}): choose others with --host, --port") from None
    return listening


def _url(host: str, port: int) -> str:
    """How this machine reaches it."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # read, not bound
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
