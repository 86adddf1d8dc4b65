"""A document and its table to events. Everything that differs between document types is in the tables."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zlib import compress

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_type_named
from ccr_events.core.ids import derived
from ccr_events.envelope import Event
from ccr_events.payload import MAX_LIST, PartyRole
from ccr_events.validation import InvalidPayload, validate_as
from services.adapters.niem.conversions import code_of
from services.adapters.niem.document import Element, text_of
from services.adapters.niem.domestic import domestic
from services.adapters.niem.errors import DocumentError
from services.adapters.niem.parties import parties_of, subjects_of, victims_of
from services.adapters.niem.table import DocumentTable, EventTable, Family, Items, Number, Row
from services.adapters.niem.times import moment
from services.adapters.niem.view import View

MAX_EVENTS = 64
"""Most events of one document."""
MAX_REFERENCES = 16
"""Bound of the contract."""
MAX_SOURCE = 1_000_000
"""Bound of `source_document`, in characters."""
UNMAPPED = "charge_words"
"""Rows of this name feed the domestic-violence flag and no field."""

_SOURCES = {Family.JTMP: "urn:ccr:niem:jtmp", Family.OJBC: "urn:ccr:niem:ojbc"}


def events_of(view: View, table: DocumentTable, raw: bytes, agency: Agency) -> tuple[Event, ...]:
    """Every event the document tells; raises `DocumentError` when a required fact is missing or none is told."""
    view = _with_operation(view, table)
    source = sealed_source(raw)
    identity = (table.family.value, table.root, view.document.digest)
    found: list[Event] = []
    told_no: list[str] = []
    for event_table in table.events:
        event_type = event_type_named(event_table.type)
        before = len(found)
        for data, occurred_at in _told(view, event_table):
            if agency not in event_type.publishers:
                allowed = ", ".join(sorted(event_type.publishers))
                raise DocumentError(
                    f"tells {event_table.type}, which {agency} may not publish; its publishers: {allowed}"
                )
            try:
                validate_as(event_type, event_type.version, data)
                problem = None
            except InvalidPayload as error:
                problem = DocumentError(f"cannot become {event_table.type}: {error}")
            if problem is not None:
                raise problem
            found.append(
                Event(
                    id=derived("niem", *identity, event_table.type, str(len(found) - before)),
                    source=_SOURCES[table.family],
                    type=event_table.type,
                    occurred_at=occurred_at,
                    data={**data, "source_document": source},
                    schema_version=event_type.version,
                    correlation_id=f"niem-{view.document.digest[:32]}",
                )
            )
            if len(found) > MAX_EVENTS:
                raise DocumentError(f"tells more than {MAX_EVENTS} events; send it in parts")
        if len(found) == before:
            told_no.append(_why_not(view, event_table))
    if not found:
        raise DocumentError("tells no event: " + "; ".join(told_no))
    return tuple(found)


def sealed_source(raw: bytes) -> str:
    """The untouched document as `source_document` carries it: base64 of zlib."""
    text = b64encode(compress(raw, 9)).decode()
    if len(text) > MAX_SOURCE:
        raise DocumentError(
            f"is too large to be kept with its events ({MAX_SOURCE:,} characters compressed): leave attachments out"
        )
    return text


def _with_operation(view: View, table: DocumentTable) -> View:
    """The view with the scope `operation` when the document says add or update; raises on delete."""
    for path in table.operation:
        for element in view.elements((path,)):
            operation = view.document.operation_of(element)
            if operation is None:
                continue
            if text_of(operation).casefold() == "delete":
                raise DocumentError(
                    "asks to delete what an earlier message told; withdraw that event by publishing event.retracted "
                    "with its id in `corrects`",
                    path=view.human(path),
                )
            return view.at("operation", operation, f"/{table.root}/nola-ext:MessageOperationCode")
    return view


def _told(view: View, table: EventTable) -> Iterator[tuple[dict[str, Any], datetime]]:
    anchors = view.elements(table.anchor_paths)
    if not anchors and not table.optional:
        raise DocumentError("is missing, and nothing can be told without it", path=view.human_all(table.anchor_paths))
    for anchor in anchors:
        inner = _with_scopes(view.at(table.anchor, anchor, view.human(table.anchor_paths[0])), table)
        if not all(inner.holds(condition) for condition in table.conditions):
            continue
        subjects: list[Element | None] = list(subjects_of(inner, table))
        if table.subjects and not subjects:
            inner.warnings.tell(f"{inner.human_all(table.subjects)}: no suspect is named")
        victims = victims_of(inner, table) if table.dual else set()
        for subject in subjects or [None]:
            told = _event(inner, table, subject)
            if told is None:
                continue
            if not victims.isdisjoint(subjects):
                told[0]["dual_arrest"] = True
            yield told


def _with_scopes(view: View, table: EventTable) -> View:
    for name, paths in table.also:
        for path in paths:
            found = view.elements((path,))
            if len(found) == 1:
                view = view.at(name, found[0], view.human(path))
                break
            if found:
                view.warnings.tell(f"{view.human(path)}: is there {len(found)} times and nothing says which belongs")
                break
        else:
            view = _unplaced(view, name, paths[-1])
    return view


def _unplaced(view: View, name: str, path: str) -> View:
    """An absent scope, its place still known, so that an error can name a path below it."""
    place = view.human(path)
    return View(view.document, view.settings, view.warnings, view.scopes, {**view.places, name: place})


def _event(view: View, table: EventTable, subject: Element | None) -> tuple[dict[str, Any], datetime] | None:
    words: list[str] = []
    fields: dict[str, Any] = {}
    for items in table.items:
        entries = list(_items(view, items, words))
        if items.required and not entries:
            return None
        if entries:
            fields[items.field] = entries
    occurred_at = _occurred_at(view, table)
    references = _references(view, table)
    for row in table.rows:
        _read_row(view, row, fields, words)
    fields.pop(UNMAPPED, None)
    for default in table.defaults:
        if default.field not in fields and (default.when is None or view.holds(default.when)):
            fields[default.field] = default.value
    parties = parties_of(view, table, subject)
    if subject is not None and not any(party["role"] == PartyRole.SUSPECT for party in parties):
        view.warnings.tell(f"{view.human_all(table.subjects)}: the suspect has no particulars")
    dv, doubt = domestic(_indicators(view, table), words, view.settings.domestic)
    if doubt:
        view.warnings.tell(doubt)
    data = {"references": references, "parties": parties, "dv": dv.value, **fields}
    return {name: value for name, value in data.items() if value != []}, occurred_at


def _occurred_at(view: View, table: EventTable) -> datetime:
    named = view.first(table.occurred_at)
    if named is not None:
        found = moment(named[1], view.settings.zone)
        if found is None:
            raise DocumentError(
                "is not a date or time; write it as 2026-03-01T22:15:00-06:00", path=view.human(named[0])
            )
        if found.assumed:
            view.warnings.tell(f"{view.human(named[0])}: {found.assumed}")
        return found.at
    if not table.time_of_receipt:
        raise _missing(view, table.occurred_at, "when the act happened")
    view.warnings.tell(f"{view.human_all(table.occurred_at)}: is not there: the time of receipt is taken")
    at = next((row for row in table.rows if row.field == "at"), None)
    hearing = view.first(at.paths) if at else None
    told = moment(hearing[1], view.settings.zone) if hearing else None
    received = view.settings.received_at.astimezone(UTC)
    return min(received, told.at) if told else received


def _references(view: View, table: EventTable) -> list[dict[str, str]]:
    found: dict[tuple[str, str, str], None] = {}
    for number in table.numbers:
        for path in _number_paths(view, number):
            for text in view.texts(path):
                code = code_of(text)
                if code is None:
                    raise DocumentError(
                        "is no usable number: at most 64 letters, digits and . : / -", path=view.human(path)
                    )
                if code.doubt:
                    view.warnings.tell(f"{view.human(path)}: {code.doubt}")
                found[number.kind.value, str(code.value), number.issuer] = None
    if not found and view.settings.samples:
        found[_sample_number(view, table.numbers)] = None
    if not found:
        paths = tuple(path for number in table.numbers for path in number.paths)
        raise _missing(view, paths, "a number that points to the case")
    if len(found) > MAX_REFERENCES:
        view.warnings.tell(f"has more than {MAX_REFERENCES} numbers: the first are taken")
    keys = list(found)[:MAX_REFERENCES]
    return [{"kind": kind, "number": number} | ({"issuer": issuer} if issuer else {}) for kind, number, issuer in keys]


def _number_paths(view: View, number: Number) -> tuple[str, ...]:
    if not number.first:
        return number.paths
    named = view.first(number.paths)
    return (named[0],) if named else ()


def _sample_number(view: View, numbers: tuple[Number, ...]) -> tuple[str, str, str]:
    view.warnings.tell("the case's number is made up from the document's digest, as asked for samples")
    return numbers[0].kind.value, f"SAMPLE-{view.document.digest[:12].upper()}", numbers[0].issuer


def _missing(view: View, paths: tuple[str, ...], what: str) -> DocumentError:
    where = view.human_all(paths)
    if view.has_placeholder(paths):
        return DocumentError(
            f"holds a placeholder such as 'string' where {what} is required; have the sender fill it in "
            "(to try a published sample all the same: --samples)",
            path=where,
        )
    return DocumentError(f"is missing or empty, and {what} is required; have the sender fill it in", path=where)


def _read_row(view: View, row: Row, fields: dict[str, Any], words: list[str]) -> None:
    values: list[Any] = []
    every = row.many or bool(row.gravest)
    for path in row.paths:
        for text in view.texts(path):
            if row.domestic:
                words.append(text)
            converted = view.convert(path, text, row.convert)
            if converted is not None and converted.value not in values:
                values.append(converted.value)
            if values and not every:
                break
        if values and not every:
            break
    if row.required and not values:
        raise _missing(view, row.paths, row.field)
    if not values:
        return
    if row.gravest:
        fields[row.field] = min(values, key=row.gravest.index)
    else:
        fields[row.field] = values[:MAX_LIST] if row.many else values[0]


def _items(view: View, items: Items, words: list[str]) -> Iterator[dict[str, Any]]:
    elements = view.elements(items.paths)
    place = view.human(items.paths[0])
    told = 0
    for element in elements:
        inner = view.at("item", view.document.resolved(element), place)
        if items.only is not None and not inner.holds(items.only):
            continue
        if told == MAX_LIST:
            view.warnings.tell(f"{place}: there are more than {MAX_LIST}: the first are taken")
            return
        entry: dict[str, Any] = {}
        for row in items.rows:
            _read_row(inner, row, entry, words)
        if entry:
            told += 1
            yield entry


def _indicators(view: View, table: EventTable) -> list[bool]:
    values = []
    for path in table.indicators:
        for text in view.texts(path):
            if text.casefold() in ("true", "1"):
                values.append(True)
            elif text.casefold() in ("false", "0"):
                values.append(False)
            else:
                view.warnings.tell(f"{view.human(path)}: is neither true nor false: left out")
    return values


def _why_not(view: View, table: EventTable) -> str:
    if table.conditions:
        return f"{table.type} only when " + " and ".join(condition.says for condition in table.conditions)
    needed = [items for items in table.items if items.required]
    if needed:
        return f"{table.type} needs {' and '.join(needed[0].paths)}"
    return f"{table.type} needs {view.human_all(table.anchor_paths)}"
