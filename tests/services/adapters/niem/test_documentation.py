"""docs/niem.md says what the tables say, and the tables say what can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccr_events.catalogue import event_types
from services.adapters.niem.catalogue import BY_ROOT, DOCUMENTS
from services.adapters.niem.document import parse
from services.adapters.niem.documentation import PAGE, page
from services.adapters.niem.namespaces import PREFIXES
from services.adapters.niem.paths import find, human
from services.adapters.niem.reader import UNMAPPED
from services.adapters.niem.table import EventTable
from tests.support.niem import FIXTURES, fixture

ROOT = Path(__file__).parents[4]
TABLES = [(document, table) for document in DOCUMENTS for table in document.events]


def test_the_page_is_in_step_with_the_tables() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), "run: python -m services.adapters.niem.documentation"


def all_paths(table: EventTable) -> list[str]:
    paths = [*table.anchor_paths, *table.occurred_at, *table.subjects, *table.indicators]
    paths += [path for number in table.numbers for path in number.paths]
    paths += [path for _, also in table.also for path in also]
    paths += [path for row in table.rows for path in row.paths]
    paths += [path for condition in table.conditions for path in condition.paths]
    for people in table.people:
        paths += [*people.paths, *people.person, *people.role_paths]
    for items in table.items:
        paths += [*items.paths, *(path for row in items.rows for path in row.paths)]
    return paths


@pytest.mark.parametrize(("document", "table"), TABLES, ids=[f"{d.root}-{t.type}" for d, t in TABLES])
def test_every_path_of_every_table_can_be_followed(document, table) -> None:
    scopes = {"document", "holder", "item", "person", "operation", table.anchor, *(name for name, _ in table.also)}
    parsed = parse(fixture("jtmp-arrest.xml"))
    for path in all_paths(table):
        start, _, rest = path.partition("/")
        assert start in scopes | {"custody", "arrest_subject"}, path
        for prefix in (step.strip("~=^").partition(":")[0] for step in rest.split("/") if step):
            assert prefix in PREFIXES, path
        find(parsed, dict.fromkeys(scopes, parsed.root), path)
        assert human(path, {start: "/x:Root"}).startswith("/")


@pytest.mark.parametrize(("document", "table"), TABLES, ids=[f"{d.root}-{t.type}" for d, t in TABLES])
def test_every_field_of_every_table_is_the_event_types(document, table) -> None:
    event_type = event_types()[table.type]
    fields = {row.field for row in table.rows} | {items.field for items in table.items}
    fields |= {default.field for default in table.defaults}
    assert fields - {UNMAPPED} <= set(event_type.model.model_fields)
    assert document.agency in event_type.publishers


def test_roots_are_told_apart() -> None:
    assert len(BY_ROOT) == len(DOCUMENTS)
    assert all(bool(document.events) is not bool(document.skipped) for document in DOCUMENTS)


def test_every_mapped_document_type_has_a_document_of_our_own() -> None:
    mapped = {document.root for document in DOCUMENTS if document.events}
    untried = {"ojbc:IncidentReportUpdate", "ojbc:ArrestReport"}  # the same tables as the incident report's
    assert {parse(fixture(name)).name for name in FIXTURES} == mapped - untried
