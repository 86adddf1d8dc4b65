"""A casebook worker as a process of its own, on the event loop of `ccr worker`, with a clock that a test moves.

`python -m tests.faults.worker BOOTSTRAP GROUP DATA NUMBER CLOCKS SESSION_TIMEOUT_S [WEB_PORT]`
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ccr_events.policy import load_policies
from services.casebook.worker import CasebookSetup, run_casebook
from services.cli.refused import words_of
from services.cli.stopping import stop_asked
from services.engine.content_free import log_without_content
from services.engine.kafka.apps import AppSettings
from services.engine.kafka.apps.fleet import PREPARED, READY
from services.engine.kafka.apps.member import member_of
from services.engine.kafka.apps.running import end_at_once
from tests.faults.clocks import WorkersClock
from tests.faults.proxy import RoundaboutLoop


async def run(setup: CasebookSetup) -> None:
    async with stop_asked() as stopping:
        await run_casebook(setup, stopping, ready=lambda: print(READY, flush=True), give_up=end_at_once)


def main(
    bootstrap: str, group: str, data: str, number: str, clocks: str, session_timeout_s: str, web_port: str = ""
) -> None:
    log_without_content()
    policies = load_policies()
    print(PREPARED, flush=True)
    with member_of(Path(data), group, int(number), wait=True) as own:
        port = int(web_port) if web_port else None
        settings = AppSettings(
            group,
            bootstrap,
            own.directory,
            own.instance,
            web_port=port,
            session_timeout_s=float(session_timeout_s),
        )
        setup = CasebookSetup(settings, policies, WorkersClock(Path(clocks), int(number)))
        try:
            with asyncio.Runner(loop_factory=RoundaboutLoop) as runner:
                runner.run(run(setup))
        except Exception as ended:
            sys.exit(f"ended: {words_of(ended) or type(ended).__name__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
