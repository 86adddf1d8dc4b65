"""What the casebook's workers wrote to Kafka, brought into the store: batch by batch, each with the place it brings the
partition to, in one transaction. A batch that was brought already is left out, so reading again from any earlier
offset changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic

from sqlalchemy import Connection, Engine, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from ccr_events.core.codec import encode_transition
from ccr_events.core.model import Fact
from ccr_events.envelope import read_fact
from services.engine.ports import Alertable
from services.engine.sql.database import inserting, shown
from services.engine.sql.editions import note_editions
from services.engine.sql.events import event_row
from services.engine.sql.failure import storage_failed
from services.engine.sql.link_rows import Said, Told, handed_by, put_handed, put_said
from services.engine.sql.tables import CASES, COUNTERS, EVENTS, OUTBOX, POSITIONS, UNSENT
from services.engine.sql.turn import EVENTS_COUNTER, OUTBOX_COUNTER
from services.engine.transaction import NewRecord

MAX_BATCH = 1_000
"""Records of one batch at most."""
CHANNEL = "ccr_outbox"
"""Where PostgreSQL tells every process that listens of a new outbox position."""

Heard = Callable[[Sequence[Alertable]], None]


@dataclass(frozen=True, slots=True)
class Consumed:
    """One event as it came from `ccr.events`."""

    offset: int
    body: bytes = field(repr=False)
    """Log form."""
    alerting: bool = True
    """False for backfilled history."""


class Projection:
    """Writes batches into the store. Synchronous and thread-safe: call it from a thread of its own.

    Raises `StorageFailed`, and then nothing of the batch was written: bring it again.
    """

    def __init__(self, engine: Engine, heard: Heard, lock: AbstractContextManager[object] | None = None) -> None:
        """`heard` is called with new transitions once they are committed; `lock` is held from then until it returns."""
        self._engine = engine
        self._heard = heard
        self._lock = nullcontext() if lock is None else lock

    def position(self, topic: str, partition: int) -> int:
        """The first offset that is not in the store: where to read on."""
        with self._transaction() as connection:
            return _position(connection, topic, partition)

    def project_events(self, records: Sequence[Consumed], *, topic: str, partition: int, upto: int) -> int:
        """Bring in events of a partition, oldest first, at most `MAX_BATCH`; returns how many were new here: those
        that the casebook's workers appended. What intake sent is noted as sent.

        `upto`: the offset after the last one that was read, also when that was left out.
        """
        _check(records)
        with self._transaction() as connection:
            before = _moved(connection, topic, partition, upto)
            fresh = [(record, read_fact(record.body)) for record in records if record.offset >= before]
            if not fresh:
                return 0
            new = _missing(connection, fresh)
            if new:
                last = _count(connection, EVENTS_COUNTER)
                new = _missing(connection, new)  # nobody else appends from here on
                _append(connection, new, last)
            handed = handed_by(fact for _, fact in fresh)
            if handed:
                _count(connection, OUTBOX_COUNTER)  # whoever changes links has this row
                put_handed(connection, handed, _origin(topic, partition))
            _note_sent(connection, [fact.id for _, fact in fresh])
            return len(new)

    def project_transitions(self, records: Sequence[Said], *, topic: str, partition: int, upto: int) -> list[Alertable]:
        """Bring in what `ccr.links` says, oldest first, at most `MAX_BATCH`; returns the transitions that were new,
        with their place in the outbox, which counts without gaps in the order of the commits.

        A link's row is as it was said last. `upto`: as for `project_events`.
        """
        _check(records)
        with self._transaction() as connection:
            before = _moved(connection, topic, partition, upto)
            fresh = [one for one in records if one.offset >= before]
            if not fresh:
                return []
            last = _count(connection, OUTBOX_COUNTER)
            said, new = _unheard(connection, fresh)
            put_said(connection, said, _origin(topic, partition))
            if not new:
                return []
            connection.execute(insert(OUTBOX), [_outbox_row(seq, one) for seq, one in enumerate(new, start=last + 1)])
            _set_count(connection, OUTBOX_COUNTER, last + len(new))
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_notify(CHANNEL, str(last + len(new)))))
            with self._lock:
                connection.commit()
                committed_s = monotonic()
                told = [
                    Alertable(seq, one.transition, one.recorded_at, one.alerting, committed_s)
                    for seq, one in enumerate(new, start=last + 1)
                ]
                self._heard(told)
            return told

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise storage_failed(error, shown(self._engine)) from error


def _check(records: Sequence[object]) -> None:
    if len(records) > MAX_BATCH:
        raise ValueError(f"a batch holds at most {MAX_BATCH} records; this one has {len(records)}")


def _origin(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"


def _position(connection: Connection, topic: str, partition: int, *, lock: bool = False) -> int:
    query = select(POSITIONS.c.next_offset).where(POSITIONS.c.topic == topic, POSITIONS.c.partition == partition)
    return connection.execute(query.with_for_update() if lock else query).scalar() or 0


def _moved(connection: Connection, topic: str, partition: int, upto: int) -> int:
    """Move the partition on; returns where it was. Its row is locked until the transaction ends: of two projections of
    one partition the second waits, and then sees what the first wrote."""
    row = {"topic": topic, "partition": partition, "next_offset": 0}
    connection.execute(inserting(connection.dialect.name, POSITIONS).on_conflict_do_nothing(), row)
    before = _position(connection, topic, partition, lock=True)
    if upto > before:
        where = (POSITIONS.c.topic == topic, POSITIONS.c.partition == partition)
        connection.execute(update(POSITIONS).where(*where).values(next_offset=upto))
    return before


def _count(connection: Connection, name: str) -> int:
    """The newest number given out; nobody else gives any out until this transaction ends."""
    query = select(COUNTERS.c.last).where(COUNTERS.c.name == name).with_for_update()
    last: int = connection.execute(query).scalar_one()
    return last


def _set_count(connection: Connection, name: str, last: int) -> None:
    connection.execute(update(COUNTERS).where(COUNTERS.c.name == name).values(last=last))


def _missing(connection: Connection, records: Sequence[tuple[Consumed, Fact]]) -> list[tuple[Consumed, Fact]]:
    """Those that are not in the store, each once."""
    by_id = {fact.id: (record, fact) for record, fact in reversed(records)}
    query = select(EVENTS.c.event_id).where(EVENTS.c.event_id.in_(by_id.keys()))
    known = set(connection.execute(query).scalars())
    return [pair for event_id, pair in reversed(by_id.items()) if event_id not in known]


def _unheard(connection: Connection, said: Sequence[Said]) -> tuple[list[Said], list[Told]]:
    """What says something new, and the transitions among it that are not in the outbox, each once."""
    ids = {one.transition.id for one in said if isinstance(one, Told)}
    known = set(connection.execute(select(OUTBOX.c.transition_id).where(OUTBOX.c.transition_id.in_(ids))).scalars())
    kept: list[Said] = []
    new: list[Told] = []
    for one in said:
        if isinstance(one, Told):
            if one.transition.id in known:
                continue
            known.add(one.transition.id)
            new.append(one)
        kept.append(one)
    return kept, new


def _append(connection: Connection, new: Sequence[tuple[Consumed, Fact]], last: int) -> None:
    if not new:
        return
    # Nobody publishes these ids, so what stands for the published content need not be a keyed hash.
    rows = [
        event_row(position, NewRecord(fact, record.body, sha256(record.body).digest(), record.alerting))
        for position, (record, fact) in enumerate(new, start=last + 1)
    ]
    connection.execute(insert(EVENTS), rows)
    note_editions(connection, connection.dialect.name, {fact.edition for _, fact in new})
    cases = [{"case_id": case_id} for case_id in dict.fromkeys(fact.case_id for _, fact in new)]
    noted = inserting(connection.dialect.name, CASES).on_conflict_do_nothing(index_elements=["case_id"])
    connection.execute(noted, cases)
    # Intake records nothing earlier than what stands on the log already, whoever appended that.
    newest, known = max(fact.recorded_at for _, fact in new), COUNTERS.c.recorded_at
    later = case((or_(known.is_(None), known < newest), newest), else_=known)
    moved = update(COUNTERS).where(COUNTERS.c.name == EVENTS_COUNTER)
    connection.execute(moved.values(last=last + len(new), recorded_at=later))


def _note_sent(connection: Connection, event_ids: Sequence[str]) -> None:
    """Intake notes the same: rows it has are left to it, so that the two never wait for each other."""
    sent = (
        select(UNSENT.c.position)
        .join(EVENTS, EVENTS.c.position == UNSENT.c.position)
        .where(EVENTS.c.event_id.in_(event_ids))
        .with_for_update(of=UNSENT, skip_locked=True)
    )
    connection.execute(delete(UNSENT).where(UNSENT.c.position.in_(sent)))


def _outbox_row(seq: int, one: Told) -> dict[str, object]:
    return {
        "seq": seq,
        "transition_id": one.transition.id,
        "recorded_at": one.recorded_at,
        "alerting": one.alerting,
        "body": encode_transition(one.transition),
    }
