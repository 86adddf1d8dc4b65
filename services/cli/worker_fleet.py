"""`--concurrency N`: so many processes of one worker command, under a parent that starts and replaces them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from services.cli.stopping import stop_asked, stop_with_parent

MOST_WORKERS = 64
"""Most processes of one command."""

Concurrency = Annotated[
    int,
    typer.Option("--concurrency", min=1, max=MOST_WORKERS, metavar="N", help="So many processes, under one parent."),
]
Member = Annotated[int | None, typer.Option(hidden=True, help="Number of a process under a parent.")]


def is_parent(concurrency: int, member: int | None) -> bool:
    """Whether this process is to run others, and not to work itself. One of others ends with its parent."""
    if member is not None:
        stop_with_parent()
    return concurrency > 1 and member is None


def run_fleet(concurrency: int, host: str, web_port: int | None, *, as_json: bool) -> None:
    """Run this very command line so many times, until Ctrl-C; SIGHUP replaces the processes one after another.

    `web_port`: of the first one's figures. Raises `CannotServe` when one of their ports is taken.
    """
    from services.cli.printing import json_line, say
    from services.cli.worker_figures import figures_words, require_free

    require_free(host, web_port, concurrency)
    if not as_json:
        parent = os.getpid()
        say(f"{figures_words(host, web_port, concurrency)}{concurrency} processes under {parent}.")
        say(f"Ctrl-C stops them, kill -HUP {parent} replaces them one by one.")
    failures = asyncio.run(_fleet(concurrency))
    if as_json:
        json_line({"workers": concurrency, "ended_badly": failures})
    if failures:
        raise typer.Exit(1)


def say_ready(words: str, *, to_parent: bool, as_json: bool) -> None:
    """This worker works: to the parent, or to a person."""
    from services.cli.printing import say
    from services.engine.kafka.apps.fleet import READY

    if to_parent:
        print(READY, flush=True)  # noqa: T201
    elif not as_json:
        say(words)


def say_prepared(*, to_parent: bool) -> None:
    """Everything that takes time is loaded: the process that this one replaces may end."""
    from services.engine.kafka.apps.fleet import PREPARED

    if to_parent:
        print(PREPARED, flush=True)  # noqa: T201


async def _fleet(concurrency: int) -> int:
    """Run the processes; returns how many ended badly."""
    from services.cli.printing import warn
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
