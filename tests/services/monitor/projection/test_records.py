"""What a record of `ccr.events` or `ccr.links` says; what says nothing is told of without its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ccr_events.core import fold
from ccr_events.core.codec import encode_link, encode_transition
from ccr_events.core.view import CaseView
from services.casebook.partition import ALERTING, CAUSE, CHANGED, RECORDED_AT, SILENT, UNTOLD
from services.engine.kafka.topics.repartition import ORIGIN
from services.engine.sql import Dropped, Told, Untold
from services.monitor.projection.records import read_events, read_said
from tests.support.core_rules import BOOK, fact
from tests.support.records import record

ARREST = fact(1, "arrest.made", 0, dv="yes", refs=(("incident_no", "A1"),))
TRANSITION = fold.step(CaseView("case-1"), ARREST, BOOK).transitions[0]
AT = (RECORDED_AT, b"2026-01-05T12:00:00Z")


@dataclass
class Read:
    """A record as it is read from the topic."""

    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    key: bytes | None = b"case-1"
    offset: int = 7
    timestamp: int = 0


def test_an_event_and_whether_anybody_is_to_hear_of_it() -> None:
    body, recorded = record(ARREST).body, record(ARREST).fact
    loud, silent = read_events([Read(body), Read(body, [(ALERTING, SILENT)])]).readable
    assert (loud.fact, loud.body, loud.offset) == (recorded, body, 7)
    assert (loud.alerting, silent.alerting) == (True, False)


def test_a_transition_a_change_and_a_link_that_is_gone() -> None:
    told = Read(encode_transition(TRANSITION), [AT, (CAUSE, b"5")])
    changed = Read(encode_link(TRANSITION.link), [AT, (UNTOLD, CHANGED)])
    gone = Read(TRANSITION.link.id.encode(), [AT, (UNTOLD, b"gone")])
    first, second, third = read_said([told, changed, gone]).readable
    assert isinstance(first, Told)
    assert (first.transition, first.case_id, first.cause) == (TRANSITION, "case-1", 5)
    assert isinstance(second, Untold)
    assert second.link == TRANSITION.link
    assert isinstance(third, Dropped)
    assert third.link_id == TRANSITION.link.id


def test_what_a_repartition_copied_says_where_it_was_told_first() -> None:
    copied = [AT, (CAUSE, b"5"), (ORIGIN, b"ccr.links/3")]
    told = Read(encode_transition(TRANSITION), copied)
    changed = Read(encode_link(TRANSITION.link), [*copied, (UNTOLD, CHANGED)])
    gone = Read(TRANSITION.link.id.encode(), [*copied, (UNTOLD, b"gone")])
    said = read_said([told, changed, gone]).readable
    assert [(one.cause, one.origin) for one in said] == [(5, "ccr.links/3")] * 3


def test_what_cannot_be_read_is_told_by_its_place_alone() -> None:
    planted = b'{"surname": "Testperson"'
    good = encode_transition(TRANSITION)
    said = read_said([Read(planted, [AT]), Read(good), Read(good, [(RECORDED_AT, b"2026-01-05T12:00:00")])])
    events = read_events([Read(planted), Read(None), Read(planted, key=None)])
    assert said.readable == events.readable == []
    assert [each.offset for each in said.unreadable] == [7, 7, 7]
    assert len(events.unreadable) == 3
    assert "Testperson" not in f"{said.unreadable}{events.unreadable}"
