"""kill -9 between commit and send: the next worker has the turn at once, and sends what the dead one could not."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.engine.sql import open_store
from tests.support.core_rules import event_id, fact
from tests.support.records import record
from tests.support.sending import Sent

ROOT = Path(__file__).parents[4]


async def test_what_a_killed_worker_committed_is_sent_by_the_next(
    address: str, sent: Sent, rows: Callable[[str], list[Any]]
) -> None:
    doomed = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("doomed.py")), address, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    assert await doomed.wait() == -signal.SIGKILL
    assert rows("SELECT position FROM store_unsent ORDER BY position") == [(1,), (2,), (3,)]
    async with open_store(address, sent) as store:
        assert await store.writer.write(lambda tx: tx.events.append(record(fact(4, "call.closed", 4)))) == 4
        await store.writer.write(lambda tx: tx.events.find(event_id(4)))
    assert sent.ids == [event_id(n) for n in (1, 2, 3, 4)]
    assert rows("SELECT position FROM store_unsent") == []
