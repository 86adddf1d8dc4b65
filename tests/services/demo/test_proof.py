"""What the demo holds its run to: a hole in the log or in the stream is found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from services.demo.figures import Figures
from services.demo.proof import alerts_lost, events_lost
from services.engine.ports import Alertable, LogRecord


class Log:
    def __init__(self, *ids: str) -> None:
        self.records = [LogRecord(n, i, "c", b"") for n, i in enumerate(ids, 1)]

    async def read(self, after: int, limit: int = 1000) -> list[LogRecord]:
        return [r for r in self.records if r.position > after][:limit]

    async def of_case(self, case_id: str) -> list[LogRecord]:
        return self.records


class Outbox:
    def __init__(self, *alerting: bool) -> None:
        any_transition: Any = None
        any_time: Any = None
        self.page = [Alertable(n, any_transition, any_time, a) for n, a in enumerate(alerting, 1)]

    async def last_seq(self) -> int:
        return len(self.page)

    async def follow(self, after: int) -> AsyncIterator[Sequence[Alertable]]:
        yield self.page[:2]
        yield self.page[2:]
        raise AssertionError("asked for more than there is")


async def test_every_accepted_event_on_the_log_is_none_lost() -> None:
    assert await events_lost(Log("a", "b", "timer"), {"a": 1, "b": 2}) == 0


async def test_an_accepted_event_that_is_missing_or_elsewhere_is_lost() -> None:
    assert await events_lost(Log("a", "x"), {"a": 1, "b": 2}) == 1
    assert await events_lost(Log("b", "a"), {"a": 1, "b": 2}) == 2


async def test_a_transition_that_alerts_and_was_not_read_is_lost() -> None:
    outbox = Outbox(True, False, True)
    assert await alerts_lost(outbox, {1, 3}) == 0
    assert await alerts_lost(outbox, {1}) == 1


async def test_an_empty_outbox_loses_nothing() -> None:
    assert await alerts_lost(Outbox(), set()) == 0


def test_the_line_begins_with_the_promised_names_in_order() -> None:
    promised = [
        "events",
        "links_opened",
        "links_satisfied",
        "links_overdue",
        "links_escalated",
        "alerts_delivered",
        "p50_ms",
        "p99_ms",
        "lost",
    ]
    assert list(Figures().as_json())[:9] == promised


def test_percentiles_are_milliseconds() -> None:
    figures = Figures(latencies_s=[n / 1000 for n in range(1, 102)])
    assert (figures.percentile_ms(50), figures.percentile_ms(99)) == (51.0, 100.0)
    assert Figures().percentile_ms(99) == 0


def test_a_loss_or_a_replay_that_differs_is_not_sound() -> None:
    assert Figures(replay_identical=True).sound
    assert not Figures(replay_identical=True, lost=1).sound
    assert not Figures(replay_identical=False).sound
