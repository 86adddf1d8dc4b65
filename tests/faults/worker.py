"""A casebook worker as a process of its own, with a clock that stands.

`python -m tests.faults.worker BOOTSTRAP GROUP DATA NUMBER CLOCK SESSION_TIMEOUT_S [WEB_PORT]`
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from ccr_events.policy import load_policies
from services.casebook.worker import CasebookSetup, run_casebook
from services.cli.refused import words_of
from services.cli.stopping import stop_asked
from services.demo.clock import ScriptClock
from services.engine.kafka.apps import AppSettings
from services.engine.kafka.apps.content_free import log_without_content
from services.engine.kafka.apps.fleet import PREPARED, READY
from services.engine.kafka.apps.member import member_of
from services.engine.kafka.apps.running import end_at_once
from tests.faults.proxy import go_round


async def run(setup: CasebookSetup) -> None:
    async with stop_asked() as stopping:
        await run_casebook(setup, stopping, ready=lambda: print(READY, flush=True), give_up=end_at_once)


def main(
    bootstrap: str, group: str, data: str, number: str, clock: str, session_timeout_s: str, web_port: str = ""
) -> None:
    go_round()
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
        setup = CasebookSetup(settings, policies, ScriptClock(datetime.fromisoformat(clock)))
        try:
            asyncio.run(run(setup))
        except Exception as ended:
            sys.exit(f"ended: {words_of(ended) or type(ended).__name__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
