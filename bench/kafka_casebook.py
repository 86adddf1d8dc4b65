"""The product's own casebook worker as a process for the bench: `python -m bench.kafka_casebook BOOTSTRAP DIRECTORY
[WEB_PORT]`.

Its clock stands before the scripted week, so that no deadline passes: the bench publishes the week in seconds.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from ccr_events.policy import load_policies
from services.casebook.worker import CasebookSetup, run_casebook
from services.cli.stopping import stop_asked
from services.demo.clock import ScriptClock
from services.engine.content_free import log_without_content
from services.engine.kafka.apps import AppSettings

READY = "ready"
"""Said once it works on its partitions."""
BEFORE = datetime(2000, 1, 1, tzinfo=UTC)


async def run(bootstrap: str, directory: Path, web_port: int | None) -> None:
    """Until SIGTERM."""
    settings = AppSettings("casebook", bootstrap, directory, web_port=web_port)
    setup = CasebookSetup(settings, load_policies(), ScriptClock(BEFORE))
    async with stop_asked() as stopping:
        await run_casebook(setup, stopping, ready=lambda: print(READY, flush=True))


def main(bootstrap: str, directory: str, web_port: str = "") -> None:
    """Run it."""
    log_without_content()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(bootstrap, Path(directory), int(web_port) if web_port else None))


if __name__ == "__main__":
    main(*sys.argv[1:])
