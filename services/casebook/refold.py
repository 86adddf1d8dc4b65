"""A case written anew from the log, in the writer's own transaction, so that nothing it is made of is stale.

Who reads sees what was stored before or what is stored after, never anything in between. Nobody is alerted: what the
outbox told stays as it was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import orjson

from ccr_events.core.fold import refold
from ccr_events.core.rules import Policies
from ccr_events.envelope import decode_record, fact_of
from services.casebook.recorder import merged_into
from services.casebook.replay_case import require_editions
from services.casebook.replay_report import Progress, ReplayRefused
from services.engine.sqlite import open_engine
from services.engine.transaction import Transaction, Writer

MAX_CASES = 500
"""Cases of one request; the log is read through once for each."""
AT_ONCE = 64
"""Cases in the writer at the same time where nobody else waits for it."""
LOCAL = "local"
"""Stands on the audit log for who had the directory itself."""


def refold_case(tx: Transaction, case_id: str, positions: Sequence[int], policies: Policies) -> None:
    """Write facts, links, deadlines and merge of one case anew; `positions` are those of its events on the log.

    Raises `ReplayRefused`, and then nothing of the case has changed.
    """
    facts = {}
    for record in tx.rewriting.records(case_id, positions):
        try:
            fact = fact_of(decode_record(record.body))
        except (ValueError, KeyError, TypeError) as error:
            raise ReplayRefused(
                f"the event at position {record.position:,} of the log cannot be read: restore the newest backup"
            ) from error
        require_editions(policies, fact)
        facts[record.position] = fact
    if not facts and not tx.cases.case_exists(case_id):
        return  # a typing error must not make a case
    view = refold(case_id, {fact.id: fact for fact in facts.values()}, policies)
    tx.rewriting.put(view, facts)
    tx.cases.set_forward(case_id, merged_into(view))


async def refold_cases(
    writer: Writer,
    case_ids: Sequence[str],
    policies: Policies,
    *,
    at: datetime,
    by: str,
    strays: bool = False,
    at_once: int = 1,
) -> None:
    """Write at most `MAX_CASES` cases anew, each in a work of its own: what waits for the writer waits for one case.

    `by`: id of the API key, for the audit log. `strays`: also take away what is filed under numbers no case has.
    Raises `ReplayRefused` and `StorageFailed`; cases done until then stay done.
    """
    entry = {"at": at, "operation": "refold", "key_id": by, "case_ids": sorted(case_ids), "strays": strays}
    await writer.write(lambda tx: tx.audit.append(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)))
    if strays:
        await writer.write(lambda tx: tx.rewriting.sweep())
    found = await writer.read(lambda tx: tx.rewriting.positions(case_ids))
    for first in range(0, len(case_ids), at_once):
        some = case_ids[first : first + at_once]
        await asyncio.gather(*(writer.write(_work(case_id, found[case_id], policies)) for case_id in some))


def refold_directory(
    directory: Path,
    case_ids: Sequence[str],
    policies: Policies,
    now: Callable[[], datetime],
    *,
    strays: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write cases anew in a directory that no process has open. Raises `StorageFailed` when one has."""

    async def run() -> None:
        async with open_engine(directory) as engine:
            for first in range(0, len(case_ids), MAX_CASES):
                some = case_ids[first : first + MAX_CASES]
                swept = strays and first == 0
                await refold_cases(engine.writer, some, policies, at=now(), by=LOCAL, strays=swept, at_once=AT_ONCE)
                if progress is not None:
                    progress(first + len(some), len(case_ids))

    asyncio.run(run())


def _work(case_id: str, positions: Sequence[int], policies: Policies) -> Callable[[Transaction], None]:
    return lambda tx: refold_case(tx, case_id, positions, policies)
