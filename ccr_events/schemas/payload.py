"""The JSON Schema of one event type's payload, at its current version."""

from __future__ import annotations

from typing import Any

from ccr_events.registry import EventType

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def payload_path(name: str, version: int) -> str:
    """Where the schema of a type's version is kept, below the schemas folder."""
    return f"json/{name}/v{version}.json"


def payload_schema(event_type: EventType) -> dict[str, Any]:
    """JSON Schema 2020-12 of `data` as an adapter sends it, with confidentiality marks and publishers."""
    schema = event_type.model.model_json_schema(mode="validation")
    _show_computed(schema, event_type.model.model_json_schema(mode="serialization"))
    return {
        "$schema": DIALECT,
        "$id": f"urn:ccr:schema:{event_type.name}:{event_type.version}",
        **schema,
        "title": event_type.name,
        "x-ccr-version": event_type.version,
        "x-ccr-publishers": sorted(agency.value for agency in event_type.publishers),
        "x-ccr-victim-act": event_type.victim_act,
    }


def _show_computed(schema: dict[str, Any], serialized: dict[str, Any]) -> None:
    """List under `x-ccr-computed` the flags the backbone derives: policies and readers rely on them too."""
    definitions = schema.get("$defs", {})
    sources = serialized.get("$defs", {})
    pairs = [(schema, serialized), *((definitions[name], sources[name]) for name in definitions if name in sources)]
    for target, source in pairs:
        computed = {n: field for n, field in source.get("properties", {}).items() if field.get("readOnly")}
        if computed:
            target["x-ccr-computed"] = computed
    absent = {name: definition for name, definition in sources.items() if name not in definitions}
    if absent:
        schema["$defs"] = {**definitions, **absent}
