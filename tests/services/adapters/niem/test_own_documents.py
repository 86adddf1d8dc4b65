"""The project's own documents, one by one, against golden files: which events, what is open, what is sealed."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from zlib import decompress

import orjson
import pytest

from ccr_events.catalogue import event_type_named
from tests.support.niem import FIXTURES, fixture, read, skeletons

GOLDEN = Path(__file__).parents[3] / "golden" / "niem"


@pytest.mark.parametrize("name", FIXTURES)
def test_a_document_tells_what_its_golden_file_says(name) -> None:
    reading = read(fixture(name))
    found = {
        "document_type": reading.document_type,
        "agency": reading.agency.value,
        "warnings": list(reading.warnings),
        "events": skeletons(reading.events),
    }
    assert found == orjson.loads((GOLDEN / f"{Path(name).stem}.json").read_bytes())


def test_every_golden_file_has_its_document() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {Path(name).stem for name in FIXTURES}


@pytest.mark.parametrize("name", FIXTURES)
def test_the_untouched_source_goes_with_every_event(name) -> None:
    raw = fixture(name)
    for event in read(raw).events:
        assert decompress(b64decode(event.data["source_document"])) == raw


@pytest.mark.parametrize("name", FIXTURES)
def test_the_owner_of_the_document_may_publish_its_events(name) -> None:
    reading = read(fixture(name))
    for event in reading.events:
        assert reading.agency in event_type_named(event.type).publishers


def test_documents_of_one_history_share_numbers() -> None:
    for family, number in (("jtmp", "131"), ("ojbc", "132")):
        seen = set()
        for name in (name for name in FIXTURES if name.startswith(family)):
            for event in read(fixture(name)).events:
                numbers = {reference["number"] for reference in event.data["references"]}
                assert all(n.endswith(number) for n in numbers)
                seen |= numbers
        assert len(seen) > 2


def test_reading_again_gives_the_same_events() -> None:
    for name in FIXTURES:
        assert read(fixture(name)).events == read(fixture(name)).events


def test_ids_differ_between_events_and_documents() -> None:
    ids = [event.id for name in FIXTURES for event in read(fixture(name)).events]
    assert len(set(ids)) == len(ids)


def test_a_confidential_value_is_only_where_it_is_sealed() -> None:
    planted = ("Testmaple", "Placeholder-Oak", "Nowhere Lane", "555-0131", "1989-10-20", "Invented narrative")
    for name in FIXTURES:
        reading = read(fixture(name))
        opened = orjson.dumps([skeleton["open"] for skeleton in skeletons(reading.events)]).decode()
        assert not any(value in opened for value in planted)
        assert not any(value in line for value in planted for line in (*reading.warnings, repr(reading)))
