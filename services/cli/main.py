"""The `ccr` command: every group of commands in one application, and its entry point."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import typer
from typer.main import get_command

from services.cli.refused import FAILED, INTERRUPTED, failed

GROUPS: Mapping[str, tuple[str, ...]] = {
    "service": ("up",),
    "demo": ("demo",),
    "simulate": ("simulate",),
    "watch": ("watch",),
    "links": ("links", "link", "ack", "complete", "waive"),
    "cases": ("case", "open"),
    "publish": ("publish",),
    "ingest": ("ingest",),
    "tables": ("csv",),
    "import_history": ("import",),
    "spool": ("spool",),
    "quarantine": ("quarantine",),
    "proposals": ("proposals",),
    "keys": ("keys",),
    "status": ("status", "version"),
    "replay": ("replay",),
    "indicators": ("indicators",),
    "policy": ("policy",),
    "schema": ("schema",),
    "kafka": ("kafka",),
    "worker": ("worker",),
}
"""Module of this package → the commands its `register(app)` adds. An answer to an alert must not wait for the whole
catalogue to load, so only the module of the command asked for is imported; for help, all are."""


def application(command: str | None = None) -> typer.Typer:
    """The `ccr` command with the group that `command` belongs to, or with every group."""
    app = typer.Typer(
        name="ccr",
        help="Coordinated Community Response: agencies publish events, written policies turn them into protocol "
        "links, and whoever must act next is alerted. Start with: ccr demo, or ccr up.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_nothing_in_common)
    for name in [name for name, commands in GROUPS.items() if command in commands] or GROUPS:
        import_module(f"services.cli.{name}").register(app)
    return app


def _nothing_in_common() -> None:
    """Makes `ccr` a group of commands even when only one of them is loaded."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status."""
    try:
        get_command(application(next(iter(arguments), None)))(args=list(arguments), prog_name="ccr")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        status = FAILED
    except Exception as error:
        status = failed(error)
    else:
        status = 0
    return _flushed(status)


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def _flushed(status: int) -> int:
    """Whoever read our output may be gone (`ccr links | head`): end quietly, also when Python closes the stream."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status or FAILED
    return status
