"""Appending without folding: what the case index is told of merges is what folding tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ccr_events.envelope import Event
from services.casebook.appending import AppendOnly
from services.engine.ports import Receipt, Submission
from services.engine.sql.outgoing import OutgoingRecord
from services.engine.sql.store import SqlStore, open_store
from services.engine.transaction import NewRecord, RecordTooLarge, StorageFailed
from services.intake.door import Door
from services.sealing.hashes import KeyedHashes
from services.sealing.sealer import Sealer
from services.sealing.shared_keystore import SharedKeyStore, open_shared_keys
from tests.support.doors import MASTER, Counting, SetClock, an_event, doorway, event_id, policies

FIRST, SECOND = (("incident_no", "26-1"),), (("incident_no", "26-2"),)


class Sent:
    """Takes everything."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def send(self, records: Sequence[OutgoingRecord]) -> None:
        self.ids += [record.event_id for record in records]


def check(record: NewRecord) -> None:
    if len(record.body) > 5_000:
        raise RecordTooLarge("is too large for the log")


def door_of(store: SqlStore, keys: SharedKeyStore) -> Door:
    return Door(
        writer=store.writer,
        append=AppendOnly(check).append,
        policies=policies(),
        clock=SetClock(),
        observer=Counting(),
        sealer=Sealer(keys),
        hashes=KeyedHashes(MASTER),
    )


def merge(number: int, losing: str, into: str, **more: Any) -> Event:
    event = an_event(number, "case.merged", into=into, cause="shared_references")
    return replace(event, case_id=losing, **more)


def retraction(number: int, of: int) -> Event:
    return an_event(number, "event.retracted", reason="entered_in_error", corrects=of)


async def told(door: Door, event: Event, agency: str = "le") -> Receipt:
    [receipt] = await door.submit([Submission(event, agency, "0" * 16)])
    return receipt


async def placed(door: Door) -> list[str | None]:
    """The cases of events while a merge comes, goes, and comes again by a correction."""
    one = (await told(door, an_event(1, refs=FIRST))).case_id
    other = (await told(door, an_event(2, refs=SECOND))).case_id
    assert one is not None
    assert other is not None
    seen = []
    acts = [merge(3, other, one), retraction(4, 3), merge(5, other, one), merge(6, one, other), retraction(7, 5)]
    for number, act in enumerate(acts, 10):
        receipt = await told(door, act, "ccr")
        seen.append(receipt.status if receipt.case_id is None else receipt.case_id)
        seen += [
            (await told(door, an_event(number * 10 + n, refs=refs))).case_id for n, refs in enumerate((FIRST, SECOND))
        ]
    return seen


async def test_the_next_event_is_placed_as_if_the_merge_had_been_folded(tmp_path: Path) -> None:
    async with doorway(tmp_path / "embedded") as way:
        folded = await placed(way.door)
    sent, keys = Sent(), open_shared_keys(f"sqlite:///{tmp_path / 'keys.sqlite'}", MASTER)
    async with open_store(f"sqlite:///{tmp_path / 'store.sqlite'}", sent) as store:
        store.writer.before_commit(keys.flush)
        assert await placed(door_of(store, keys)) == folded
        log = await store.log.read(0)
    keys.close()
    assert sent.ids == [record.event_id for record in log]
    assert len(set(folded)) > 2  # both cases, and a merge that is refused


async def test_what_is_too_large_is_neither_appended_nor_sent(tmp_path: Path) -> None:
    sent, keys = Sent(), open_shared_keys(f"sqlite:///{tmp_path / 'keys.sqlite'}", MASTER)
    async with open_store(f"sqlite:///{tmp_path / 'store.sqlite'}", sent) as store:
        store.writer.before_commit(keys.flush)
        door = door_of(store, keys)
        large = await told(door, an_event(1, refs=FIRST, narrative="x" * 6_000))
        assert (large.status, large.title) == ("quarantined", "is too large for the log")
        assert (await told(door, an_event(2, refs=FIRST))).position == 1
        assert await store.log.known([event_id(1), event_id(2)]) == {event_id(2)}
    keys.close()
    assert sent.ids == [event_id(2)]


async def test_a_retry_after_kafka_refused_is_a_duplicate_that_was_sent(tmp_path: Path) -> None:
    class Refusing(Sent):
        """Refuses once."""

        refused = False

        def send(self, records: Sequence[OutgoingRecord]) -> None:
            if not self.refused:
                self.refused = True
                raise RuntimeError("no leader")
            super().send(records)

    sent, keys = Refusing(), open_shared_keys(f"sqlite:///{tmp_path / 'keys.sqlite'}", MASTER)
    async with open_store(f"sqlite:///{tmp_path / 'store.sqlite'}", sent) as store:
        store.writer.before_commit(keys.flush)
        door = door_of(store, keys)
        with pytest.raises(StorageFailed, match="Kafka did not take"):
            await told(door, an_event(1, refs=FIRST))
        assert sent.ids == []
        assert (await told(door, an_event(1, refs=FIRST))).status == "duplicate"
    keys.close()
    assert sent.ids == [event_id(1)]
