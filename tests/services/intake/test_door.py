"""The door: what is accepted, what is a duplicate, what is a conflict, what is refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ccr_events.codes.backbone import KeyRing
from ccr_events.core import fold
from ccr_events.core.ids import answer_event_id, deadline_event_id, notified_event_id
from ccr_events.envelope import decode_record
from services.engine.ports import Submission
from services.engine.transaction import RecordTooLarge
from services.intake import door as door_module
from services.sealing.keys import KeyStoreError
from tests.support.doors import T0, Doorway, an_event, doorway, event_id, party

INCIDENT = ("incident_no", "26-1")


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(tmp_path) as way:
        yield way


async def records(way: Doorway) -> list[dict[str, Any]]:
    return [decode_record(r.body) for r in await way.engine.log.read(0, 1_000)]


async def test_accepted_event_stands_on_the_log_sealed_and_stamped(way: Doorway) -> None:
    [receipt] = await way.accept(an_event(1, refs=(INCIDENT,), narrative="what he did"))
    [record] = await records(way)
    assert (receipt.position, receipt.case_id) == (1, record["caseid"])
    assert (record["agency"], record["recordedtime"]) == ("le", "2026-03-01T22:00:00Z")
    assert record["policyversion"].startswith("2026-01-01")
    assert set(record["data"]["sealed"]) == {"CJI"}
    opened = way.sealer.open_bytes(record["caseid"], event_id(1), "CJI", record["data"]["sealed"]["CJI"])
    assert b"what he did" in opened


async def test_same_event_again_is_a_duplicate_at_the_first_position(way: Doorway) -> None:
    event = an_event(1, refs=(INCIDENT,), narrative="what he did")
    [first] = await way.accept(event)
    await way.accept(an_event(2))
    retried = replace(event, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    for again in (event, retried):
        [receipt] = await way.submit(again)
        assert (receipt.status, receipt.position, receipt.case_id) == ("duplicate", first.position, first.case_id)
    assert len(await records(way)) == 2


async def test_same_id_with_other_content_is_a_conflict_and_kept(way: Doorway) -> None:
    await way.accept(an_event(1, narrative="what he did"))
    [receipt] = await way.submit(an_event(1, narrative="something else"))
    assert receipt.status == "conflict"
    assert "`corrects`" in receipt.title
    [held] = await way.quarantine.waiting()
    assert held.id == receipt.quarantine_id
    assert len(await records(way)) == 1


async def test_same_id_from_another_agency_is_a_conflict(way: Doorway) -> None:
    event = an_event(1, "warrant.updated", status="active")
    await way.accept(event, agency="le")
    [receipt] = await way.submit(event, agency="crim")
    assert receipt.status == "conflict"


async def test_receipts_of_a_batch_are_in_order_and_its_own_duplicates_are_seen(way: Doorway) -> None:
    one, two = an_event(1, refs=(INCIDENT,)), an_event(2)
    changed = replace(one, occurred_at=T0 - timedelta(hours=1))
    wrong = an_event(3, no_such_field=1)
    receipts = await way.submit(one, two, one, wrong, changed, two)
    assert [r.status for r in receipts] == ["accepted", "accepted", "duplicate", "quarantined", "conflict", "duplicate"]
    assert [r.position for r in receipts] == [1, 2, 1, None, None, 2]
    assert [r.event_id for r in receipts] == [event_id(n) for n in (1, 2, 1, 3, 1, 2)]


async def test_batch_larger_than_one_write_keeps_its_order(way: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "MAX_WRITE", 3)
    receipts = await way.accept(*(an_event(n) for n in range(10)))
    assert [r.position for r in receipts] == list(range(1, 11))
    assert [r.event_id for r in receipts] == [event_id(n) for n in range(10)]


async def test_publishers_of_the_same_event_at_once_are_accepted_once(way: Doorway) -> None:
    receipts = await asyncio.gather(*(way.submit(an_event(1, narrative="what he did")) for _ in range(20)))
    statuses = sorted(r.status for [r] in receipts)
    assert statuses == ["accepted"] + ["duplicate"] * 19
    assert {r.position for [r] in receipts} == {1}


@pytest.mark.parametrize(
    ("type_", "agency", "status", "title"),
    [
        ("jail.booked", "le", "forbidden", "le may not publish jail.booked; these agencies may: jail"),
        ("link.notified", "ccr", "forbidden", "only the backbone itself writes link.notified"),
        ("link.deadline_reached", "le", "forbidden", "only the backbone itself writes link.deadline_reached"),
        ("link.opened", "ccr", "forbidden", "link.opened never stands on the shared log"),
        ("release_of_info.granted", "adv", "forbidden", "release_of_info.granted never stands on the shared log"),
        ("arrest.maed", "le", "quarantined", "unknown event type"),
    ],
)
async def test_types_an_agency_may_not_publish(way: Doorway, type_: str, agency: str, status: str, title: str) -> None:
    [receipt] = await way.submit(an_event(1, type_), agency=agency)
    assert (receipt.status, receipt.title) == (status, title)
    assert await records(way) == []
    assert len(await way.quarantine.waiting()) == (status == "quarantined")


async def test_nobody_takes_the_id_of_an_event_to_come(way: Doorway) -> None:
    [first] = await way.accept(an_event(1, dv="yes", refs=(INCIDENT,)))
    link = next(x for x in await way.engine.links.links(case_id=first.case_id) if x.due_at is not None)
    assert link.due_at is not None
    for id_ in (
        deadline_event_id(link.id, 0, link.due_at),
        answer_event_id("acknowledged", link.id, link.agency, link.role),
    ):
        [receipt] = await way.submit(replace(an_event(2), id=id_))
        assert (receipt.status, [p.pointer for p in receipt.problems]) == ("quarantined", ["/id"])


async def test_unknown_type_is_refused_with_the_nearest_known_one(way: Doorway) -> None:
    [receipt] = await way.submit(an_event(1, "arrest.maed"))
    [problem] = receipt.problems
    assert problem.pointer == "/type"
    assert "arrest.made" in problem.message
    assert "arrest.maed" not in problem.message


async def test_backbone_itself_publishes_what_no_key_may(way: Doorway) -> None:
    [first] = await way.accept(an_event(1, dv="yes", refs=(INCIDENT,)))
    link = next(iter(await way.engine.links.links(case_id=first.case_id)))
    event = replace(
        an_event(2, "link.notified", link_id=link.id, agency=link.agency, step=0, channel="stream"),
        id=notified_event_id(link.id, link.agency, 0),
    )
    [receipt] = await way.door.submit([Submission(event, "ccr", "ccr-alerts")])
    assert (receipt.status, receipt.case_id) == ("accepted", first.case_id)
    later = replace(event, occurred_at=event.occurred_at + timedelta(minutes=1))
    [again] = await way.door.submit([Submission(later, "ccr", "ccr-alerts")])
    assert (again.status, again.position) == ("duplicate", receipt.position), "delivered twice, told once"
    [refused] = await way.door.submit([Submission(replace(event, id=event_id(3)), "le", "ccr-alerts")])
    assert refused.status == "forbidden"


async def test_malformed_payload_names_field_and_rule_but_no_value(way: Doorway) -> None:
    [receipt] = await way.submit(an_event(1, narrative=["secret words"], dual_arrest="maybe so"))
    assert receipt.status == "quarantined"
    assert {p.pointer for p in receipt.problems} == {"/data/narrative", "/data/dual_arrest"}
    assert "secret" not in repr(receipt)
    assert "maybe" not in repr(receipt)


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        (an_event(1, corrects=1), "/corrects"),
        (an_event(1, "event.retracted", reason="duplicate"), "/corrects"),
        (an_event(1, parties=({"role": "victim", "token": "p1"},)), "/data/parties/0/token"),
        (an_event(1, "link.acknowledged", link_id="no-such-link", role="officer"), "/data/link_id"),
    ],
)
async def test_events_that_break_a_rule_of_the_contract(way: Doorway, event: Any, pointer: str) -> None:
    [receipt] = await way.submit(event)
    assert (receipt.status, [p.pointer for p in receipt.problems]) == ("quarantined", [pointer])


async def test_each_event_is_recorded_later_than_the_one_before_even_when_the_clock_is_set_back(way: Doorway) -> None:
    await way.accept(an_event(1), an_event(2))
    way.clock.at = T0 - timedelta(hours=1)
    await way.accept(an_event(3))
    way.clock.at = T0 + timedelta(hours=1)
    await way.accept(an_event(4))
    times = [r["recordedtime"] for r in await records(way)]
    assert times == [
        "2026-03-01T22:00:00Z",
        "2026-03-01T22:00:00.000001Z",
        "2026-03-01T22:00:00.000002Z",
        "2026-03-01T23:00:00Z",
    ]


async def test_event_carries_the_edition_in_force_when_it_was_recorded(way: Doorway) -> None:
    way.clock.at = T0.replace(year=2025)
    await way.accept(replace(an_event(1), occurred_at=way.clock.at))
    way.clock.at = T0
    await way.accept(an_event(2))
    before, after = [r["policyversion"] for r in await records(way)]
    assert before < "2026-01-01" < after


async def test_a_fact_from_the_future_is_refused_and_kept_but_a_clock_a_little_ahead_is_not(way: Doorway) -> None:
    early, wrong = an_event(1, minutes=9), an_event(2, minutes=11)
    ahead, future = await way.submit(early, wrong)
    assert ahead.status == "accepted"
    assert (future.status, [p.pointer for p in future.problems]) == ("quarantined", ["/time"])
    assert "offset" in future.problems[0].message
    way.clock.at = T0 + timedelta(minutes=1)
    assert future.quarantine_id is not None
    redriven = await way.quarantine.redrive(future.quarantine_id, body=None, by="k")
    assert redriven.status == "accepted"


async def test_a_placeholder_is_no_number_so_strangers_do_not_meet_in_one_case(way: Doorway) -> None:
    for number in ("string", "N/A", "TBD"):
        (receipt,) = await way.submit(an_event(1, refs=(("incident_no", number),)))
        assert receipt.status == "quarantined"
        assert [p.pointer for p in receipt.problems] == ["/data/references/0/number"]


async def test_backfilled_history_is_folded_and_alerts_nobody(way: Doorway) -> None:
    await way.door.submit([Submission(an_event(1, dv="yes", refs=(INCIDENT,)), "le", "k", alerting=False)])
    page = await anext(aiter(way.engine.alerts.follow(0)))
    assert page
    assert not any(item.alerting for item in page)


async def test_event_that_breaks_the_fold_is_kept_and_does_not_hold_back_the_others(
    way: Doorway, caplog: pytest.LogCaptureFixture
) -> None:
    append = way.door._append

    def breaking(tx: Any, record: Any) -> int:
        if record.fact.id == event_id(2):
            raise ValueError("quoting secret words")
        return append(tx, record)

    way.door._append = breaking
    with caplog.at_level(logging.ERROR):
        receipts = await way.submit(an_event(1), an_event(2, refs=(INCIDENT,)), an_event(3))
    assert [r.status for r in receipts] == ["accepted", "quarantined", "accepted"]
    assert "ValueError" in receipts[1].title
    assert "secret" not in caplog.text + repr(receipts)
    [held] = await way.quarantine.waiting()
    way.door._append = append
    repaired = await way.quarantine.redrive(held.id, body=None, by="k")
    assert repaired.status == "accepted"


async def test_event_too_large_for_the_log_is_kept_with_the_reason_and_holds_back_nobody(way: Doorway) -> None:
    append = way.door._append

    def refusing(tx: Any, record: Any) -> int:
        if record.fact.id == event_id(2):
            raise RecordTooLarge("is too large for the log")
        return append(tx, record)

    way.door._append = refusing
    receipts = await way.submit(an_event(1), an_event(2, refs=(INCIDENT,)), an_event(3))
    assert [(r.status, r.title) for r in receipts] == [
        ("accepted", ""),
        ("quarantined", "is too large for the log"),
        ("accepted", ""),
    ]
    assert receipts[1].quarantine_id is not None


async def test_a_time_is_later_than_what_another_door_recorded(way: Doorway) -> None:
    way.door._recorded_by_others = lambda tx: T0 + timedelta(minutes=5)
    await way.accept(an_event(1), an_event(2))
    assert [r["recordedtime"] for r in await records(way)] == [
        "2026-03-01T22:05:00.000001Z",
        "2026-03-01T22:05:00.000002Z",
    ]


async def test_a_full_case_takes_no_more_reports_says_so_and_holds_back_nobody_else(
    way: Doorway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "MAX_FACTS_OF_A_CASE", 2)
    other = ("incident_no", "26-2")
    receipts = await way.submit(
        *(an_event(n, refs=(INCIDENT,)) for n in (1, 2, 3)), an_event(4, refs=(other,)), an_event(5, refs=(INCIDENT,))
    )
    assert [r.status for r in receipts] == ["accepted", "accepted", "quarantined", "accepted", "quarantined"]
    assert receipts[2].title == door_module.CASE_FULL
    assert receipts[2].quarantine_id is not None
    assert receipts[2].problems == ()


async def test_keys_that_cannot_be_stored_fail_the_publisher_and_nothing_is_accepted(
    way: Doorway, caplog: pytest.LogCaptureFixture
) -> None:
    def full(case_id: str, label: str) -> None:
        raise KeyStoreError("the disk is full")

    key, way.keys.key = way.keys.key, full  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyStoreError):
        await way.submit(an_event(1, narrative="what he did"))
    way.keys.key = key  # type: ignore[method-assign]
    assert await records(way) == []
    assert caplog.text == ""  # raised to the publisher, and so not logged too
    await way.accept(an_event(1, narrative="what he did"))


async def test_event_for_a_destroyed_record_waits_for_a_person(way: Doorway) -> None:
    [first] = await way.accept(an_event(1, refs=(INCIDENT,), narrative="what he did"))
    way.keys.move(str(first.case_id), KeyRing.DESTROYED)
    [receipt] = await way.submit(an_event(2, refs=(INCIDENT,), narrative="more of it"))
    assert receipt.status == "quarantined"
    assert "destroyed" in receipt.title


async def test_operators_count_what_was_accepted_and_refused(way: Doorway) -> None:
    await way.submit(an_event(1), an_event(1), an_event(2, no_such_field=1), an_event(3, "jail.booked"))
    assert way.observer.seen == [
        ("accepted", "arrest.made", "le"),
        ("refused", "le", "quarantined"),
        ("refused", "le", "forbidden"),
    ]


async def test_everything_accepted_is_there_after_a_restart_and_still_a_duplicate(tmp_path: Path) -> None:
    event = an_event(1, refs=(INCIDENT,), parties=(party("victim", "Vera"),))
    async with doorway(tmp_path) as way:
        [first] = await way.accept(event)
    async with doorway(tmp_path) as way:
        [again] = await way.submit(event)
        assert (again.status, again.case_id) == ("duplicate", first.case_id)
        [next_one] = await way.accept(an_event(2, refs=(INCIDENT,)))
        assert next_one.case_id == first.case_id
        [record, _] = await records(way)
        assert b"Testperson" in way.sealer.open_bytes(
            record["caseid"], event.id, "VID", record["data"]["sealed"]["VID"]
        )
