"""A casebook worker as a process of its own, with a clock that stands, and is set years back by SIGUSR1.

`python -m tests.faults.worker BOOTSTRAP GROUP DATA NUMBER CLOCK SESSION_TIMEOUT_S [WEB_PORT]`
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import datetime
from pathlib import Path

from ccr_events.policy import load_policies
from services.casebook.worker import CasebookSetup, run_casebook
from services.cli.refused import words_of
from services.cli.stopping import stop_asked
from services.demo.clock import ScriptClock
from services.engine.content_free import log_without_content
from services.engine.kafka.apps import AppSettings
from services.engine.kafka.apps.fleet import PREPARED, READY
from services.engine.kafka.apps.member import member_of
from services.engine.kafka.apps.running import end_at_once
from tests.faults.proxy import go_round

SET_BACK = signal.SIGUSR1


class FaultyClock(ScriptClock):
    """It stands, and goes back."""

    def set_back(self) -> None:
        """By twenty years, in the middle of whatever the worker does."""
        self._now = self._now.replace(year=self._now.year - 20)


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
        faulty = FaultyClock(datetime.fromisoformat(clock))
        signal.signal(SET_BACK, lambda *_: faulty.set_back())
        setup = CasebookSetup(settings, policies, faulty)
        try:
            asyncio.run(run(setup))
        except Exception as ended:
            sys.exit(f"ended: {words_of(ended) or type(ended).__name__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
