"""A worker that is killed when its events are committed and not sent: `python doomed.py ADDRESS`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from services.engine.sql import OutgoingRecord, open_store
from tests.support.core_rules import fact
from tests.support.records import record


class Killed:
    """Implements `services.engine.sql.Outgoing`."""

    def send(self, records: Sequence[OutgoingRecord]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


async def main(address: str) -> None:
    async with open_store(address, Killed()) as store:
        facts = [fact(n, "call.closed", n) for n in (1, 2, 3)]
        await store.writer.write(lambda tx: [tx.events.append(record(f)) for f in facts])


asyncio.run(main(sys.argv[1]))
