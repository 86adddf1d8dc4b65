"""The same reports once more, in the order of the log, with nothing going wrong: what is stored must be the same.

What must be equal: the log but for its encrypted parts (every encryption has a nonce of its own), facts, links with
their deadlines, the outbox, and which number, pair and merged case belongs where. Not compared: API keys, audit log,
quarantine and sealed names, which hold random bytes or depend on how often something was asked.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random

from ccr_events.envelope import Event, decode_record
from ccr_events.envelope.recorded import SEALED
from services.alerts import receipts as alerts
from services.casebook.deadline_reached import SOURCE as TIMER
from services.casebook.deadline_reached import deadline_record
from services.casebook.recorder import SOURCE as CASEBOOK
from services.casebook.recorder import Casebook
from services.embedded import MASTER_KEY_FILE, Backbone, Settings, open_backbone
from services.engine.ports import Submission
from services.engine.sqlite.database import DATABASE, connect_reading
from services.engine.sqlite.links import COLUMNS
from services.engine.transaction import Deadline, Transaction
from services.identity import proposals
from services.sealing.hashes import KeyedHashes
from services.timer.timer import Timer
from tests.simulation.adapters import KEY_ID
from tests.simulation.books import Books
from tests.simulation.clock import START
from tests.simulation.disk import Disks
from tests.simulation.evidence import Evidence, Logged
from tests.simulation.scheduler import SimulatedLoop
from tests.simulation.substitution import substituted

_KEY_IDS = {alerts.SOURCE: alerts.KEY_ID, proposals.SOURCE: proposals.KEY_ID}
"""Source → under which key the backbone itself publishes."""
_COMPARED = {
    "facts": "SELECT * FROM facts ORDER BY key",
    # Not their row numbers: a link that came and went between two commits has left none.
    "links": f"SELECT {COLUMNS} FROM links ORDER BY link_id",
    "the outbox": "SELECT * FROM outbox ORDER BY seq",
    "cases": "SELECT * FROM cases ORDER BY number",
    "numbers": "SELECT * FROM reference_numbers ORDER BY kind, number, issuer",
    "pairs": "SELECT * FROM dyads ORDER BY suspect, victim",
    "merges": "SELECT * FROM forwards ORDER BY case_id",
}


def same_when_calm(found: Evidence, books: Books) -> Iterator[str]:
    """What differs from a run in which nothing goes wrong."""
    loop, disks = SimulatedLoop(Random(0)), Disks(Random(0))
    try:
        with substituted(loop, disks, Random(0), found.policies), _no_timer():
            disk = disks.new({MASTER_KEY_FILE: (found.directory / MASTER_KEY_FILE).read_bytes()})
            refused = loop.run_until_complete(_played(disk.directory, found, books))
        yield from refused
        if not refused:
            yield from _differences(found.directory, disk.directory, books)
    finally:
        loop.close()
        disks.close()


class _GivenClock:
    """Says what it is told to say; nobody waits on it."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    async def wait_until(self, at: datetime) -> None:
        await asyncio.Event().wait()


@contextmanager
def _no_timer() -> Iterator[None]:
    """Deadlines fire where the log says, and not by themselves."""
    run = Timer.run

    async def idle(_: Timer) -> None:
        await asyncio.Event().wait()

    Timer.run = idle  # type: ignore[method-assign]
    try:
        yield
    finally:
        Timer.run = run  # type: ignore[method-assign]


async def _played(directory: Path, found: Evidence, books: Books) -> list[str]:
    clock = _GivenClock()
    settings = Settings(data=directory, clock=clock, release_is_live=lambda _, at: True)
    hashes = KeyedHashes(found.master)
    refused: list[str] = []
    async with open_backbone(settings) as backbone:
        append = Casebook(found.policies, backbone.metrics).append
        for event in found.log:
            clock.at = event.recorded_at
            source = event.record["source"]
            if source == TIMER:
                record = deadline_record(_deadline(event), clock.at, event.record["policyversion"])
                await backbone.writer.write(partial(_appended, append=append, record=record))
            elif source != CASEBOOK:  # those follow from what caused them
                refused += await _submitted(backbone, event, books, hashes)
    return refused


def _appended(tx: Transaction, append, record) -> None:  # type: ignore[no-untyped-def]
    append(tx, record)


async def _submitted(backbone: Backbone, logged: Logged, books: Books, hashes: KeyedHashes) -> list[str]:
    key_id = _KEY_IDS.get(logged.record["source"], KEY_ID)
    submission = Submission(_event(logged, books, hashes), logged.record["agency"], key_id)
    (receipt,) = await backbone.publisher.submit([submission])
    if (receipt.status, receipt.position, receipt.case_id) == ("accepted", logged.position, logged.case_id):
        return []
    return [
        f"{logged.id} at position {logged.position} of case {logged.case_id} is {receipt.status} at position "
        f"{receipt.position} of case {receipt.case_id} when nothing goes wrong {receipt.title}".rstrip()
    ]


def _event(logged: Logged, books: Books, hashes: KeyedHashes) -> Event:
    """As it was sent; what the backbone itself sent through its door is read off the log."""
    record = logged.record
    occurred_at = datetime.fromisoformat(record["time"])
    for sent in books.sent.get(logged.id, ()):
        as_said = sent.said_once and sent.event.occurred_at == occurred_at
        if as_said or hashes.event_digest(sent.event, sent.agency) == logged.digest:
            return sent.event
    return Event(
        id=logged.id,
        source=record["source"],
        type=record["type"],
        occurred_at=occurred_at,
        data={name: value for name, value in record["data"].items() if name != SEALED},
        case_id=record["caseid"],
        causation_id=record.get("causationid"),
    )


def _deadline(logged: Logged) -> Deadline:
    data = logged.record["data"]
    return Deadline(data["link_id"], logged.case_id, data["step"], datetime.fromisoformat(data["due_at"]))


def _differences(stormy: Path, calm: Path, books: Books) -> Iterator[str]:
    with closing(connect_reading(stormy / DATABASE)) as first, closing(connect_reading(calm / DATABASE)) as second:
        for what, query in _COMPARED.items():
            if first.execute(query).fetchall() != second.execute(query).fetchall():
                yield f"{what} would be others if nothing had gone wrong"
        if _open_parts(first, books) != _open_parts(second, books):
            yield "the log would be another if nothing had gone wrong"


def _open_parts(connection: sqlite3.Connection, books: Books) -> list[object]:
    """The log without encrypted parts; the digest of what the backbone itself sent cannot be told from the log."""
    found: list[object] = []
    for event_id, *row, digest, body in connection.execute(
        "SELECT event_id, position, case_id, alerting, digest, body FROM events ORDER BY position"
    ):
        record = decode_record(body)
        record["data"] = {k: sorted(v) if k == SEALED else v for k, v in record["data"].items()}
        found.append((event_id, row, digest if event_id in books.sent else None, record))
    return found
