"""Which deadlines the owner of a partition fires: in order, each once, and again only when it must have been lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from services.casebook import partition_deadlines
from services.casebook.deadline_reached import deadline_record
from services.casebook.partition_deadlines import AGAIN_AFTER_S, Firing
from services.engine.deadlines import firing_order
from services.engine.transaction import Deadline
from tests.support.core_rules import T0

HOUR = timedelta(hours=1)


def deadline(number: int, hours: float = 0, step: int = 0) -> Deadline:
    return Deadline(f"link-{number}", "case-1", step, T0 + hours * HOUR)


@dataclass
class Waiting:
    """Pending deadlines."""

    deadlines: set[Deadline] = field(default_factory=set)

    def due(self, now: datetime, limit: int) -> list[Deadline]:
        return sorted((d for d in self.deadlines if d.at <= now), key=firing_order)[:limit]


def fire(
    firing: Firing, waiting: Waiting, hours: float, now_s: float = 0.0, after: datetime | None = None
) -> list[str]:
    """Ids of the events."""
    records = firing.fire(waiting, T0 + hours * HOUR, now_s, after, lambda _: False)
    return [record.fact.data["link_id"] for record in records]


def firing() -> Firing:
    return Firing(lambda at: "e1")


def test_those_that_have_passed_fire_in_order_each_once_until_they_are_folded() -> None:
    one, waiting = firing(), Waiting({deadline(2, 2), deadline(1, 1), deadline(3, 1), deadline(4, 9)})
    assert fire(one, waiting, 3) == ["link-1", "link-3", "link-2"]
    assert fire(one, waiting, 3, 1.0) == []
    assert one.unfolded == 3
    waiting.deadlines -= {deadline(1, 1), deadline(3, 1)}
    assert fire(one, waiting, 3, 2.0) == []
    assert one.unfolded == 1


def test_what_folding_one_opens_is_fired_next() -> None:
    one, waiting = firing(), Waiting({deadline(1, 1)})
    assert fire(one, waiting, 30) == ["link-1"]
    waiting.deadlines = {deadline(1, 25, step=1)}
    assert fire(one, waiting, 30, 0.1) == ["link-1"]


def test_one_that_is_pending_long_after_it_was_fired_is_fired_again() -> None:
    one, waiting = firing(), Waiting({deadline(1, 1)})
    assert fire(one, waiting, 3) == ["link-1"]
    assert fire(one, waiting, 3, AGAIN_AFTER_S - 1) == []
    assert fire(one, waiting, 3, AGAIN_AFTER_S) == ["link-1"]


def test_after_a_restart_all_that_is_pending_is_fired_with_the_same_ids() -> None:
    waiting = Waiting({deadline(1, 1), deadline(2, 1)})
    first = firing().fire(waiting, T0 + 3 * HOUR, 0.0, None, lambda _: False)
    again = firing().fire(waiting, T0 + 4 * HOUR, 9.0, None, lambda _: False)
    assert [record.fact.id for record in first] == [record.fact.id for record in again]


def test_a_page_at_a_time_after_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_deadlines, "PAGE", 3)
    one, waiting = firing(), Waiting({deadline(n, n) for n in range(8)})
    found = [fire(one, waiting, 99, 0.1 * look) for look in range(4)]
    assert [len(page) for page in found] == [3, 3, 2, 0]
    assert [name for page in found for name in page] == [f"link-{n}" for n in range(8)]


def test_it_is_recorded_no_earlier_than_anything_that_was_folded() -> None:
    waiting = Waiting({deadline(1, 1), deadline(2, 1)})
    newest = T0 + 50 * HOUR
    records = firing().fire(waiting, T0 + 3 * HOUR, 0.0, newest, lambda _: False)
    instants = [record.fact.recorded_at for record in records]
    assert instants == [newest, newest]


def test_what_is_history_is_marked() -> None:
    waiting = Waiting({deadline(1, 1), deadline(2, 1)})
    records = firing().fire(waiting, T0 + 3 * HOUR, 0.0, None, lambda d: d.link_id == "link-1")
    assert [record.alerting for record in records] == [False, True]


def test_the_event_is_the_one_that_the_embedded_timer_appends() -> None:
    (ours,) = firing().fire(Waiting({deadline(1, 1)}), T0 + 3 * HOUR, 0.0, None, lambda _: False)
    assert ours == deadline_record(deadline(1, 1), T0 + 3 * HOUR, "e1")
