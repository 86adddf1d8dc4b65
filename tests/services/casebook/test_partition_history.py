"""Deadlines on Kafka: those of history alert nobody, also after a restart, and all are those of the embedded timer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ccr_events.core.codec import encode_link
from ccr_events.core.derive import DEADLINE_REACHED
from ccr_events.core.model import Fact, Link
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from services.casebook.partition_history import passed_in_history, reminds_of_history, told_at
from services.casebook.worker_partition import OwnedPartition
from services.engine.kafka.batches import Output
from services.engine.sqlite import SqliteEngine
from services.engine.transaction import Deadline, Transaction
from services.timer.timer import Timer
from tests.services.casebook.test_partition import Read, Views, folding, read
from tests.services.casebook.test_worker_partition import Ours
from tests.services.timer.test_timer import HandClock
from tests.support.core_rules import BOOK, T0, fact
from tests.support.records import CASEBOOK, record

HOUR = timedelta(hours=1)
SILENT = (("alerting", b"0"),)
ENDS = T0 + 400 * HOUR


def rungs(link: Link) -> int:
    return len(BOOK.edition(link.edition).rule(link.rule).ladder)


def booking(late: float) -> Fact:
    return fact(1, "jail.booked", 0, late=late)


async def settled(owned: OwnedPartition, ours: Ours, facts: Sequence[Read], now: datetime) -> list[Output]:
    """Fold, fire and fold what was fired, as a worker does, until nothing is left; what was fired, in order."""
    seen = len(ours.kafka.written)
    waiting, fired = list(facts), list[Output]()
    while True:
        for number, one in enumerate(waiting, owned.position):
            one.offset = number
        if waiting:
            owned.fold(waiting, owned.position, owned.position + len(waiting))
        await owned.checkpoint()
        await owned.fire(now)
        found = [output for _, output in ours.kafka.written[seen:] if output.topic == "ccr.events"]
        seen = len(ours.kafka.written)
        if not found:
            return fired
        fired += found
        waiting = [Read(0, output.value, output.key, headers=output.headers) for output in found]


def loud(outputs: Sequence[Output]) -> list[bool]:
    return [("alerting", b"0") not in output.headers for output in outputs]


async def test_what_history_let_pass_is_fired_in_silence_and_what_comes_is_not(tmp_path: Path) -> None:
    """The booking's report is due after 48 hours, and was backfilled two days and a bit later."""
    ours = Ours(tmp_path)
    owned = ours.owned()
    fired = await settled(owned, ours, read(booking(late=48.5), headers=SILENT), T0 + 48.5 * HOUR)
    assert fired
    assert not any(loud(fired))
    later = await settled(owned, ours, [], T0 + 60 * HOUR)
    assert later
    assert all(loud(later[:1]))
    await owned.close()


async def test_a_report_that_is_only_late_alerts(tmp_path: Path) -> None:
    ours = Ours(tmp_path)
    owned = ours.owned()
    fired = await settled(owned, ours, read(booking(late=48.5)), T0 + 48.5 * HOUR)
    assert fired
    assert all(loud(fired))
    await owned.close()


async def test_reminders_of_a_ladder_that_history_climbed_stay_silent_also_after_a_restart(tmp_path: Path) -> None:
    ours = Ours(tmp_path)
    owned = ours.owned()
    await settled(owned, ours, read(booking(late=100), headers=SILENT), T0 + 100 * HOUR)
    await owned.close()
    again = ours.owned()
    reminders = await settled(again, ours, [], ENDS)
    assert [read_fact(output.value or b"").data["step"] for output in reminders] != []
    assert not any(loud(reminders))
    await again.close()


async def test_reminders_of_a_ladder_that_passed_before_a_late_report_alert(tmp_path: Path) -> None:
    ours = Ours(tmp_path)
    owned = ours.owned()
    fired = await settled(owned, ours, read(booking(late=100)), ENDS)
    assert fired
    assert all(loud(fired))
    await owned.close()


async def test_begun_anew_before_its_checkpoint_history_fires_the_very_same_events(tmp_path: Path) -> None:
    views = Views()
    folded = folding().fold(views, read(booking(late=100), headers=SILENT))
    first = [record.body for _, record in passed_in_history(views, folded.backfilled)]
    views = Views()
    folded = folding().fold(views, read(booking(late=100), headers=SILENT))
    assert first == [record.body for _, record in passed_in_history(views, folded.backfilled)]
    assert first


def test_a_link_that_is_gone_by_then_has_no_history() -> None:
    assert passed_in_history(Views(), {"gone": "case-1"}) == []
    assert not reminds_of_history(Views(), Deadline("gone", "case-1", 9, T0), rungs)


def test_a_deadline_that_is_no_reminder_is_never_silent_by_its_ladder() -> None:
    views = Views()
    folding().fold(views, read(booking(late=100)))
    (link,) = [each for each in views.links.values() if each.rule == "R3"]
    assert told_at(link) == T0 + 100 * HOUR
    assert not any(reminds_of_history(views, Deadline(link.id, "case-1", s.number, s.at), rungs) for s in link.steps)


async def test_deadlines_are_those_that_the_embedded_timer_fires(engine: SqliteEngine, tmp_path: Path) -> None:
    """Same ids, same links afterwards, whoever fires them; an act in between ends one of the ladders."""
    facts = [
        (booking(late=0), True),
        (fact(2, "arrest.made", 1, dv="yes", refs=(("incident_no", "A1"),)), True),
        (fact(3, "jail.booked", 2, late=90), False),
        (fact(4, "custody.released", 30), True),
    ]

    def append(tx: Transaction) -> None:
        for each, alerting in facts:
            CASEBOOK.append(tx, record(each, alerting=alerting))

    await engine.writer.write(append)
    clock = HandClock(ENDS)
    timer = Timer(engine.writer, CASEBOOK.append, clock, lambda _: "e1", engine.deadlines, rungs)
    while await timer.catch_up():
        pass
    theirs = await engine.writer.read(lambda tx: tx.views.get("case-1"))

    ours = Ours(tmp_path / "ours")
    owned = ours.owned()
    events = [read(each, headers=() if alerting else SILENT)[0] for each, alerting in facts]
    fired = await settled(owned, ours, events, ENDS)
    view = owned.views.get("case-1")
    assert _reached(view) == _reached(theirs)
    assert {i: encode_link(link) for i, link in view.links.items()} == {
        i: encode_link(link) for i, link in theirs.links.items()
    }
    told = {read_fact(output.value or b"").id: is_loud for output, is_loud in zip(fired, loud(fired), strict=True)}
    stored = {}
    for fact_id in _reached(theirs):
        found = await engine.writer.read(lambda tx, fact_id=fact_id: tx.events.find(fact_id))
        assert found is not None
        stored[fact_id] = found.alerting
    assert told == stored
    await owned.close()


def _reached(view: CaseView) -> set[str]:
    return {fact.id for fact in view.facts.values() if fact.type == DEADLINE_REACHED}
