"""The door of the backbone, unchanged, on the SQL store: what it accepts is on its way to Kafka when it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from ccr_events.codes.backbone import ReadPurpose
from ccr_events.envelope import Event, decode_record
from services.engine.ports import AuthenticatedKey, Receipt, Submission
from services.engine.sql import SqlStore, open_store
from services.engine.transaction import NewRecord, StorageFailed, Transaction
from services.identity.proposals import MergeProposals
from services.intake.door import Door
from services.intake.quarantine import KeptQuarantine
from services.sealing.access import Opener
from services.sealing.hashes import KeyedHashes
from services.sealing.keystore import FILE_NAME, KeyStore
from services.sealing.sealer import Sealer
from tests.support.doors import MASTER, Counting, SetClock, an_event, event_id, party, policies
from tests.support.sending import Sent


def append(tx: Transaction, record: NewRecord) -> int:
    """Appended here, folded elsewhere."""
    return tx.events.append(record)


@dataclass
class Doorway:
    store: SqlStore
    door: Door
    quarantine: KeptQuarantine
    proposals: MergeProposals
    opener: Opener

    async def submit(self, *events: Event, agency: str = "le") -> list[Receipt]:
        return await self.door.submit([Submission(e, agency, "0" * 16) for e in events])


@asynccontextmanager
async def doorway(address: str, directory: Path, sent: Sent) -> AsyncIterator[Doorway]:
    async with open_store(address, sent) as store:
        keys, hashes, clock, observer = (
            KeyStore(directory / FILE_NAME, MASTER),
            KeyedHashes(MASTER),
            SetClock(),
            Counting(),
        )
        try:
            store.writer.before_commit(keys.flush)
            sealer = Sealer(keys)
            door = Door(
                writer=store.writer,
                append=append,
                policies=policies(),
                clock=clock,
                observer=observer,
                sealer=sealer,
                hashes=hashes,
            )
            held = KeptQuarantine(store.writer, door, clock, sealer, hashes)
            opener = Opener(store.writer, keys, clock, observer)
            yield Doorway(store, door, held, MergeProposals(store.writer, door, clock), opener)
        finally:
            await store.writer.close()
            keys.close()


@pytest.fixture
async def way(address: str, tmp_path: Path, sent: Sent) -> AsyncIterator[Doorway]:
    async with doorway(address, tmp_path, sent) as opened:
        yield opened


COUPLE = (party("suspect", "Sam", born="1990-01-01"), party("victim", "Vera", born="1991-02-02"))


async def test_events_find_their_case_and_are_sent(way: Doorway, sent: Sent) -> None:
    first = await way.submit(
        an_event(1, refs=(("incident_no", "26-1"),), parties=COUPLE),
        an_event(2, refs=(("incident_no", "26-1"), ("court_case_no", "B-1"))),
        an_event(3, refs=(("cad_no", "C-9"),)),
    )
    later = await way.submit(an_event(4, parties=COUPLE))
    assert [r.status for r in (*first, *later)] == ["accepted"] * 4, [*first, *later]
    cases = [r.case_id for r in (*first, *later)]
    assert cases[0] == cases[1] == cases[3] != cases[2]
    assert [r.position for r in (*first, *later)] == [1, 2, 3, 4]
    assert sent.ids == [event_id(n) for n in (1, 2, 3, 4)]
    assert [r.case_id for r in sent.records] == cases
    recorded = [datetime.fromisoformat(decode_record(r.body)["recordedtime"]) for r in sent.records]
    assert sorted(set(recorded)) == recorded
    assert b"Testperson" not in b"".join(r.body for r in sent.records)


async def test_the_same_event_again_is_known_and_another_one_is_a_conflict(way: Doorway, sent: Sent) -> None:
    one = an_event(1, refs=(("cad_no", "C-1"),))
    accepted, duplicate = [(await way.submit(one))[0] for _ in range(2)]
    other = (await way.submit(an_event(1, refs=(("cad_no", "C-2"),))))[0]
    assert [r.status for r in (accepted, duplicate, other)] == ["accepted", "duplicate", "conflict"]
    assert duplicate.position == accepted.position == 1
    assert sent.ids == [event_id(1)]
    assert len(await way.quarantine.waiting()) == 1


async def test_when_kafka_refuses_the_publisher_hears_it_and_sends_again(way: Doorway, sent: Sent) -> None:
    events = [an_event(n, refs=(("cad_no", f"C-{n}"),)) for n in range(1, 4)]
    sent.refusals = 1
    with pytest.raises(StorageFailed):
        await way.submit(*events)
    assert [r.status for r in await way.submit(*events)] == ["duplicate"] * 3
    assert sent.ids == [event_id(n) for n in (1, 2, 3)]


async def test_a_case_without_room_takes_no_more(way: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccr_events.core.fold.MAX_FACTS_OF_A_CASE", 2)
    refs = (("incident_no", "26-1"),)
    statuses = [(await way.submit(an_event(n, refs=refs)))[0].status for n in range(1, 5)]
    assert statuses == ["accepted", "accepted", "quarantined", "quarantined"]


async def test_people_who_are_alike_are_proposed_and_a_person_decides(way: Doorway, sent: Sent) -> None:
    alike = (party("suspect", "Samm", born="1990-01-01"), party("victim", "Vera", born="1991-02-02"))
    await way.submit(an_event(1, refs=(("incident_no", "26-1"),), parties=COUPLE))
    await way.submit(an_event(2, refs=(("incident_no", "26-2"),), parties=alike))
    (proposal,) = await way.proposals.waiting()
    merged = await way.proposals.accept(proposal.id, by=AuthenticatedKey("k", "ccr"))
    assert merged is not None
    assert merged.status == "accepted"
    assert decode_record(sent.records[-1].body)["type"] == "case.merged"
    assert await way.proposals.waiting() == []


async def test_sealed_fields_are_opened_while_kafka_is_away(way: Doorway, sent: Sent) -> None:
    """An address that somebody is on the way to must not depend on what waits to be sent."""
    await way.submit(an_event(1, refs=(("incident_no", "26-1"),), parties=COUPLE))
    sent.refusals = 100
    with pytest.raises(StorageFailed):
        await way.submit(an_event(2, refs=(("incident_no", "26-1"),)))
    key = AuthenticatedKey("k", "le")
    opened = await way.opener.open(event_id(1), ["VID"], purpose=ReadPurpose.INVESTIGATION.value, by=key)
    assert opened is not None
    assert opened.fields.keys() == {"VID"}, opened.denied
    assert len(await way.store.writer.read(lambda tx: tx.audit.entries(0, 9))) == 1


async def test_a_number_that_the_database_cannot_hold_holds_up_nobody(way: Doorway, sent: Sent) -> None:
    strange = an_event(2, refs=(("incident_no", "26-\x00"),))
    receipts = await way.submit(an_event(1), strange, an_event(3))
    assert [receipts[0].status, receipts[2].status] == ["accepted", "accepted"]
    assert receipts[1].status in ("accepted", "quarantined")
    assert (await way.submit(an_event(4)))[0].status == "accepted"
    assert len(sent.ids) == len(set(sent.ids)) == 3 + (receipts[1].status == "accepted")
