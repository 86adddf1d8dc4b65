"""A simulated county written as tables and read by a mapping: the same events."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from ccr_events.catalogue import event_type_named
from ccr_events.envelope import Event
from ccr_events.payload import Payload
from ccr_events.validation import validate_as
from services.adapters.csv import MappedRow, open_table
from services.simulator import County, reports
from tests.support.tables import mapping

EVENTS = 400


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted field names and cells."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for n, inner in enumerate(value):
            yield from flat(inner, f"{path}[{n}]")
    else:
        yield path, {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def written(path: Path, events: list[Event]) -> None:
    rows = [
        {"id": e.id, "type": e.type, "time": e.occurred_at.isoformat(), "corrects": e.corrects, **dict(flat(e.data))}
        for e in events
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)


def mapping_text(agency: str, types: set[str]) -> str:
    codes = "".join(f"    {name}: {name}\n" for name in sorted(types))
    return (
        f"mapping: county-{agency}\nagency: {agency}\ntimezone: America/Chicago\nkey: id\nid: id\ncorrects: corrects\n"
        f"occurred_at: {{column: time}}\nby_name: true\ntype:\n  column: type\n  codes:\n{codes}"
    )


def payload(event: Event) -> Payload:
    return validate_as(event_type_named(event.type), event.schema_version, event.data)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_county_s_tables_give_its_events(tmp_path: Path, seed: int) -> None:
    by_agency: dict[str, list[Event]] = {}
    for report in islice(reports(County(days=30), seed), EVENTS):
        by_agency.setdefault(report.agency, []).append(report.event)
    assert len(by_agency) > 3
    for agency, events in by_agency.items():
        path = tmp_path / f"{agency}.csv"
        written(path, events)
        with open_table(path, mapping(mapping_text(agency, {event.type for event in events}))) as table:
            rows = list(table.rows())
        assert all(isinstance(row, MappedRow) for row in rows), rows
        read = [row.event for row in rows if isinstance(row, MappedRow)]
        assert [(e.id, e.type, e.occurred_at, e.corrects) for e in read] == [
            (e.id, e.type, e.occurred_at, e.corrects) for e in events
        ]
        assert [payload(e) for e in read] == [payload(e) for e in events]
