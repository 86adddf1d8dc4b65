"""A payload's JSON Schema in words, and an example event that fits it, for those who write adapters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ccr_events.core.ids import derived
from ccr_events.envelope.wire import instant_text
from ccr_events.registry import EventType
from ccr_events.schemas.payload import payload_schema

MAX_LISTED = 12
"""Most allowed values named in one row."""
MAX_DEPTH = 6
"""Deepest nesting followed for an example; the contract's own is less."""
_EXAMPLE_AT = "2026-03-01T22:15:00Z"
_EXAMPLE_DATE = "2026-03-01"
_EXAMPLE_CODE = "sample"


@dataclass(frozen=True, slots=True)
class FieldWords:
    """One field of a payload."""

    name: str
    kind: str
    """What it may hold."""
    required: bool
    label: str
    """Confidentiality label."""
    sealed: bool
    meaning: str


def fields_of(event_type: EventType) -> Iterator[FieldWords]:
    """The fields of `data`, required ones first."""
    schema = payload_schema(event_type)
    required = set(schema.get("required", ()))
    for name, field in sorted(schema["properties"].items(), key=lambda item: item[0] not in required):
        yield FieldWords(
            name=name,
            kind=_kind(field, schema),
            required=name in required,
            label=field["x-ccr-label"],
            sealed=field["x-ccr-sealed"],
            meaning=str(field.get("description", "")).replace("\n", " "),
        )


def example_of(event_type: EventType, at: datetime) -> dict[str, Any]:
    """A small event of this type that happened at `at` (aware UTC), as a CloudEvent; its numbers are invented."""
    time = instant_text(at.replace(microsecond=0))
    schema = payload_schema(event_type)
    data: dict[str, Any] = {"references": [{"kind": "incident_no", "number": "26-0101"}], "dv": "yes"}
    for name in schema.get("required", ()):
        data[name] = _example(schema["properties"][name], schema, MAX_DEPTH)
    publisher = min(event_type.publishers, default="ccr")
    return {
        "specversion": "1.0",
        "id": derived("example", event_type.name, time),
        "source": f"urn:placeholder-county:{publisher}",
        "type": event_type.name,
        "time": time,
        "datacontenttype": "application/json",
        "schemaver": event_type.version,
        "data": data,
    }


def _kind(field: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    found = _plain(field, root)
    if "enum" in found:
        listed = ", ".join(str(value) for value in found["enum"][:MAX_LISTED])
        return listed if len(found["enum"]) <= MAX_LISTED else f"{listed} … ({len(found['enum'])} values)"
    match found.get("type"):
        case "array":
            return f"list of {_kind(found['items'], root)}"
        case "object":
            return f"{found.get('title', 'object')}({', '.join(found.get('properties', ()))})"
        case "string":
            return {"date-time": "time with offset", "date": "date"}.get(found.get("format", ""), _text(found))
        case other:
            return {"integer": "whole number", "number": "number", "boolean": "true or false"}.get(str(other), "any")


def _text(found: Mapping[str, Any]) -> str:
    longest = found.get("maxLength")
    words = "code" if "pattern" in found else "text"
    return words if longest is None else f"{words}, up to {longest:,} characters"


def _plain(field: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind references and `or null`."""
    while True:
        if "$ref" in field:
            field = root["$defs"][field["$ref"].removeprefix("#/$defs/")]
        elif choices := field.get("anyOf"):
            field = next(choice for choice in choices if choice.get("type") != "null")
        else:
            return field


def _example(field: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    found = _plain(field, root)
    if "enum" in found:
        return found["enum"][0]
    if "const" in found:
        return found["const"]
    match found["type"]:
        case "array":
            return [_example(found["items"], root, depth - 1)] if depth else []
        case "object":
            properties = found.get("properties", {})
            return {name: _example(properties[name], root, depth - 1) for name in found.get("required", ()) if depth}
        case "string":
            return {"date-time": _EXAMPLE_AT, "date": _EXAMPLE_DATE}.get(found.get("format", ""), _EXAMPLE_CODE)
        case "boolean":
            return True
        case _:
            return found.get("minimum", 0)
