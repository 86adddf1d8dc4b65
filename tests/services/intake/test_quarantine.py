"""What was refused: kept sealed, shown without values, repaired, redriven, discarded, bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from ccr_events.envelope import decode_record, write_structured
from services.engine.ports import Submission
from services.intake import holding
from services.intake.holding import QuarantineFull
from services.intake.quarantine import BodyNotKept, NotWaiting, UnknownEntry
from services.sealing.access import ReadRefused
from tests.support.doors import Doorway, an_event, doorway

WRONG = an_event(1, narrative="what he did", no_such_field=1)
RIGHT = an_event(1, narrative="what he did")


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(tmp_path) as way:
        yield way


async def held(way: Doorway, *, alerting: bool = True) -> str:
    [receipt] = await way.door.submit([Submission(WRONG, "le", "k", alerting)])
    assert receipt.quarantine_id is not None
    return receipt.quarantine_id


async def audit(way: Doorway) -> list[dict[str, str]]:
    return [orjson.loads(e) for _, _, e in await way.engine.writer.read(lambda tx: tx.audit.entries(0, 100))]


async def test_entry_shows_why_and_no_value(way: Doorway) -> None:
    quarantine_id = await held(way)
    [shown] = await way.quarantine.waiting()
    assert shown == await way.quarantine.entry(quarantine_id)
    assert (shown.agency, shown.type, shown.state) == ("le", "arrest.made", "waiting")
    assert [p.pointer for p in shown.problems] == ["/data"]
    assert "what he did" not in repr(shown)
    assert await way.quarantine.waiting(agency="jail") == []
    assert await way.quarantine.entry("no-such-entry") is None


async def test_same_refused_submission_is_kept_once(way: Doorway) -> None:
    assert await held(way) == await held(way)
    assert len(await way.quarantine.waiting()) == 1


async def test_body_is_opened_for_repair_and_the_opening_audited(way: Doorway) -> None:
    quarantine_id = await held(way)
    body = await way.quarantine.open(quarantine_id, purpose="repair", by="0123456789abcdef")
    assert orjson.loads(body) == orjson.loads(orjson.dumps(write_structured(WRONG)))
    [entry] = await audit(way)
    assert (entry["act"], entry["purpose"], entry["key_id"]) == ("opened", "repair", "0123456789abcdef")
    assert entry["quarantine_id"] == quarantine_id
    with pytest.raises(ReadRefused):
        await way.quarantine.open(quarantine_id, purpose="curiosity", by="k")
    with pytest.raises(UnknownEntry):
        await way.quarantine.open("no-such-entry", purpose="repair", by="k")


async def test_repaired_body_is_accepted_in_the_name_of_the_agency_that_sent_it(way: Doorway) -> None:
    quarantine_id = await held(way)
    receipt = await way.quarantine.redrive(quarantine_id, body=orjson.dumps(write_structured(RIGHT)), by="operator")
    assert receipt.status == "accepted"
    [record] = await way.engine.log.read(0)
    assert decode_record(record.body)["agency"] == "le"
    assert await way.quarantine.waiting() == []
    entry = await way.quarantine.entry(quarantine_id)
    assert entry is not None
    assert entry.state == "redriven"
    with pytest.raises(NotWaiting):
        await way.quarantine.redrive(quarantine_id, body=None, by="operator")


async def test_refused_again_it_stays_the_one_entry(way: Doorway) -> None:
    quarantine_id = await held(way)
    still_wrong = orjson.dumps(write_structured(an_event(1, another_field=1)))
    for body in (None, still_wrong, b"no JSON at all"):
        receipt = await way.quarantine.redrive(quarantine_id, body=body, by="operator")
        assert (receipt.status, receipt.quarantine_id) == ("quarantined", quarantine_id)
        assert receipt.problems
    assert [entry.id for entry in await way.quarantine.waiting()] == [quarantine_id]


async def test_as_it_was_it_is_accepted_once_what_it_needed_has_come(way: Doorway) -> None:
    [early] = await way.submit(an_event(5, case_id="a-case-to-come"))
    assert early.quarantine_id is not None
    await way.engine.writer.write(lambda tx: tx.cases.add_case("a-case-to-come"))
    receipt = await way.quarantine.redrive(early.quarantine_id, body=None, by="operator")
    assert (receipt.status, receipt.case_id) == ("accepted", "a-case-to-come")


async def test_redriven_history_still_alerts_nobody(way: Doorway) -> None:
    [early] = await way.door.submit([Submission(an_event(5, dv="yes", case_id="to-come"), "le", "k", alerting=False)])
    assert early.quarantine_id is not None
    await way.engine.writer.write(lambda tx: tx.cases.add_case("to-come"))
    await way.quarantine.redrive(early.quarantine_id, body=None, by="operator")
    page = await anext(aiter(way.engine.alerts.follow(0)))
    assert page
    assert not any(item.alerting for item in page)


async def test_conflict_redriven_as_it_was_is_a_conflict_still(way: Doorway) -> None:
    await way.accept(RIGHT)
    [conflict] = await way.submit(an_event(1, narrative="other words"))
    assert conflict.quarantine_id is not None
    receipt = await way.quarantine.redrive(conflict.quarantine_id, body=None, by="operator")
    assert (receipt.status, receipt.quarantine_id) == ("conflict", conflict.quarantine_id)


async def test_discarded_entry_is_kept_but_waits_no_more_until_it_is_refused_again(way: Doorway) -> None:
    quarantine_id = await held(way)
    await way.quarantine.discard(quarantine_id, by="operator")
    entry = await way.quarantine.entry(quarantine_id)
    assert entry is not None
    assert entry.state == "discarded"
    with pytest.raises(NotWaiting):
        await way.quarantine.discard(quarantine_id, by="operator")
    assert [e["act"] for e in await audit(way)] == ["discarded"]
    assert await held(way) == quarantine_id
    assert [e.id for e in await way.quarantine.waiting()] == [quarantine_id]


async def test_full_quarantine_says_so_and_leaves_other_agencies_alone(
    way: Doorway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MAX_WAITING", 2)
    receipts = await way.submit(*(an_event(n, no_such_field=1) for n in range(3)))
    assert [r.quarantine_id is None for r in receipts] == [False, False, True]
    assert "was not kept" in receipts[2].title
    [again] = await way.submit(an_event(0, no_such_field=1))
    assert again.quarantine_id == receipts[0].quarantine_id
    [other] = await way.submit(an_event(9, "jail.booked", no_such_field=1), agency="jail")
    assert other.quarantine_id is not None
    with pytest.raises(QuarantineFull):
        await way.quarantine.hold(b"bytes", agency="le", key_id="k", type_hint="", title="unreadable", problems=())


async def test_bytes_that_are_no_event_are_kept_and_redriven_repaired(way: Doorway) -> None:
    quarantine_id = await way.quarantine.hold(
        b"\xff not JSON", agency="le", key_id="k", type_hint="jane@nowhere", title="is not valid JSON", problems=()
    )
    entry = await way.quarantine.entry(quarantine_id)
    assert entry is not None
    assert entry.type == "unknown"
    assert await way.quarantine.open(quarantine_id, purpose="repair", by="k") == b"\xff not JSON"
    receipt = await way.quarantine.redrive(quarantine_id, body=orjson.dumps(write_structured(RIGHT)), by="k")
    assert receipt.status == "accepted"


async def test_quarantine_is_bounded_by_size_too(way: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "MAX_WAITING_BYTES", 2_000)
    receipts = await way.submit(*(an_event(n, narrative="w" * 900, no_such_field=1) for n in (1, 2)))
    assert receipts[0].quarantine_id is not None
    assert receipts[1].quarantine_id is None
    assert "full" in receipts[1].title
    assert receipts[1].problems
    [other] = await way.submit(an_event(3, "custody.booked", no_such_field=1), agency="jail")
    assert other.quarantine_id is not None
    await way.quarantine.discard(receipts[0].quarantine_id, by="k")
    [again] = await way.submit(an_event(2, narrative="w" * 900, no_such_field=1))
    assert again.quarantine_id is not None


@pytest.mark.parametrize("settled", ["by number", "by age"])
async def test_settled_bodies_are_dropped_and_the_entries_stay(
    way: Doorway, monkeypatch: pytest.MonkeyPatch, settled: str
) -> None:
    receipts = await way.submit(*(an_event(n, no_such_field=1) for n in (1, 2, 3)))
    first, second, waits = [receipt.quarantine_id or "" for receipt in receipts]
    if settled == "by number":
        monkeypatch.setattr(holding, "KEPT_SETTLED", 1)
    await way.quarantine.discard(first, by="k")
    way.clock.at += holding.KEPT_SETTLED_FOR if settled == "by age" else timedelta(minutes=1)
    way.clock.at += timedelta(seconds=1)
    await way.quarantine.discard(second, by="k")
    with pytest.raises(BodyNotKept, match="no longer kept"):
        await way.quarantine.open(first, purpose="repair", by="k")
    assert await way.quarantine.open(second, purpose="repair", by="k")
    assert await way.quarantine.open(waits, purpose="repair", by="k")
    shown = await way.quarantine.entry(first)
    assert shown is not None
    assert shown.state == "discarded"
    [again] = await way.submit(an_event(1, no_such_field=1))
    assert again.quarantine_id == first
    assert await way.quarantine.open(first, purpose="repair", by="k")


async def test_refused_as_history_and_as_news_it_is_kept_as_both(way: Doorway) -> None:
    history, news = await held(way, alerting=False), await held(way)
    assert history != news
    await way.quarantine.redrive(news, body=orjson.dumps(write_structured(RIGHT)), by="k")
    stored = await way.engine.writer.read(lambda tx: tx.events.find(RIGHT.id))
    assert stored is not None
    assert stored.alerting
