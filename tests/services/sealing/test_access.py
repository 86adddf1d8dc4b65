"""Who opens which sealed fields of a release notice and an incident, and what the audit log says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from threading import get_ident

import orjson
import pytest

from ccr_events.codes.backbone import KeyRing
from ccr_events.labels import Label
from services.engine.ports import AuthenticatedKey, OpenedEvent
from services.sealing.access import Opener, ReadRefused
from services.sealing.visibility import visibility
from tests.support.doors import Doorway, an_event, doorway, event_id, party

INCIDENT, REFERRAL, ORDER = 1, 2, 3
PEOPLE = (party("victim", "Vera", born="1990-01-01"), party("suspect", "Sam", born="1988-02-02"))


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(tmp_path) as way:
        refs = (("incident_no", "26-1"), ("court_case_no", "C-1"))
        await way.accept(
            an_event(INCIDENT, "incident.reported", refs=refs, parties=PEOPLE, location="1 Nowhere Lane",
                     narrative="what he did", injury="M", dv="yes", pattern=["CHOKED"]),
        )  # fmt: skip
        yield way


def by(agency: str) -> AuthenticatedKey:
    return AuthenticatedKey("0123456789abcdef", agency)


def opener(way: Doorway) -> Opener:
    return Opener(way.engine.writer, way.keys, way.clock, way.observer)


async def read(way: Doorway, agency: str, *labels: str, purpose: str = "safety", event: int = INCIDENT) -> OpenedEvent:
    opened = await opener(way).open(event_id(event), labels, purpose=purpose, by=by(agency))
    assert opened is not None
    return opened


async def test_publisher_reads_its_own_whatever_the_label(way: Doorway) -> None:
    opened = await read(way, "le", "CJI", "VLOC", "HLTH")
    assert opened.denied == {}
    assert opened.fields["VLOC"] == {"/location": "1 Nowhere Lane"}
    assert opened.fields["HLTH"] == {"/injury": "M"}


async def test_the_event_loop_never_waits_for_the_key_store(way: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    existing, asked_in = way.keys.existing, list[int]()

    def watched(case_id: str, label: str) -> object:
        asked_in.append(get_ident())
        return existing(case_id, label)

    monkeypatch.setattr(way.keys, "existing", watched)
    assert (await read(way, "le", "VLOC")).fields
    assert asked_in
    assert get_ident() not in asked_in


async def test_involved_agency_reads_what_the_matrix_gives_it(way: Doorway) -> None:
    opened = await read(way, "pros", "CJI", "VLOC", "HLTH")  # the prosecutor owes links of this incident
    assert set(opened.fields) == {"CJI", "VLOC"}
    assert set(opened.denied) == {"HLTH"}


async def test_whether_the_victim_spoke_with_the_hotline_is_for_police_and_advocacy_alone(way: Doorway) -> None:
    screen = an_event(
        7, "risk.screened", refs=(("incident_no", "26-1"),), instrument="LAP", result="screened_in_protocol",
        victim_spoke=True,
    )  # fmt: skip
    await way.accept(screen)
    assert set((await read(way, "pros", "ADV", "RISK", event=7)).denied) == {"ADV"}
    assert (await read(way, "prob", "ADV", event=7)).fields == {}
    assert (await read(way, "adv", "ADV", event=7)).fields == {}
    await way.accept(an_event(8, "referral.advocacy_sent", refs=(("incident_no", "26-1"),), urgency="scene"))
    assert (await read(way, "adv", "ADV", event=7)).fields == {"ADV": {"/victim_spoke": True}}


async def test_agency_without_part_in_the_case_reads_nothing(way: Doorway) -> None:
    opened = await read(way, "visit", "CHILD", "CJI")
    assert opened.fields == {}
    assert "no part in this case" in opened.denied["CJI"]


async def _case(way: Doorway) -> str:
    [known] = await way.submit(an_event(INCIDENT, "incident.reported"))
    record = await way.engine.writer.read(lambda tx: tx.events.get(event_id(INCIDENT)))
    assert known.status == "conflict"
    assert record is not None
    return record.case_id


async def test_knowing_the_id_of_a_case_is_no_part_in_it(way: Doorway) -> None:
    case_id = await _case(way)
    mine = (("booking_no", "B-made-up"),)
    await way.accept(an_event(11, "jail.booked", refs=mine, case_id=case_id), agency="jail")
    await way.accept(an_event(12, "jail.booked", refs=mine, minutes=1), agency="jail")
    await way.accept(an_event(13, "custody.released", refs=mine, causes=INCIDENT), agency="jail")
    assert await way.engine.links.links(agency="jail", case_id=case_id)  # it owes what its own events brought about
    assert "no part in this case" in (await read(way, "jail", "VLOC", purpose="notification")).denied["VLOC"]


async def test_a_correction_of_nothing_that_is_known_is_no_part_in_a_case(way: Doorway) -> None:
    case_id = await _case(way)
    unknown = an_event(11, "jail.booked", refs=(("booking_no", "B-made-up"),), case_id=case_id, corrects=99)
    await way.accept(unknown, agency="jail")
    assert await way.engine.links.links(case_id=case_id)
    assert "no part in this case" in (await read(way, "jail", "VLOC", purpose="notification")).denied["VLOC"]


async def test_the_number_of_another_issuer_is_no_part_in_a_case(way: Doorway) -> None:
    foreign = an_event(11, "jail.booked", case_id=await _case(way))
    foreign.data["references"] = [{"kind": "incident_no", "number": "26-1", "issuer": "elsewhere"}]
    await way.accept(foreign, agency="jail")
    assert "no part in this case" in (await read(way, "jail", "VLOC", purpose="notification")).denied["VLOC"]


async def test_a_pair_or_a_number_that_others_know_is_a_part_in_it(way: Doorway) -> None:
    await way.accept(an_event(11, "jail.booked", refs=(("booking_no", "B-1"),), parties=PEOPLE), agency="jail")
    assert "VLOC" in (await read(way, "jail", "VLOC", purpose="notification")).fields


async def test_advocacy_reads_who_the_victim_is_only_after_a_police_referral(way: Doorway) -> None:
    await way.accept(an_event(9, "referral.advocacy_accepted", refs=(("incident_no", "26-1"),), status="received"),
                     agency="adv")  # fmt: skip
    assert (await read(way, "adv", "VID", "CJI")).fields == {}
    await way.accept(an_event(REFERRAL, "referral.advocacy_sent", refs=(("incident_no", "26-1"),), urgency="scene"))
    opened = await read(way, "adv", "VID", "CJI")
    assert opened.fields["VID"]["/parties/0/name"]["surname"] == "Testperson"
    assert set(opened.denied) == {"CJI"}


async def test_text_of_an_order_is_read_by_those_who_do_not_read_narratives(way: Doorway) -> None:
    order = an_event(ORDER, "nco.issued", refs=(("incident_no", "26-1"),), kind="pretrial", full_text="stay away")
    await way.accept(order, agency="crim")
    await way.accept(an_event(10, "call.closed", refs=(("incident_no", "26-1"),), disposition="report"), agency="psap")
    assert (await read(way, "psap", "CJI", event=ORDER)).fields["CJI"] == {"/full_text": "stay away"}
    assert (await read(way, "psap", "CJI")).fields == {}


async def test_dispatch_breaks_the_glass_and_the_prosecutor_may_not(way: Doorway) -> None:
    opened = await read(way, "psap", "VLOC", purpose="break_glass")
    assert opened.fields["VLOC"] == {"/location": "1 Nowhere Lane"}
    assert "may break the glass" in (await read(way, "pros", "VLOC", purpose="break_glass")).denied["VLOC"]
    entry = (await _audit(way))[0]
    assert entry["review_by"] > entry["at"]


async def test_location_is_opened_to_the_jail_for_notification_only(way: Doorway) -> None:
    await way.accept(an_event(11, "jail.booked", refs=(("incident_no", "26-1"),)), agency="jail")
    assert "VLOC" in (await read(way, "jail", "VLOC", purpose="notification")).fields
    assert "only for" in (await read(way, "jail", "VLOC", purpose="investigation")).denied["VLOC"]


async def test_record_sealed_by_a_court_opens_to_statutory_readers_and_destroyed_to_nobody(way: Doorway) -> None:
    case_id = (await way.engine.log.read(0))[0].case_id
    way.keys.move(case_id, KeyRing.SEALED_COURT)
    assert "sealed by order" in (await read(way, "le", "CJI", purpose="safety")).denied["CJI"]
    assert "CJI" in (await read(way, "le", "CJI", purpose="investigation")).fields
    way.keys.move(case_id, KeyRing.DESTROYED)
    assert "destroyed" in (await read(way, "le", "CJI", purpose="investigation")).denied["CJI"]


async def test_every_attempt_is_audited_and_counted_before_anything_is_given(way: Doorway) -> None:
    await read(way, "pros", "VLOC", "HLTH", purpose="prosecution")
    granted, denied = await _audit(way)
    assert granted == {
        "at": "2026-03-01T22:00:00Z", "event_id": event_id(INCIDENT), "key_id": "0123456789abcdef", "labels": ["VLOC"],
        "outcome": "granted", "purpose": "prosecution", "reader": "pros",
    }  # fmt: skip
    assert (denied["labels"], denied["outcome"]) == (["HLTH"], "denied")
    counted = [seen for seen in way.observer.seen if seen[0] == "sealed_read"]
    assert counted == [("sealed_read", "VLOC", "pros", "granted"), ("sealed_read", "HLTH", "pros", "denied")]


async def test_audit_log_is_a_chain_and_holds_no_value(way: Doorway) -> None:
    for agency in ("pros", "le", "visit"):
        await read(way, agency, "VLOC", "CJI")
    head = "0" * 64
    for _, stored, entry in await way.engine.writer.read(lambda tx: tx.audit.entries(0, 100)):
        head = sha256(head.encode() + entry).hexdigest()
        assert stored == head
        assert b"Nowhere" not in entry


async def test_nothing_is_given_when_the_audit_entry_cannot_be_written(way: Doorway) -> None:
    asking = opener(way)
    await way.engine.writer.close()
    with pytest.raises(Exception, match="closed"):
        await asking.open(event_id(INCIDENT), ["CJI"], purpose="safety", by=by("le"))


async def test_unknown_words_are_refused_and_an_unknown_event_is_none(way: Doorway) -> None:
    asking = opener(way)
    with pytest.raises(ReadRefused, match="purpose"):
        await asking.open(event_id(INCIDENT), ["CJI"], purpose="curiosity", by=by("le"))
    with pytest.raises(ReadRefused, match="label"):
        await asking.open(event_id(INCIDENT), ["SECRETS"], purpose="safety", by=by("le"))
    with pytest.raises(ReadRefused, match="at least one"):
        await asking.open(event_id(INCIDENT), [], purpose="safety", by=by("le"))
    assert await asking.open(event_id(99), ["CJI"], purpose="safety", by=by("le")) is None


def test_matrix_speaks_of_every_label_and_gives_advocacy_records_and_workers_to_nobody() -> None:
    matrix = visibility()
    assert {row.label for row in matrix.rows} == set(Label)
    for label in (Label.ADV, Label.OPS):
        assert [row.readers for row in matrix.rows if row.label is label and row.types is None] == [{}]
    assert Label.ADV not in matrix.break_glass.labels


async def _audit(way: Doorway) -> list[dict[str, object]]:
    entries = await way.engine.writer.read(lambda tx: tx.audit.entries(0, 100))
    return [orjson.loads(entry) for _, _, entry in entries]
