"""Records folded into the views of a partition: what follows from them, and what cannot be folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from ccr_events.core import fold
from ccr_events.core.codec import decode_link, decode_transition, encode_view
from ccr_events.core.model import Fact, Link
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from services.casebook import partition
from services.casebook.partition import EditionMissing, Folded, Folding, Places, event_output, too_large
from services.casebook.recorder import MAX_HOPS
from services.engine.kafka.batches import Output, OversizedRecord
from services.engine.kafka.topics.partition import partition_of
from services.engine.sqlite import SqliteEngine
from tests.support.core_rules import BOOK, fact
from tests.support.records import append_all, record

PLACES = Places("ccr.events", "ccr.links", "ccr.case-views", "ccr.quarantine", 4)
HOME = partition_of(b"case-1", 4)
ARREST = fact(1, "arrest.made", 0, dv="yes", refs=(("incident_no", "A1"),))
MERGE = fact(9, "case.merged", 200, agency="ccr", into="case-2")


@dataclass
class Views:
    """Views in memory."""

    held: dict[str, CaseView] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)

    def get(self, case_id: str) -> CaseView:
        return self.held.get(case_id) or CaseView(case_id)

    def put(self, view: CaseView, changed: Iterable[Link] = (), removed: Iterable[str] = ()) -> None:
        self.held[view.case_id] = view
        self.links |= {link.id: link for link in changed}
        for gone in removed:
            del self.links[gone]


@dataclass
class Read:
    """A record as it is read from the topic."""

    offset: int
    value: bytes | None
    key: bytes | None = b"case-1"
    timestamp: int = 1_700_000_000_000
    headers: Sequence[tuple[str, bytes | None]] = ()


def read(*facts: Fact, first: int = 0, headers: Sequence[tuple[str, bytes]] = ()) -> list[Read]:
    return [Read(first + n, record(f).body, f.case_id.encode(), headers=headers) for n, f in enumerate(facts)]


def folding(number: int = HOME, policies: Any = BOOK) -> Folding:
    return Folding(number, PLACES, policies)


def reasons(folded: Folded) -> list[str]:
    return [orjson.loads(output.value or b"")["reason"] for output in folded.set_aside]


def test_an_event_becomes_its_view_and_its_transitions() -> None:
    views = Views()
    folded = folding().fold(views, read(ARREST))
    assert views.get("case-1").facts == {ARREST.id: read_fact(record(ARREST).body)}
    assert views.links == views.get("case-1").links
    told = [decode_transition(output.value or b"") for output in folded.links]
    assert {(t.link.rule, t.kind.value) for t in told} == {("R1", "opened"), ("R2", "opened")}
    assert {(o.topic, o.key, tuple(o.headers)) for o in folded.links} == {
        ("ccr.links", b"case-1", (("recorded_at", ARREST.recorded_at.isoformat().encode()), ("cause", b"0")))
    }
    assert (folded.events, folded.repeated, folded.recorded_at) == (1, 0, ARREST.recorded_at)


def test_a_link_that_changes_unheard_is_written_as_it_is_now() -> None:
    views, worker = Views(), folding()
    booked = [
        fact(n, "jail.booked", hours, agency="jail", refs=(("incident_no", "A1"),)) for n, hours in ((2, 5), (3, 4))
    ]
    worker.fold(views, read(ARREST, booked[0]))
    folded = worker.fold(views, read(booked[1], first=2))
    [written] = [output for output in folded.links if "untold" in dict(output.headers)]
    assert written.key == b"case-1"
    assert dict(written.headers)["cause"] == b"2"
    link = decode_link(written.value or b"")
    assert (link.ended_by, views.links[link.id]) == (booked[1].id, link)


def test_an_event_that_is_there_already_changes_and_says_nothing() -> None:
    views = Views()
    folding().fold(views, read(ARREST))
    before = dict(views.held)
    folded = folding().fold(views, read(ARREST, first=1))
    assert (folded.events, folded.repeated, folded.links, folded.carried) == (0, 1, [], [])
    assert views.held == before


def test_history_is_marked_in_all_that_follows_from_it() -> None:
    views, silent = Views(), (("alerting", b"0"),)
    folded = folding().fold(views, read(ARREST, MERGE, headers=silent))
    assert folded.links
    assert folded.carried
    for output in [*folded.links, *(output for _, output in folded.carried)]:
        assert ("alerting", b"0") in output.headers


def test_a_merge_carries_events_to_the_partition_of_the_other_case() -> None:
    folded = folding().fold(Views(), read(ARREST, MERGE))
    assert {number for number, _ in folded.carried} == {partition_of(b"case-2", 4)}
    carried = [output for _, output in folded.carried]
    assert {(o.topic, o.key, tuple(o.headers)) for o in carried} == {("ccr.events", b"case-2", (("hops", b"1"),))}
    facts = [read_fact(output.value or b"") for output in carried]
    assert {(f.type, f.recorded_at, f.edition) for f in facts} == {("case.absorbed", MERGE.recorded_at, MERGE.edition)}


async def test_views_and_carried_events_are_those_of_the_embedded_engine(engine: SqliteEngine) -> None:
    later = fact(10, "jail.booked", 1, refs=(("incident_no", "A1"),))
    await engine.writer.write(lambda tx: append_all(tx, [ARREST, MERGE, later]))
    by_partition = {number: Views() for number in range(4)}
    waiting = [(HOME, r) for r in read(ARREST, MERGE, later)]
    while waiting:
        number, one = waiting.pop(0)
        folded = folding(number).fold(by_partition[number], [one])
        waiting += [(to, Read(0, o.value, o.key, headers=o.headers)) for to, o in folded.carried]
    for case in ("case-1", "case-2"):
        ours = by_partition[partition_of(case.encode(), 4)].get(case)
        theirs = await engine.writer.read(lambda tx, case=case: tx.views.get(case))
        assert encode_view(ours) == encode_view(theirs)


@pytest.mark.parametrize(
    ("hops", "carried"), [(b"%d" % (MAX_HOPS - 1), True), (b"%d" % MAX_HOPS, False), (b"x", False), (b"9" * 9, False)]
)
def test_events_are_carried_through_so_many_cases_and_no_more(hops: bytes, carried: bool) -> None:
    views = Views()
    folding().fold(views, read(ARREST))
    folded = folding().fold(views, read(MERGE, first=1, headers=[("hops", hops)]))
    assert bool(folded.carried) is carried
    assert bool(folded.set_aside) is not carried
    assert MERGE.id in views.get("case-1").facts


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (Read(7, b"{"), "it cannot be read: DecodeError"),
        (Read(7, b'{"data": {"surname": "Testperson"}}'), "it cannot be read: ValidationError"),
        (Read(7, b"\xff"), "it cannot be read: DecodeError"),
        (Read(7, None), "it has no key or no value"),
        (Read(7, record(ARREST).body, None), "it has no key or no value"),
        (Read(7, record(ARREST).body, b"case-9"), "its key is not its case"),
    ],
)
def test_what_cannot_be_read_is_set_aside_and_holds_up_nothing(poison: Read, reason: str) -> None:
    views = Views()
    folded = folding().fold(views, [poison, *read(ARREST, first=8)])
    assert folded.events == 1
    assert reasons(folded) == [reason]
    (output,) = folded.set_aside
    assert orjson.loads(output.value or b"")["source"] == f"ccr.events/{HOME}/7"
    assert b"Testperson" not in (output.value or b"")


def test_an_event_of_another_partitions_case_makes_no_second_view_of_it() -> None:
    views, elsewhere = Views(), (HOME + 1) % 4
    folded = folding(elsewhere).fold(views, read(ARREST))
    assert reasons(folded) == ["its case belongs to another partition"]
    assert not views.held


def test_a_full_case_takes_no_more_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "MAX_FACTS_OF_A_CASE", 1)
    views = Views()
    folded = folding().fold(views, read(ARREST, fact(2, "jail.booked", 5)))
    assert reasons(folded) == ["its case is full"]
    assert len(views.get("case-1").facts) == 1


def test_a_defect_of_the_fold_is_named_by_kind_and_place_and_never_by_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> None:
        raise KeyError("1 Nowhere Lane")

    monkeypatch.setattr(partition, "step", defect)
    views = Views()
    folded = folding().fold(views, read(ARREST))
    assert reasons(folded) == ["folding failed: KeyError in services.casebook.partition.fold"]
    assert not views.held


def test_an_edition_that_is_not_loaded_stops_the_worker_instead_of_filling_quarantine() -> None:
    unknown = fact(1, "arrest.made", 0, edition="e9")
    with pytest.raises(EditionMissing, match="e9"):
        folding().fold(Views(), read(unknown))


def test_the_same_refusal_has_the_same_id() -> None:
    ids = {folding().fold(Views(), [Read(7, b"{")]).set_aside[0].key for _ in range(2)}
    assert len(ids) == 1


def test_each_record_that_its_topic_cannot_hold_is_an_entry_of_its_own() -> None:
    def refused(value: bytes, key: bytes = b"case-1") -> Output:
        return too_large(PLACES, OversizedRecord(Output("ccr.links", key, value), 3, len(value), 10))

    first, second = b"1 Nowhere Lane", b"2 Nowhere Lane"
    entries = [refused(first), refused(second), refused(first, b"case-2"), refused(first)]
    assert len({entry.key for entry in entries[:3]}) == 3
    assert entries[3] == entries[0], "told twice, it is one entry"
    told = orjson.loads(entries[1].value or b"")
    assert told == {
        "id": (entries[1].key or b"").decode(),
        "source": "ccr.links/3",
        "about": "case-1",
        "reason": "a record of 14 bytes; the topic takes 10",
    }


def test_folded_again_is_what_was_folded_before() -> None:
    views, one = Views(), folding()
    records = [Read(3, b"{"), *read(ARREST, fact(2, "jail.booked", 5), first=4)]
    one.fold(views, records)
    again = CaseView("case-1")
    for each in records:
        again = one.again(again, each)
    assert encode_view(again) == encode_view(views.get("case-1"))


def test_an_event_of_our_own_lies_where_its_case_does() -> None:
    number, output = event_output(record(ARREST, alerting=False), PLACES)
    assert (number, output.topic, output.key) == (HOME, "ccr.events", b"case-1")
    assert list(output.headers) == [("alerting", b"0")]
