"""Weeks in steps, for workers that fire the deadlines themselves: what is published, when the clock moves on, and what
the embedded engine makes of the same events in the same steps.

Between two moves the clock stands. A step ends with everything fired that has passed, so an event of the backbone's
own has one place among those of its case and one time at which it is recorded, whatever happens meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from ccr_events.core.derive import DEADLINE_REACHED
from ccr_events.policy import PolicyBook
from services.casebook.deadline_reached import deadline_record
from services.casebook.partition_deadlines import PAGE
from services.casebook.recorder import Casebook
from services.demo.acts import ends_at
from services.demo.scenario import load_week
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import NewRecord, Transaction
from tests.support.kafka_week import Embedded, made_by, weeks_records
from tests.support.records import Silent


@dataclass(frozen=True, slots=True)
class Stepped:
    """A script, and what is to come of it."""

    made: Embedded
    published: frozenset[str]
    """Ids of what is published; the rest of the log the backbone makes of it."""
    starts_at: datetime
    """Where the clock stands at first."""
    moves: Mapping[int, datetime]
    """Place in the log → where the clock is moved to once all before it stands there."""


def undated_weeks(policies: PolicyBook, count: int) -> list[NewRecord]:
    """Weeks of so many seeds beside each other, as they were recorded, without the deadlines that were reached."""
    records = [each for each in weeks_records(policies, count) if each.fact.type != DEADLINE_REACHED]
    return sorted(records, key=lambda each: each.fact.recorded_at)


async def embedded_steps(directory: Path, records: Sequence[NewRecord], policies: PolicyBook, steps: int) -> Stepped:
    """Fold records on an embedded engine of its own; the clock moves on so many times, and wherever a report comes so
    late that a deadline has passed before its link is there."""
    starts_at = records[0].fact.recorded_at
    every = max(1, len(records) // steps)
    async with open_engine(directory) as engine:
        stepping = _Stepping(engine, policies, starts_at)
        for number, record in enumerate(records):
            if number % every == 0:
                await stepping.pass_time(record.fact.recorded_at)
            await stepping.publish(record)
        await stepping.pass_time(ends_at(load_week()))
        made, positions = await made_by(engine)
    places = {position: place for place, position in enumerate(positions)}
    return Stepped(
        made,
        frozenset(each.fact.id for each in records),
        starts_at,
        {places.get(position, len(made.log)): at for position, at in stepping.moves.items()},
    )


class _Passed(Exception):
    """A deadline had passed before its link was there."""


@dataclass
class _Stepping:
    engine: SqliteEngine
    policies: PolicyBook
    now: datetime
    moves: dict[int, datetime] = field(default_factory=dict)
    """Position of the first record behind a move → where to."""
    _end: int = 0
    _moved_to: datetime | None = None

    def __post_init__(self) -> None:
        self._casebook = Casebook(self.policies, Silent())

    async def publish(self, record: NewRecord) -> None:
        """At a time at which nothing that follows is late already."""
        try:
            position = await self.engine.writer.write(partial(self._in_time, record=record))
        except _Passed:
            await self.pass_time(record.fact.recorded_at)
            position = await self.engine.writer.write(partial(self._casebook.append, record=record))
        self._note(position)
        await self._fire()

    async def pass_time(self, until: datetime) -> None:
        """Move the clock and fire what has passed, as the owner of a partition does: all of it in firing order, and
        again what has come of it."""
        self.now = self._moved_to = until
        await self._fire()

    async def _fire(self) -> None:
        while positions := await self.engine.writer.write(self._fire_passed):
            self._note(positions[0])

    def _in_time(self, tx: Transaction, record: NewRecord) -> int:
        position = self._casebook.append(tx, record)
        if tx.deadlines.due(self.now, 1):
            raise _Passed
        return position

    def _fire_passed(self, tx: Transaction) -> list[int]:
        due = tx.deadlines.due(self.now, PAGE)
        assert len(due) < PAGE, "more deadlines in a step than a worker fires at once: take more steps"
        edition = self.policies.edition_at(self.now).id
        return [self._casebook.append(tx, deadline_record(each, self.now, edition)) for each in due]

    def _note(self, position: int) -> None:
        if self._moved_to is not None:
            self.moves[position] = self._moved_to
            self._moved_to = None
