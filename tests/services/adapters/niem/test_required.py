"""What is required: dropping it is an error that names its path. What is optional: dropping it still reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from services.adapters.niem import DocumentError
from services.adapters.niem.catalogue import BY_ROOT
from services.adapters.niem.document import Document, parse
from services.adapters.niem.paths import find
from services.adapters.niem.table import EventTable
from tests.support.niem import FIXTURES, RELEASES, fixture, read, rewritten

Element = etree._Element


def release(name: str) -> dict[str, str]:
    return RELEASES["2" if "incident" in name else "3" if name.startswith("ojbc") else "5"]


def told_tables(name: str) -> Iterator[EventTable]:
    types = {event.type for event in read(fixture(name)).events}
    yield from (table for table in BY_ROOT[parse(fixture(name)).name].events if table.type in types)


CASES = [(name, table) for name in FIXTURES for table in told_tables(name)]
IDS = [f"{name}-{table.type}" for name, table in CASES]


def without(name: str, elements: Callable[[Document, dict[str, Element]], list[Element]], table: EventTable) -> bytes:
    """The fixture without the elements found from each anchor of a table."""

    def drop(root: Element) -> None:
        document = Document(root, "", *indexes(root))
        for anchor in next(f for p in table.anchor_paths if (f := find(document, {"document": root}, p))):
            scopes = {"document": root, table.anchor: anchor}
            for scope, paths in table.also:
                found = next((f for p in paths if len(f := find(document, scopes, p)) == 1), None)
                if found:
                    scopes[scope] = found[0]
            for element in elements(document, scopes):
                parent = element.getparent()
                if parent is not None:
                    parent.remove(element)

    return rewritten(fixture(name), uris=release(name), change=drop)


def indexes(root: Element) -> tuple[dict[str, Element], dict[str, list[Element]]]:
    by_id = {identity: e for e in root.iter() if (identity := e.get("{s}id"))}
    referring: dict[str, list[Element]] = {}
    for element in root.iter():
        reference = element.get("{s}ref") or element.get("{lexslib}ref")
        if reference:
            referring.setdefault(reference, []).append(element)
    return by_id, referring


@pytest.mark.parametrize(("name", "table"), CASES, ids=IDS)
def test_without_the_time_of_the_act_nothing_is_told(name, table) -> None:
    raw = without(name, lambda d, s: [e for p in table.occurred_at for e in find(d, s, p)], table)
    if table.time_of_receipt:
        assert read(raw).events
        return
    with pytest.raises(DocumentError) as refused:
        read(raw)
    assert last(table.occurred_at[0]) in refused.value.path
    assert "is missing or empty" in refused.value.reason
    assert "sender" in refused.value.reason


@pytest.mark.parametrize(("name", "table"), CASES, ids=IDS)
def test_without_any_number_nothing_is_told(name, table) -> None:
    paths = [path for number in table.numbers for path in number.paths]
    raw = without(name, lambda d, s: [e for p in paths for e in find(d, s, p)], table)
    if table.conditions and table.optional:  # told by a number of its own, and what is left may tell other events
        types, refused = outcome(raw)
        assert table.type not in types
        assert refused is None or "a number that points to the case" in refused.reason
        return
    with pytest.raises(DocumentError) as refused:
        read(raw)
    assert last(paths[0]) in refused.value.path
    assert "a number that points to the case" in refused.value.reason


@pytest.mark.parametrize(("name", "table"), CASES, ids=IDS)
def test_a_placeholder_is_no_number(name, table) -> None:
    paths = [path for number in table.numbers for path in number.paths]

    def filled(document: Document, scopes: dict[str, Element]) -> list[Element]:
        for path in paths:
            for element in find(document, scopes, path):
                element.text = "String"
        return []

    raw = without(name, filled, table)
    types, refused = outcome(raw)
    assert table.type not in types
    assert table.optional if refused is None else ("holds a placeholder" in refused.reason and refused.path)
    made_up = [
        reference["number"]
        for event in read(raw, samples=True).events
        if event.type == table.type
        for reference in event.data["references"]
    ]
    assert all(number.startswith("SAMPLE-") for number in made_up)
    assert made_up or table.optional


@pytest.mark.parametrize(("name", "table"), CASES, ids=IDS)
def test_without_the_element_that_tells_it_the_event_is_not_told(name, table) -> None:
    types, refused = outcome(without(name, lambda d, s: [s[table.anchor]], table))
    assert table.type not in types
    if refused is None:
        assert table.optional
    else:
        assert last(table.anchor_paths[0]) in str(refused)


def optional(table: EventTable) -> Iterator[str]:
    needed = {path for number in table.numbers for path in number.paths} | set(table.occurred_at)
    needed |= {path for condition in table.conditions for path in condition.paths}
    for row in table.rows:
        if not row.required:
            yield from (path for path in row.paths if path not in needed)
    yield from (path for people in table.people for path in people.paths)
    yield from table.subjects
    yield from table.indicators


@pytest.mark.parametrize(("name", "table"), CASES, ids=IDS)
def test_without_any_one_optional_element_it_still_reads(name, table) -> None:
    dropped = 0
    for path in optional(table):
        raw = without(name, lambda d, s, path=path: find(d, s, path), table)  # type: ignore[misc]
        assert table.type in {event.type for event in read(raw).events}, path
        dropped += parse(raw).digest != parse(fixture(name)).digest
    assert dropped


def test_a_hearing_needs_its_own_time() -> None:
    raw = fixture("jtmp-court-event.xml").replace(b"<nc:DateTime>2026-02-04T13:30:00-06:00</nc:DateTime>", b"")
    with pytest.raises(DocumentError, match="j:CourtEventSchedule/nc:ScheduleDate/nc:DateTime"):
        read(raw)


def test_a_time_that_is_none_is_an_error_that_does_not_repeat_it() -> None:
    raw = fixture("jtmp-booking.xml").replace(b"2026-02-03T21:30:00-06:00", b"last Tuesday night")
    with pytest.raises(DocumentError) as refused:
        read(raw)
    assert "is not a date or time" in refused.value.reason
    assert refused.value.path == "/nola:BookingExchange/j:Booking/nc:ActivityDate/nc:DateTime"
    assert "Tuesday" not in str(refused.value)


def test_a_filing_without_a_charge_tells_nothing() -> None:
    with pytest.raises(DocumentError, match=r"tells no event: charge\.filed needs arrest/j:ArrestCharge"):
        read(without("jtmp-charge-filing.xml", lambda d, s: find(d, s, "arrest/j:ArrestCharge"), CHARGES))


CHARGES = BY_ROOT["nola:ChargeFilingExchange"].events[0]


def last(path: str) -> str:
    """The last two names of a path, without the scope it starts from."""
    return "/".join(step.partition("[")[0] for step in path.split("/")[1:][-2:])


def outcome(raw: bytes) -> tuple[set[str], DocumentError | None]:
    """The types of the events told, or the refusal."""
    try:
        return {event.type for event in read(raw).events}, None
    except DocumentError as refused:
        return set(), refused
