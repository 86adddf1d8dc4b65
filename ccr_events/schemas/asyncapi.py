"""The AsyncAPI 3.0 document: where events enter, where the backbone publishes, and the message of each type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ccr_events.agencies import Agency
from ccr_events.core.model import TransitionKind
from ccr_events.envelope import BATCH, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, STRUCTURED
from ccr_events.registry import EventType
from ccr_events.schemas.payload import DIALECT, payload_path

API_VERSION = "1.0.0"
"""Version of the channels and operations described here, not of any payload."""
_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"


def asyncapi_document(types: Mapping[str, EventType]) -> dict[str, Any]:
    """The document; file references are relative to the schemas folder."""
    names = sorted(types)
    inbound = [name for name in names if types[name].publishers]
    logged = [name for name in names if types[name].logged]
    links = [f"link.{kind.value}" for kind in TransitionKind]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CCR backbone",
            "version": API_VERSION,
            "description": "Events of agencies that respond to domestic violence, the protocol links they open, "
            "and the alerts those cause. Confidential fields are sealed at the door; alerts carry none.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": STRUCTURED,
        "channels": _channels(logged, inbound, links),
        "operations": _operations(),
        "components": {
            "messages": {
                **{_submitted(name): _submitted_message(types[name]) for name in inbound},
                **{_recorded(name): _recorded_message(types[name]) for name in logged},
                **{_transition(name): _transition_message(name) for name in links},
                "case-view": _case_view_message(),
            },
            "schemas": {"Transition": _multi_format(_transition_schema())},
            "securitySchemes": {"agencyKey": {"type": "http", "scheme": "bearer"}},
        },
    }


def _submitted(name: str) -> str:
    return f"submitted.{name}"


def _recorded(name: str) -> str:
    return f"recorded.{name}"


def _transition(name: str) -> str:
    return f"transition.{name}"


def _channels(logged: list[str], inbound: list[str], links: list[str]) -> dict[str, Any]:
    submitted = _references(map(_submitted, inbound))
    transitions = _references(map(_transition, links))
    return {
        "intake": {
            "address": "/v1/events",
            "title": "HTTP intake",
            "description": "POST one event (structured or binary mode) or a batch "
            f"({BATCH}, at most {MAX_BATCH_EVENTS:,} events) of at most {MAX_EVENT_BYTES:,} bytes each. "
            "Answered 202 only when it is durable.",
            "messages": submitted,
        },
        "agencyInbound": {
            "address": "ccr.inbound.{agency}",
            "title": "Inbound topic of one agency",
            "description": "What an adapter publishes where it reaches the broker rather than HTTP.",
            "parameters": {
                "agency": {
                    "description": "Agency the adapter publishes for.",
                    "enum": [agency.value for agency in Agency],
                }
            },
            "messages": submitted,
        },
        "events": {
            "address": "ccr.events",
            "title": "The log",
            "description": "Every recorded event, sealed; key: case id. Confidential fields are absent or encrypted.",
            "messages": _references(map(_recorded, logged)),
        },
        "links": {
            "address": "ccr.links",
            "title": "Protocol link transitions",
            "description": "Each change of each link; key: case id.",
            "messages": transitions,
        },
        "caseViews": {
            "address": "ccr.case-views",
            "title": "Case views",
            "description": "The state of each case after its latest event; compacted; key: case id.",
            "messages": _references(["case-view"]),
        },
        "alerts": {
            "address": "/v1/alerts",
            "title": "Alert stream",
            "description": "Server-Sent Events: link transitions for one subscriber; resumed with Last-Event-ID.",
            "messages": transitions,
        },
    }


def _operations() -> dict[str, Any]:
    bearer = [{"$ref": "#/components/securitySchemes/agencyKey"}]
    return {
        "acceptOverHttp": {
            "action": "receive",
            "channel": {"$ref": "#/channels/intake"},
            "summary": "An adapter posts events.",
            "security": bearer,
            "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
        },
        "acceptFromTopic": {
            "action": "receive",
            "channel": {"$ref": "#/channels/agencyInbound"},
            "summary": "An adapter publishes events to its agency's topic.",
        },
        "record": {
            "action": "send",
            "channel": {"$ref": "#/channels/events"},
            "summary": "Intake appends an accepted event, sealed, to the log.",
        },
        "publishLinks": {
            "action": "send",
            "channel": {"$ref": "#/channels/links"},
            "summary": "The casebook publishes each change of a protocol link.",
        },
        "publishCaseViews": {
            "action": "send",
            "channel": {"$ref": "#/channels/caseViews"},
            "summary": "The casebook publishes the state of a case.",
        },
        "streamAlerts": {
            "action": "send",
            "channel": {"$ref": "#/channels/alerts"},
            "summary": "A subscriber follows the alerts addressed to its agency.",
            "security": bearer,
            "bindings": {"http": {"method": "GET", "bindingVersion": "0.3.0"}},
        },
    }


def _references(messages: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in messages}


def _multi_format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$schema": DIALECT, **schema}}


def _submitted_message(event_type: EventType) -> dict[str, Any]:
    data = {"$ref": f"./{payload_path(event_type.name, event_type.version)}"}
    return {
        "name": event_type.name,
        "title": f"{event_type.name} as published",
        "summary": event_type.summary,
        "contentType": STRUCTURED,
        "payload": _multi_format(_typed("./envelope.json", event_type, data)),
        "x-ccr-publishers": sorted(agency.value for agency in event_type.publishers),
    }


def _recorded_message(event_type: EventType) -> dict[str, Any]:
    return {
        "name": event_type.name,
        "title": f"{event_type.name} as recorded",
        "summary": event_type.summary,
        "contentType": STRUCTURED,
        "payload": _multi_format(_typed("./record.json", event_type, {"type": "object"})),
    }


def _typed(envelope: str, event_type: EventType, data: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        "type": {"const": event_type.name},
        "schemaver": {"const": event_type.version},
        "data": data,
    }
    return {"allOf": [{"$ref": envelope}, {"properties": attributes}]}


def _transition_message(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": f"A protocol link changed: {name.removeprefix('link.')}.",
        "contentType": STRUCTURED,
        "payload": {"$ref": "#/components/schemas/Transition"},
    }


def _transition_schema() -> dict[str, Any]:
    instant = {"type": "string", "format": "date-time"}
    text = {"type": "string"}
    link: dict[str, Any] = {
        "id": text,
        "rule": text,
        "trigger_id": text,
        "agency": text,
        "role": text,
        "urgency": text,
        "state": text,
        "overdue": {"type": "boolean"},
        "escalated_to": {"type": "integer", "minimum": 0},
        "opened_at": instant,
        "lag_s": {"type": "integer", "minimum": 0},
        "references": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"kind": text, "number": text},
                "required": ["kind", "number"],
            },
        },
    }
    optional = dict.fromkeys(("due_at", "notified_at", "acknowledged_at", "ended_at"), instant)
    data = {
        "to_agency": {**text, "description": "Agency that must hear of it."},
        "to_role": text,
        "step": {"type": "integer", "minimum": 0, "description": "Escalation step; 0 otherwise."},
        "link": {
            "type": "object",
            "properties": {**link, **optional, "ended_by": text},
            "required": list(link),
        },
    }
    attributes = {
        "specversion": {"const": "1.0"},
        "id": {**text, "description": "The same change has the same id wherever it is computed."},
        "source": text,
        "type": {"enum": [f"link.{kind.value}" for kind in TransitionKind]},
        "time": {**instant, "description": "When the causing event happened."},
        "datacontenttype": text,
        "subject": {**text, "description": "Link id."},
        "caseid": text,
        "agency": {"const": Agency.CCR.value},
        "policyversion": text,
        "causationid": {**text, "description": "Event that caused the change."},
        "data": {"type": "object", "properties": data, "required": list(data)},
    }
    return {
        "title": "A change of a protocol link",
        "type": "object",
        "properties": attributes,
        "required": list(attributes),
    }


def _case_view_message() -> dict[str, Any]:
    return {
        "name": "case-view",
        "title": "Case view",
        "summary": "The facts of a case and the links derived from them; open fields only.",
        "contentType": "application/json",
        "payload": _multi_format(
            {
                "type": "object",
                "properties": {
                    "case_id": {"type": "string"},
                    "facts": {"type": "array", "items": {"type": "object"}},
                    "links": {"type": "array", "items": {"type": "object"}},
                },
                "required": ["case_id", "facts", "links"],
            }
        ),
    }
