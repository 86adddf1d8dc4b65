"""A document and its table to events. Everything that differs between document types is in the tables."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zlib import compress

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_type_named
from ccr_events.core.ids import derived
from ccr_events.envelope import Event
from ccr_events.payload import PartyRole
from ccr_events.validation import InvalidPayload, validate_as
from services.adapters.niem.document import Element, text_of
from services.adapters.niem.domestic import domestic
from services.adapters.niem.errors import DocumentError
from services.adapters.niem.facts import indicators_of, items_of, occurred_at_of, read_row, references_of
from services.adapters.niem.parties import parties_of, subjects_of, victims_of
from services.adapters.niem.table import DocumentTable, EventTable, Family
from services.adapters.niem.view import View

MAX_EVENTS = 64
"""Most events of one document."""
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
        entries = list(items_of(view, items, words))
        if items.required and not entries:
            return None
        if entries:
            fields[items.field] = entries
    occurred_at = occurred_at_of(view, table)
    references = references_of(view, table)
    for row in table.rows:
        read_row(view, row, fields, words)
    fields.pop(UNMAPPED, None)
    for default in table.defaults:
        if default.field not in fields and (default.when is None or view.holds(default.when)):
            fields[default.field] = default.value
    parties = parties_of(view, table, subject)
    if subject is not None and not any(party["role"] == PartyRole.SUSPECT for party in parties):
        view.warnings.tell(f"{view.human_all(table.subjects)}: the suspect has no particulars")
    dv, doubt = domestic(indicators_of(view, table), words, view.settings.domestic)
    if doubt:
        view.warnings.tell(doubt)
    data = {"references": references, "parties": parties, "dv": dv.value, **fields}
    return {name: value for name, value in data.items() if value != []}, occurred_at


def _why_not(view: View, table: EventTable) -> str:
    if table.conditions:
        return f"{table.type} only when " + " and ".join(condition.says for condition in table.conditions)
    needed = [items for items in table.items if items.required]
    if needed:
        return f"{table.type} needs {' and '.join(needed[0].paths)}"
    return f"{table.type} needs {view.human_all(table.anchor_paths)}"
