"""Replay: how fast a log is folded anew and compared with all that is stored, and how fast it is written anew."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench.county import records
from bench.figure import Asked, Figure
from bench.quiet import Quiet
from ccr_events.policy import load_policies
from services.casebook.recorder import Casebook
from services.casebook.refold import refold_directory
from services.casebook.replay import verify
from services.casebook.replay_crew import processes_for
from services.casebook.replay_report import Report
from services.engine.sqlite import open_engine
from services.engine.sqlite.database import DATABASE
from services.engine.transaction import NewRecord, Transaction

GOAL = 40_000
"""Events a second, all processors together."""
ROUNDS = 3
BATCH = 1_000
PART = "replay"


def measure(asked: Asked) -> list[Figure]:
    """Fill a log, then replay it with every processor, with one, and with everything derived lost."""
    with TemporaryDirectory(prefix="ccr-bench-") as temporary:
        directory = asked.data or Path(temporary)
        asyncio.run(_fill(directory, asked.events))
        return [*_compared(directory), _rewritten(directory)]


def _compared(directory: Path) -> list[Figure]:
    policies = load_policies()
    alone_s, report = _timed(lambda: verify(directory, policies), process_time)
    processes = max(processes_for(report.events), 1)
    rounds = sorted(
        report.events / _timed(lambda: verify(directory, load_policies, processes=processes), perf_counter)[0]
        for _ in range(ROUNDS)
    )
    also = {
        "events": report.events,
        "cases": report.cases,
        "transitions": report.transitions,
        "processes": processes,
        "slowest": round(rounds[0]),
        "fastest": round(rounds[-1]),
        "identical": str(report.identical),
    }
    return [
        Figure(PART, "fold anew and compare, all processors, wall clock", median(rounds), "events/s", GOAL, extra=also),
        Figure(PART, "the same in one process, by its processor time", report.events / alone_s, "events/s"),
    ]


def _rewritten(directory: Path) -> Figure:
    """Everything derived is lost and written anew, in a directory nobody else has open."""
    connection = sqlite3.connect(directory / DATABASE, isolation_level=None)
    cases = [case_id for (case_id,) in connection.execute("SELECT case_id FROM cases ORDER BY number")]
    for table in ("facts", "links", "forwards"):
        connection.execute(f"DELETE FROM {table}")
    connection.close()
    policies = load_policies()
    started = perf_counter()
    refold_directory(directory, cases, policies, lambda: datetime.now(UTC))
    taken_s = perf_counter() - started
    report = verify(directory, policies)
    also = {"cases": report.cases, "links": report.links, "identical": str(report.identical)}
    return Figure(PART, "write anew all that was derived, one writer", report.events / taken_s, "events/s", extra=also)


def _timed(work: Callable[[], Report], clock: Callable[[], float]) -> tuple[float, Report]:
    started = clock()
    report = work()
    return clock() - started, report


async def _fill(directory: Path, events: int) -> None:
    policies = load_policies()
    casebook, source = Casebook(policies, Quiet()), records(policies)

    def append(tx: Transaction, batch: list[NewRecord]) -> None:
        for record in batch:
            if tx.events.find(record.fact.id) is None:
                casebook.append(tx, record)

    async with open_engine(directory) as engine:
        left = events
        while left > 0:
            batch = list(islice(source, min(BATCH, left)))
            left -= len(batch)
            await engine.writer.write(lambda tx, batch=batch: append(tx, batch))
