"""JSON Schemas of the envelope: what an adapter sends, and the log form the backbone keeps and publishes.

The patterns are those the envelope is read with. Attributes a publisher adds beyond ours are allowed and not
carried on, as CloudEvents 1.0 permits.
"""

from __future__ import annotations

from typing import Any

from ccr_events.agencies import Agency
from ccr_events.envelope.attributes import (
    MAX_SCHEMA_VERSION,
    MAX_SOURCE,
    MAX_TEXT,
    MAX_TYPE,
    RFC3339,
    SOURCE,
    STAMPED,
    TOKEN,
    TRACEPARENT,
    TYPE,
    UUID,
)
from ccr_events.labels import Label
from ccr_events.schemas.payload import DIALECT

_UUID: dict[str, Any] = {"type": "string", "format": "uuid", "pattern": f"^{UUID}$"}
_TOKEN: dict[str, Any] = {"type": "string", "pattern": f"^{TOKEN}$", "maxLength": MAX_TEXT}
_INSTANT: dict[str, Any] = {"type": "string", "format": "date-time", "pattern": f"^{RFC3339}$"}

_ATTRIBUTES: dict[str, Any] = {
    "specversion": {"const": "1.0"},
    "id": {**_UUID, "description": "Id of the event; version 7 is recommended. Publishing it twice is harmless."},
    "source": {
        "type": "string",
        "pattern": f"^{SOURCE}$",
        "maxLength": MAX_SOURCE,
        "description": "URI reference of the publishing system.",
    },
    "type": {"type": "string", "pattern": f"^{TYPE}$", "maxLength": MAX_TYPE, "description": "Event type."},
    "time": {**_INSTANT, "description": "When it happened, with an offset from UTC."},
    "datacontenttype": {"type": "string", "description": "A JSON media type."},
    "dataschema": {"type": "string", "minLength": 1},
    "subject": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
    "schemaver": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_SCHEMA_VERSION,
        "default": 1,
        "description": "Version of the payload schema that data follows.",
    },
    "caseid": {**_TOKEN, "description": "Case the publisher knows it belongs to; otherwise it is resolved."},
    "corrects": {**_UUID, "description": "Id of the event that this one replaces."},
    "causationid": {**_UUID, "description": "Id of the event that caused this one."},
    "correlationid": {**_TOKEN, "description": "Whatever ties events together for the publisher."},
    "policyref": {**_TOKEN, "description": "Written policy that required the act."},
    "traceparent": {"type": "string", "description": f"W3C trace context, {TRACEPARENT}; ignored when malformed."},
}
_STAMPED: dict[str, Any] = {
    "caseid": {**_TOKEN, "description": "Case the event belongs to; the partition key."},
    "agency": {"enum": [agency.value for agency in Agency], "description": "Agency that published it."},
    "recordedtime": {**_INSTANT, "description": "When the backbone recorded it."},
    "policyversion": {"type": "string", "description": "Policy edition in force when it was recorded."},
}


def envelope_schema() -> dict[str, Any]:
    """A CloudEvent as an adapter sends it (structured mode)."""
    return {
        "$schema": DIALECT,
        "$id": "urn:ccr:schema:envelope:1",
        "title": "Event as an adapter publishes it",
        "description": "CloudEvents 1.0, JSON event format. The backbone sets "
        f"{', '.join(STAMPED)}; an event that carries them is refused.",
        "type": "object",
        "properties": {**_ATTRIBUTES, **dict.fromkeys(STAMPED, False), "data": {"type": "object"}},
        "required": ["specversion", "id", "source", "type", "time", "data"],
    }


def record_schema() -> dict[str, Any]:
    """An event as the log holds it and readers receive it."""
    sealed = {
        "type": "object",
        "description": "Confidential fields by label, encrypted; opened only at an authorized read.",
        "properties": {label.value: {"type": "string"} for label in Label},
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "$id": "urn:ccr:schema:record:1",
        "title": "Event as the backbone records it",
        "description": "CloudEvents 1.0, JSON event format, stamped; data holds the open fields of the payload.",
        "type": "object",
        "properties": {
            **_ATTRIBUTES,
            **_STAMPED,
            "data": {"type": "object", "properties": {"sealed": sealed}},
        },
        "required": ["specversion", "id", "source", "type", "time", *_STAMPED, "data"],
    }
