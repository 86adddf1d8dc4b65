"""`ccr worker casebook`: events folded into cases, and the deadlines of their links fired."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.kafka_connection import DEFAULT_DATA, Bootstrap, CaFile, PasswordFile, User, connection
from services.cli.options import AsJson, Policies
from services.cli.worker_options import DEFAULT_STATE, Host, KafkaData, State, WebPort

if TYPE_CHECKING:
    from services.casebook.worker import CasebookSetup
    from services.engine.kafka.apps import AppSettings

MOST_WORKERS = 64
"""Most processes of one command."""

Concurrency = Annotated[
    int,
    typer.Option("--concurrency", min=1, max=MOST_WORKERS, metavar="N", help="So many processes, under one parent."),
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog="Example: ccr worker casebook --bootstrap kafka1:9092 --data casebook --concurrency 4")(
        casebook
    )


def casebook(
    bootstrap: Bootstrap = None,
    kafka_data: KafkaData = DEFAULT_DATA,
    ca_file: CaFile = None,
    user: User = None,
    password_file: PasswordFile = None,
    data: State = DEFAULT_STATE,
    policies: Policies = None,
    concurrency: Concurrency = 1,
    host: Host = "127.0.0.1",
    web_port: WebPort = None,
    standby: Annotated[
        bool,
        typer.Option(
            "--standby/--no-standby", help="Follow what other workers do, to take over a partition within a moment."
        ),
    ] = True,
    as_json: AsJson = False,
    member: Annotated[int | None, typer.Option(hidden=True, help="Number of a process under a parent.")] = None,
) -> None:
    """Fold events into cases and tell what they oblige to, until Ctrl-C.

    Any number of these share the work, on any number of machines, up to one for each partition. Stopped, killed or cut
    off, others go on where it was. With --concurrency, send SIGHUP to replace the processes one after another while
    they work, for example after an update.
    """
    from services.cli.printing import json_line, say

    # Before anything starts: what is missing is told once, by the parent.
    where = connection(bootstrap, kafka_data, ca_file, user, password_file)
    if concurrency > 1 and member is None:
        failures = asyncio.run(_fleet(concurrency))
        if as_json:
            json_line({"workers": concurrency, "ended_badly": failures})
        if failures:
            raise typer.Exit(1)
        return
    from services.engine.kafka.apps import AppSettings
    from services.engine.kafka.apps.fleet import PREPARED
    from services.engine.kafka.apps.member import member_of

    port = None if web_port is None else web_port + (member or 0)
    settings = AppSettings("casebook", where.bootstrap, data, None, host, port, where.security)
    setup = _setup(settings, policies)
    if member is not None:
        print(PREPARED, flush=True)  # noqa: T201  # to the parent
    with member_of(data, "casebook", member or 0, wait=member is not None) as own:
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
    from services.engine.kafka.apps.content_free import log_without_content

    log_without_content()
    return CasebookSetup(settings, load_policies(policies))


def _run(setup: CasebookSetup, *, to_parent: bool, as_json: bool) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_worker(setup, to_parent=to_parent, as_json=as_json))


async def _worker(setup: CasebookSetup, *, to_parent: bool, as_json: bool) -> None:
    from services.casebook.worker import run_casebook
    from services.cli.printing import say
    from services.cli.stopping import stop_asked
    from services.engine.kafka.apps.fleet import READY
    from services.engine.kafka.apps.running import end_at_once

    def ready() -> None:
        if to_parent:
            print(READY, flush=True)  # noqa: T201
        elif not as_json:
            say(f"casebook   {setup.app.instance}\nkafka      {setup.app.bootstrap}\nStop with Ctrl-C.")

    async with stop_asked() as stopping:
        await run_casebook(setup, stopping, ready=ready, give_up=end_at_once)


async def _fleet(concurrency: int) -> int:
    """Run the processes; returns how many ended badly."""
    from services.cli.printing import warn
    from services.cli.stopping import stop_asked
    from services.engine.kafka.apps.fleet import Fleet

    fleet = Fleet(_again, concurrency, warn)
    replacing = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, replacing.set)
    async with stop_asked() as stopping:
        await fleet.run(stopping, replacing)
    return fleet.ended_badly


def _again(member: int) -> Sequence[str]:
    """This very command line as one process of several."""
    return [sys.executable, "-c", "from services.cli.main import main; main()", *sys.argv[1:], "--member", str(member)]
