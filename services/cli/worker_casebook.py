"""`ccr worker casebook`: events folded into cases, and the deadlines of their links fired."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.kafka_connection import Connection, KafkaData, connected
from services.cli.options import AsJson, Policies
from services.cli.worker_figures import WebPort, figures_words, own_port, require_free
from services.cli.worker_fleet import Concurrency, Member, is_parent, run_fleet, say_prepared, say_ready
from services.cli.worker_options import DEFAULT_SESSION_TIMEOUT_S, DEFAULT_STATE, Host, SessionTimeout, State

if TYPE_CHECKING:
    from services.casebook.worker import CasebookSetup
    from services.engine.kafka.apps import AppSettings

DEFAULT_WEB_PORT = 8710


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog="Example: ccr worker casebook --bootstrap kafka1:9092 --data casebook --concurrency 4")(
        connected(casebook, KafkaData)
    )


def casebook(
    where: Connection,
    data: State = DEFAULT_STATE,
    policies: Policies = None,
    concurrency: Concurrency = 1,
    host: Host = "127.0.0.1",
    web_port: WebPort = DEFAULT_WEB_PORT,
    session_timeout: SessionTimeout = DEFAULT_SESSION_TIMEOUT_S,
    standby: Annotated[
        bool,
        typer.Option(
            "--standby/--no-standby", help="Follow what other workers do, to take over a partition within a moment."
        ),
    ] = True,
    as_json: AsJson = False,
    member: Member = None,
) -> None:
    """Fold events into cases and tell what they oblige to, until Ctrl-C.

    Any number of these share the work, on any number of machines, up to one for each partition. Stopped, killed or cut
    off, others go on where it was. With --concurrency, send SIGHUP to replace the processes one after another while
    they work, for example after an update.
    """
    from services.cli.printing import json_line, say

    if is_parent(concurrency, member):
        run_fleet(concurrency, host, web_port, as_json=as_json)
        return
    from services.engine.kafka.apps import AppSettings
    from services.engine.kafka.apps.member import member_of

    port = own_port(web_port, member)
    settings = AppSettings(
        "casebook", where.bootstrap, data, None, host, port, where.security, session_timeout_s=session_timeout
    )
    setup = _setup(settings, policies)
    say_prepared(to_parent=member is not None)
    with member_of(data, "casebook", member or 0, wait=member is not None) as own:
        require_free(host, port)
        app = replace(settings, directory=own.directory, instance=own.instance)
        _run(replace(setup, app=app, standby=standby), to_parent=member is not None, as_json=as_json)
    if as_json:
        json_line({"stopped": True, "pid": os.getpid()})
    elif member is None:
        say("stopped; what was folded is on Kafka and in the state, and the rest waits on the topic")


def _setup(settings: AppSettings, policies: Path | None) -> CasebookSetup:
    """Everything that takes time to load, before the directory is taken over."""
    from ccr_events.policy import load_policies
    from services.casebook.worker import CasebookSetup
    from services.engine.content_free import log_without_content

    log_without_content()
    return CasebookSetup(settings, load_policies(policies))


def _run(setup: CasebookSetup, *, to_parent: bool, as_json: bool) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_worker(setup, to_parent=to_parent, as_json=as_json))


async def _worker(setup: CasebookSetup, *, to_parent: bool, as_json: bool) -> None:
    from services.casebook.worker import run_casebook
    from services.cli.stopping import stop_asked
    from services.engine.kafka.apps.running import end_at_once

    def ready() -> None:
        figures = figures_words(setup.app.web_host, setup.app.web_port)
        words = f"casebook   {setup.app.instance}\n{figures}kafka      {setup.app.bootstrap}\nStop with Ctrl-C."
        say_ready(words, to_parent=to_parent, as_json=as_json)

    async with stop_asked() as stopping:
        await run_casebook(setup, stopping, ready=ready, give_up=end_at_once)
