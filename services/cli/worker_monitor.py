"""`ccr worker monitor`: what was folded is brought to the store that people read from."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.kafka_connection import Connection, KafkaData, connected
from services.cli.options import AsJson
from services.cli.worker_figures import WebPort, figures_words, own_port, require_free
from services.cli.worker_fleet import Concurrency, Member, is_parent, run_fleet, say_prepared, say_ready
from services.cli.worker_options import DEFAULT_SESSION_TIMEOUT_S, DEFAULT_STATE, Host, SessionTimeout, State, Store

if TYPE_CHECKING:
    from services.monitor.projection.worker import MonitorSetup

DEFAULT_WEB_PORT = 8730


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog="Example: ccr worker monitor --store postgresql://ccr@db/ccr")(connected(monitor, KafkaData))


def monitor(
    store: Store,
    where: Connection,
    data: State = DEFAULT_STATE,
    read_model: Annotated[
        str | None,
        typer.Option(
            "--read-model",
            envvar="CCR_READ_MODEL",
            metavar="ADDRESS",
            help="Keep events, links and transitions also as tables to query: postgresql://USER@HOST/NAME or "
            "sqlite:///FILE.",
            show_default=False,
        ),
    ] = None,
    concurrency: Concurrency = 1,
    host: Host = "127.0.0.1",
    web_port: WebPort = DEFAULT_WEB_PORT,
    session_timeout: SessionTimeout = DEFAULT_SESSION_TIMEOUT_S,
    as_json: AsJson = False,
    member: Member = None,
) -> None:
    """Bring what the casebook's workers say to the store, where alerts, links and cases are read, until Ctrl-C.

    Without one of these nobody is alerted. Any number of them share the work; stopped, killed or cut off, others go on
    where the store says that it is. When the store does not answer, everything waits on Kafka: GET /readyz on
    --web-port says why, and GET /metrics how far behind it is. With --concurrency, send SIGHUP to replace the processes
    one after another, for example after an update.
    """
    from services.cli.printing import json_line, say
    from services.engine.content_free import log_without_content
    from services.engine.kafka.apps import AppSettings
    from services.engine.kafka.apps.member import member_of
    from services.monitor.projection.worker import SERVICE, MonitorSetup

    if is_parent(concurrency, member):
        run_fleet(concurrency, host, web_port, as_json=as_json)
        return
    log_without_content()
    say_prepared(to_parent=member is not None)
    port = own_port(web_port, member)
    with member_of(data, SERVICE, member or 0, wait=member is not None) as own:
        require_free(host, port)
        app = AppSettings(
            SERVICE,
            where.bootstrap,
            own.directory,
            own.instance,
            host,
            port,
            where.security,
            session_timeout_s=session_timeout,
        )
        _run(MonitorSetup(app, store, read_model), to_parent=member is not None, as_json=as_json)
    if as_json:
        json_line({"stopped": True, "pid": os.getpid()})
    elif member is None:
        say("stopped; what was told is in the store, and the rest waits on the topics")


def _run(setup: MonitorSetup, *, to_parent: bool, as_json: bool) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_worker(setup, to_parent=to_parent, as_json=as_json))


async def _worker(setup: MonitorSetup, *, to_parent: bool, as_json: bool) -> None:
    from services.cli.stopping import stop_asked
    from services.engine.kafka.apps.running import end_at_once
    from services.monitor.projection.worker import run_monitor

    def ready() -> None:
        figures = figures_words(setup.app.web_host, setup.app.web_port)
        words = f"monitor    {setup.app.instance}\n{figures}kafka      {setup.app.bootstrap}\nStop with Ctrl-C."
        say_ready(words, to_parent=to_parent, as_json=as_json)

    async with stop_asked() as stopping:
        await run_monitor(setup, stopping, ready=ready, give_up=end_at_once)
