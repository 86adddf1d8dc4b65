"""`ccr worker alerts`: alerts, links and cases over HTTP, apart from whoever accepts events."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from services.cli.kafka_connection import Connection, KafkaData, connected
from services.cli.options import AsJson, Policies
from services.cli.worker_figures import WebPort, figures_words, own_port
from services.cli.worker_fleet import Concurrency, Member, is_parent, run_fleet, say_prepared, say_ready
from services.cli.worker_options import Host, Port, Store

if TYPE_CHECKING:
    from services.reading import Settings

DEFAULT_PORT = 8704
FIRST_WEB_PORT = 8740
"""Of the figures of several processes, unless told otherwise; one alone has them on its own port."""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog="Example: ccr worker alerts --store postgresql://ccr@db/ccr --concurrency 2")(
        connected(alerts, KafkaData)
    )


def alerts(
    store: Store,
    where: Connection,
    policies: Policies = None,
    host: Host = "127.0.0.1",
    port: Port = DEFAULT_PORT,
    concurrency: Concurrency = 1,
    web_port: WebPort = None,
    as_json: AsJson = False,
    member: Member = None,
) -> None:
    """Serve alerts, links and cases to who reads them, until Ctrl-C; accept nothing.

    The portal serves all of this too. Here it runs apart, so that alerts go on while the portal is updated or busy, and
    with no key that opens what is sealed. Any number of these may run on the same store: who loses one resumes at
    another. With --concurrency the processes share the port, GET /metrics of each is on --web-port (8740 unless told
    otherwise) and the ports after it, and SIGHUP replaces them one after another.
    """
    from services.cli.printing import json_line, say
    from services.cli.refused import Refused

    if concurrency > 1 and port == 0:
        raise Refused("--concurrency needs a --port that is not 0: all processes listen on the same one")
    if web_port is None and concurrency > 1:
        web_port = FIRST_WEB_PORT
    if is_parent(concurrency, member):
        run_fleet(concurrency, host, web_port, as_json=as_json)
        return
    from services.cli.serving import run_serving
    from services.cli.worker_options import say_it_ourselves
    from services.reading import Settings

    say_it_ourselves()
    web = own_port(web_port, member)
    settings = Settings(where.bootstrap, store, where.security, policies)
    run_serving(_run(settings, host, port, web, member, as_json=as_json))
    if as_json and member is None:
        json_line({"stopped": True, "pid": os.getpid()})
    elif member is None:
        say("stopped; who followed alerts resumes at another of these, or at the portal, without a gap")


async def _run(
    settings: Settings, host: str, port: int, web_port: int | None, member: int | None, *, as_json: bool
) -> None:
    from contextlib import AsyncExitStack

    from services.cli.printing import json_line
    from services.cli.serving import until_stopped
    from services.cli.stopping import stop_asked
    from services.portal.app import create_reading_app
    from services.portal.operations import create_watch_app
    from services.portal.server import served
    from services.reading import open_reading

    shared = member is not None
    async with AsyncExitStack() as stack:
        stopping = await stack.enter_async_context(stop_asked())
        reading = await stack.enter_async_context(open_reading(settings))
        if web_port is not None:
            watching = served(create_watch_app(reading), host, web_port, shared=shared, option="--web-port")
            await stack.enter_async_context(watching)
        url, serving = await stack.enter_async_context(served(create_reading_app(reading), host, port, shared=shared))
        say_prepared(to_parent=shared)  # it serves already: whom it replaces shares the ports with it
        if as_json and not shared:
            json_line({"url": url, "pid": os.getpid()})
        figures = figures_words(host, web_port) or f"figures    {url}/metrics\n"
        words = f"alerts     {url}/v1/alerts\n{figures}kafka      {settings.bootstrap}\nStop with Ctrl-C."
        say_ready(words, to_parent=shared, as_json=as_json)
        await until_stopped(stopping, serving)
