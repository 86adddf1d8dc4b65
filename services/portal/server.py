"""An ASGI application served by uvicorn inside the event loop that is running, and ended without cutting anybody off.

Alert streams never end by themselves, so they are let go first, with a word on how to resume; then requests under
way may finish; then the socket closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn
from litestar import Litestar

from services.alerts.stream import AlertHub
from services.engine.listening import CannotServe, listen, url_of
from services.portal.bounded_head import BoundedHeadProtocol
from services.portal.long_running import collected_rarely

LINGER_S = 3
"""How long requests under way may take to finish once the server is told to stop."""
BACKLOG = 1_024
"""Connections that may wait to be taken."""
MAX_CONCURRENCY = 4_000
"""Requests served at once; further ones are answered 503."""
_LOOK_S = 0.01


class _Server(uvicorn.Server):
    """uvicorn's server as a guest: it neither handles signals nor ends the process of the command that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            self.should_exit = True


@asynccontextmanager
async def served(
    app: Litestar,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    linger_s: int = LINGER_S,
    shared: bool = False,
    option: str = "--port",
) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """Serve; yields the bound URL (port 0: any free one) and the task that ends with the server.

    `linger_s`: see `LINGER_S`; longer where an answer waits for others. `shared`: other processes of this user may
    listen on the same port, and the system gives each of them a share of the connections. `option`: of the
    command, that chooses the port. Raises `CannotServe`.
    """
    listening = listen(host, port, shared=shared, option=option)
    config = uvicorn.Config(
        app,
        log_config=None,  # said by whoever runs this, without what an error quotes
        log_level="warning",
        access_log=False,  # request lines may hold filters and case numbers
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=MAX_CONCURRENCY,
        http=BoundedHeadProtocol,
        ws="none",
        proxy_headers=False,  # nothing here asks where a request came from
        timeout_graceful_shutdown=linger_s,
        lifespan="on",
    )
    server = _Server(config)
    with collected_rarely():
        async with _running(server, listening, app, host) as serving:
            yield serving


@asynccontextmanager
async def _running(
    server: uvicorn.Server, listening: socket.socket, app: Litestar, host: str
) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="http")
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(_LOOK_S)
        if not server.started:
            raise CannotServe("the HTTP server did not start; its own message is above")
        yield url_of(host, listening.getsockname()[1]), serving
    finally:
        hub: AlertHub | None = app.state.get("hub")
        if hub is not None:
            hub.close()
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        listening.close()
