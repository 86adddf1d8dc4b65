"""The same facts written otherwise: prefixes, releases of NIEM, order, references, several people."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from ccr_events.agencies import Agency
from services.adapters.niem import DocumentError
from services.adapters.niem.document import parse
from services.adapters.niem.paths import find
from tests.support.niem import FIXTURES, RELEASES, fixture, read, rewritten, told

JTMP = [name for name in FIXTURES if name.startswith("jtmp")]


def same(raw: bytes, other: bytes) -> None:
    before, after = read(raw), read(other)
    assert told(after.events) == told(before.events)
    assert after.agency == before.agency


@pytest.mark.parametrize("name", FIXTURES)
def test_other_prefixes_give_the_same_events_and_ids(name) -> None:
    native = {"jtmp": "5", "ojbc": "2" if "incident" in name else "3"}[name[:4]]
    other = rewritten(fixture(name), uris=RELEASES[native])
    same(fixture(name), other)
    assert [event.id for event in read(other).events] == [event.id for event in read(fixture(name)).events]


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.parametrize("release", RELEASES)
def test_another_release_of_niem_gives_the_same_events(name, release) -> None:
    same(fixture(name), rewritten(fixture(name), uris=RELEASES[release]))


def test_a_default_namespace_gives_the_same_events() -> None:
    for name in JTMP:
        raw = rewritten(fixture(name), prefixes=lambda n: None if n == 0 else f"q{n}")
        assert b'xmlns="http://release.niem.gov/niem/niem-core/5.0/"' in raw
        same(fixture(name), raw)


@pytest.mark.parametrize("name", FIXTURES)
def test_comments_processing_instructions_and_indentation_change_nothing(name) -> None:
    raw = re.sub(rb"(</[\w:]+>)", rb"\1<!-- a remark -->\n\t<?tool x?>", fixture(name))
    same(fixture(name), raw)
    assert [event.id for event in read(raw).events] == [event.id for event in read(fixture(name)).events]


@pytest.mark.parametrize("name", FIXTURES)
def test_order_of_elements_does_not_matter(name) -> None:
    def turned(root: etree._Element) -> None:
        for element in list(root.iter()):
            children = list(element)
            if len({child.tag for child in children}) == len(children):  # among equals, order is meaning
                element[:] = reversed(children)

    same(fixture(name), rewritten(fixture(name), change=turned))


@pytest.mark.parametrize("name", FIXTURES)
def test_unknown_elements_and_attributes_are_left_alone(name) -> None:
    def added(root: etree._Element) -> None:
        for element in list(root.iter()):
            if len(element):
                etree.SubElement(element, "Unheard").text = "of"
                element.set("unheard", "of")

    same(fixture(name), rewritten(fixture(name), change=added))


@pytest.mark.parametrize("encoding", ["UTF-16", "ISO-8859-1"])
def test_other_encodings_give_the_same_events(encoding) -> None:
    root = etree.fromstring(fixture("jtmp-arrest.xml"))
    same(fixture("jtmp-arrest.xml"), etree.tostring(root, xml_declaration=True, encoding=encoding))


def test_a_person_by_reference_and_a_person_in_place_are_the_same() -> None:
    def in_place(root: etree._Element) -> None:
        document = parse(fixture("ojbc-booking.xml"))
        (person,) = find(document, {"document": document.root}, "document/nc:Person")
        (role,) = root.iter("{nc}RoleOfPerson")
        del role.attrib["{s}ref"]
        role.extend(list(person))
        for other in list(root.iterchildren("{nc}Person")):
            root.remove(other)

    same(fixture("ojbc-booking.xml"), rewritten(fixture("ojbc-booking.xml"), uris=RELEASES["3"], change=in_place))


def test_a_reference_by_uri_is_followed() -> None:
    raw = fixture("ojbc-booking.xml").replace(b's:ref="', b's:uri="#')
    same(fixture("ojbc-booking.xml"), raw)


def test_two_defendants_are_two_filings_each_with_its_own_court_case() -> None:
    def doubled(root: etree._Element) -> None:
        arrest, case = root.find("{j}Arrest"), root.find("{nc}CourtCase")
        assert arrest is not None
        assert case is not None
        for n, element in enumerate((arrest, case)):
            twin = etree.fromstring(
                etree.tostring(element)
                .replace(b"26-INC-0131", b"26-INC-0999")
                .replace(b"69-CR-26-0131", b"69-CR-26-0999")
                .replace(b">Reed<", b">Second<")
            )
            root.insert(2 * n + 1, twin)
        for n, party in enumerate(root.iter("{j}CaseDefendantParty")):
            party.set("{s}id", f"defendant{n}")
        for n, element in enumerate(root.findall("{j}Arrest")):
            element.set("{s}ref", f"defendant{n}")

    first, second = read(rewritten(fixture("jtmp-charge-filing.xml"), change=doubled)).events
    assert first.type == second.type == "charge.filed"
    assert first.id != second.id
    numbers = [{r["number"] for r in event.data["references"]} for event in (first, second)]
    assert {"69-CR-26-0131", "26-INC-0131"} <= numbers[0]
    assert {"69-CR-26-0999", "26-INC-0999"} <= numbers[1]
    assert [e.data["parties"][0]["name"]["given"] for e in (first, second)] == ["Reed", "Second"]


def test_two_court_cases_that_nothing_assigns_are_not_guessed_at() -> None:
    def doubled(root: etree._Element) -> None:
        case = root.find("{nc}CourtCase")
        assert case is not None
        root.append(etree.fromstring(etree.tostring(case).replace(b"69-CR-26-0131", b"69-CR-26-0999")))

    reading = read(rewritten(fixture("jtmp-charge-filing.xml"), change=doubled))
    assert {"69-CR-26-0131", "69-CR-26-0999"}.isdisjoint({r["number"] for r in reading.events[0].data["references"]})
    assert any("nothing says which belongs" in warning for warning in reading.warnings)


def test_a_refused_charge_is_declined_apart_from_the_filed_one() -> None:
    def refused(root: etree._Element) -> None:
        charge = next(root.iter("{j}ArrestCharge"))
        twin = etree.fromstring(
            etree.tostring(charge).replace(b">accepted<", b">Refused<").replace(b"SequenceID>1<", b"SequenceID>2<")
        )
        charge.addnext(twin)

    filed, declined = read(rewritten(fixture("jtmp-charge-filing.xml"), change=refused)).events
    assert (filed.type, [c["number"] for c in filed.data["counts"]]) == ("charge.filed", [1])
    assert (declined.type, [c["number"] for c in declined.data["counts"]]) == ("charge.declined", [2])


def test_two_arrested_persons_are_two_arrests() -> None:
    def doubled(root: etree._Element) -> None:
        subject = next(root.iter("{j}ArrestSubject"))
        subject.addnext(etree.fromstring(etree.tostring(subject).replace(b">Reed<", b">Second<")))

    reading = read(rewritten(fixture("jtmp-arrest.xml"), change=doubled))
    arrests = [event for event in reading.events if event.type == "arrest.made"]
    suspects = [[p["name"]["given"] for p in a.data["parties"] if p["role"] == "suspect"] for a in arrests]
    assert suspects == [["Reed"], ["Second"]]


def test_an_arrested_victim_is_a_dual_arrest() -> None:
    raw = fixture("ojbc-incident-with-arrest.xml").replace(
        b"</d:ArrestSubjectAssociation>", b'<nc:PersonReference s:ref="Person2"/></d:ArrestSubjectAssociation>'
    )
    arrests = [event for event in read(raw).events if event.type == "arrest.made"]
    assert [arrest.data["dual_arrest"] for arrest in arrests] == [True, True]
    assert "dual_arrest" not in read(fixture("ojbc-incident-with-arrest.xml")).events[1].data


def test_many_charges_are_all_read() -> None:
    def many(root: etree._Element) -> None:
        charge = next(root.iter("{j}ArrestCharge"))
        for n in range(2, 9):
            charge.addnext(etree.fromstring(etree.tostring(charge).replace(b"SequenceID>1<", b"SequenceID>%d<" % n)))

    (booked,) = read(rewritten(fixture("jtmp-booking.xml"), change=many)).events
    assert sorted(charge["number"] for charge in booked.data["charges"]) == list(range(1, 9))


def test_more_charges_than_a_payload_holds_are_cut_with_a_warning() -> None:
    def many(root: etree._Element) -> None:
        charge = next(root.iter("{j}ArrestCharge"))
        for _ in range(100):
            charge.addnext(etree.fromstring(etree.tostring(charge)))

    reading = read(rewritten(fixture("jtmp-booking.xml"), change=many))
    assert len(reading.events[0].data["charges"]) == 64
    assert any("more than 64" in warning for warning in reading.warnings)


def test_a_scheduled_release_is_told_before_it_happens() -> None:
    raw = fixture("jtmp-booking-release.xml").replace(
        b"true</nc:ActivityCompletedIndicator>", b"false</nc:ActivityCompletedIndicator>"
    )
    raw = raw.replace(
        b"</j:BookingRelease>",
        b"<nc:ActivityScheduledDate><nc:DateTime>2026-02-05T16:00:00-06:00</nc:DateTime></nc:ActivityScheduledDate></j:BookingRelease>",
    )
    booked, pending = read(raw).events
    assert (booked.type, pending.type) == ("jail.booked", "custody.release_pending")
    assert pending.data["earliest_at"] == "2026-02-05T22:00:00+00:00"


def test_an_update_of_a_hearing_is_a_continuance() -> None:
    raw = fixture("jtmp-court-event.xml").replace(b's:id="add">add<', b's:id="add">update<')
    assert [event.type for event in read(raw).events] == ["hearing.continued"]


@pytest.mark.parametrize("name", ["jtmp-booking.xml", "jtmp-court-event.xml"])
def test_a_deletion_is_refused_and_says_how_to_withdraw(name) -> None:
    raw = fixture(name).replace(b's:id="add">add<', b's:id="add">delete<')
    with pytest.raises(DocumentError, match=r"event\.retracted"):
        read(raw)


def test_a_hearing_without_the_time_it_was_set_takes_the_time_of_receipt_or_its_own() -> None:
    root = b"<nc:ActivityDate><nc:DateTime>2026-02-04T09:05:00-06:00</nc:DateTime></nc:ActivityDate>"
    past = read(fixture("jtmp-court-event.xml").replace(root, b""))
    assert past.events[0].occurred_at.isoformat() == "2026-02-04T19:30:00+00:00"
    assert not past.timed_by_receipt
    future = read(fixture("jtmp-court-event.xml").replace(root, b"").replace(b"2026-02-04T13:30", b"2027-02-04T13:30"))
    assert future.events[0].occurred_at.isoformat() == "2026-02-10T12:00:00+00:00"
    assert future.timed_by_receipt


def test_times_without_offset_are_the_countys() -> None:
    raw = fixture("jtmp-booking.xml").replace(b"T21:30:00-06:00", b"T21:30:00")
    assert read(raw).events[0].occurred_at.isoformat() == "2026-02-04T03:30:00+00:00"
    eastern = read(raw, zone=ZoneInfo("America/New_York"))
    assert eastern.events[0].occurred_at.isoformat() == "2026-02-04T02:30:00+00:00"
    assert any("no offset" in warning for warning in eastern.warnings)


def test_another_agency_publishes_what_it_may_and_is_refused_what_it_may_not() -> None:
    assert read(fixture("jtmp-bond-update.xml"), agency=Agency.JAIL).agency is Agency.JAIL
    with pytest.raises(DocumentError, match=r"jail\.booked, which bip may not publish; its publishers: jail"):
        read(fixture("jtmp-booking.xml"), agency=Agency.BIP)


@pytest.mark.parametrize(
    ("phrase", "event_type"),
    [
        ("Domestic Abuse No Contact Order", "nco.issued"),
        ("Order - Conditions of Release", "release.conditions_set"),
        ("Order for Protection", "court.order_entered"),
        ("Scheduling order", "court.order_entered"),
    ],
)
def test_the_document_type_of_an_order_says_what_it_is(phrase, event_type) -> None:
    raw = fixture("jtmp-court-order.xml").replace(b"Domestic Abuse No Contact Order", phrase.encode())
    assert [event.type for event in read(raw).events] == [event_type]


def test_unknown_codes_are_left_out_with_a_warning_and_never_a_crash() -> None:
    raw = (
        fixture("jtmp-arrest.xml")
        .replace(b">13A<", b">99Z<")
        .replace(b">BG<", b">Nemesis<")
        .replace(b">Felony<", b">Grand<")
    )
    reading = read(raw)
    incident, arrest = reading.events
    assert "relationship" not in incident.data
    assert "nibrs" not in arrest.data["charges"][0]
    assert "level" not in arrest.data["charges"][0]
    assert sum("that is known: left out" in warning for warning in reading.warnings) >= 3
    assert not any(value in line for value in ("99Z", "Nemesis", "Grand") for line in reading.warnings)


def test_a_number_with_other_characters_is_written_with_hyphens() -> None:
    reading = read(fixture("jtmp-court-order.xml").replace(b"69-CR-26-0131", b"69#CR(26)0131"))
    assert {"kind": "court_case_no", "number": "69-CR-26-0131"} in reading.events[0].data["references"]
    assert any("hyphens" in warning for warning in reading.warnings)


def test_events_of_a_document_belong_together() -> None:
    ids = {event.correlation_id for event in read(fixture("jtmp-arrest.xml")).events}
    assert len(ids) == 1
