"""The facts of one event at a table's paths: its time, its numbers, its fields."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ccr_events.payload import MAX_LIST
from services.adapters.niem.conversions import code_of
from services.adapters.niem.errors import DocumentError
from services.adapters.niem.table import EventTable, Items, Number, Row
from services.adapters.niem.times import moment
from services.adapters.niem.view import View

MAX_REFERENCES = 16
"""Bound of the contract."""


def occurred_at_of(view: View, table: EventTable) -> datetime:
    """When the act happened; raises `DocumentError` when the document does not say and the table needs it."""
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
    if told is not None and told.at <= received:
        return told.at
    view.warnings.timed_by_receipt = True
    return received


def references_of(view: View, table: EventTable) -> list[dict[str, str]]:
    """The numbers that point to the case, at least one."""
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


def read_row(view: View, row: Row, fields: dict[str, Any], words: list[str]) -> None:
    """Put one field's value into `fields`, and what may say domestic violence into `words`."""
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


def items_of(view: View, items: Items, words: list[str]) -> Iterator[dict[str, Any]]:
    """The entries of one list."""
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
            read_row(inner, row, entry, words)
        if entry:
            told += 1
            yield entry


def indicators_of(view: View, table: EventTable) -> list[bool]:
    """What the document's own domestic-violence indicators say."""
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
