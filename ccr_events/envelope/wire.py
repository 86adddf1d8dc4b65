"""CloudEvents over HTTP: binary, structured and batch mode in; structured form out.

Source: CloudEvents 1.0.2, HTTP protocol binding and JSON event format. The mode follows from the content
type; the bindings are those of the `cloudevents` package, reading through `OrjsonFormat`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import orjson
from cloudevents.core.base import BaseCloudEvent, EventFactory
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.v1.event import CloudEvent

from ccr_events.envelope.attributes import cloud_event, event_of, read_instant
from ccr_events.envelope.bounded_json import (
    MAX_BATCH_BYTES,
    MAX_BATCH_EVENTS,
    MAX_EVENT_BYTES,
    check_depth,
    load_json,
)
from ccr_events.envelope.event import EnvelopeError, Event
from ccr_events.envelope.plain import plain_event

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


class OrjsonFormat:
    """The package's `Format` on orjson, strict where its own JSON format guesses."""

    def read(self, event_factory: EventFactory | None, data: str | bytes) -> CloudEvent:
        """A structured event; raises `EnvelopeError`."""
        raw = data.encode() if isinstance(data, str) else data
        return _from_mapping(load_json(raw, limit_bytes=MAX_EVENT_BYTES))

    def write(self, event: BaseCloudEvent) -> bytes:
        """The structured form as bytes."""
        return orjson.dumps({**event.get_attributes(), "data": event.get_data()}, option=orjson.OPT_UTC_Z)

    def write_data(self, data: dict[str, Any] | str | bytes | None, datacontenttype: str | None) -> bytes:
        """The body of a binary-mode message."""
        return orjson.dumps(data)

    def read_data(self, body: bytes, datacontenttype: str | None) -> dict[str, Any]:
        """The JSON object in the body of a binary-mode message; raises `EnvelopeError` at `/data`."""
        try:
            data = load_json(body, limit_bytes=MAX_EVENT_BYTES)
            problem = None
        except EnvelopeError as error:
            problem = error.message
        if problem is not None:
            raise EnvelopeError("/data", problem)
        if not isinstance(data, dict):
            raise EnvelopeError("/data", "is required and must be a JSON object")
        return data

    def get_content_type(self) -> str:
        """Media type of the structured form."""
        return STRUCTURED


_FORMAT = OrjsonFormat()


def read_http(headers: Mapping[str, str], body: bytes) -> list[Event | EnvelopeError]:
    """The events of one HTTP request, in order.

    A batch yields an `EnvelopeError` in the place of each item that cannot be read (its bytes in `.body`).
    Raises `EnvelopeError` when the request as a whole, or its only event, cannot be read.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    media = _media_type(lowered.get("content-type", ""))
    trace = lowered.get("traceparent")
    if media == BATCH:
        return _read_batch(body, trace)
    if media == STRUCTURED:
        return [_read_one(load_json(body, limit_bytes=MAX_EVENT_BYTES), trace)]
    if media.startswith("application/cloudevents"):
        raise EnvelopeError("", f"only the JSON event format is read: send {STRUCTURED} or {BATCH}")
    if "ce-specversion" not in lowered:
        raise EnvelopeError(
            "", f"is no CloudEvent: send content type {STRUCTURED} or {BATCH}, or ce- headers (binary mode)"
        )
    return [_read_binary(lowered, body, trace)]


def read_structured(raw: bytes | Mapping[str, Any]) -> Event:
    """One event in the JSON event format; raises `EnvelopeError`."""
    if isinstance(raw, bytes):
        return _read(load_json(raw, limit_bytes=MAX_EVENT_BYTES))
    check_depth(raw)
    return _read(raw)


def write_structured(event: Event) -> dict[str, Any]:
    """What an adapter sends: the JSON event format, absent attributes left out."""
    form: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": instant_text(event.occurred_at),
        "datacontenttype": "application/json",
        "schemaver": event.schema_version,
    }
    if event.subject is not None:
        form["subject"] = event.subject
    if event.case_id is not None:
        form["caseid"] = event.case_id
    if event.corrects is not None:
        form["corrects"] = event.corrects
    if event.causation_id is not None:
        form["causationid"] = event.causation_id
    if event.correlation_id is not None:
        form["correlationid"] = event.correlation_id
    if event.policy_ref is not None:
        form["policyref"] = event.policy_ref
    if event.traceparent is not None:
        form["traceparent"] = event.traceparent
    form["data"] = event.data
    return form


def instant_text(at: datetime) -> str:
    """RFC 3339 text of an aware UTC datetime, ending in `Z`."""
    return at.isoformat().replace("+00:00", "Z")


def _media_type(content_type: str) -> str:
    media, _, parameters = content_type.lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "')
    if charset and not charset.startswith("utf-8"):
        raise EnvelopeError("", "must be encoded in UTF-8")
    return media.strip()


def _read_batch(body: bytes, trace: str | None) -> list[Event | EnvelopeError]:
    items = load_json(body, limit_bytes=MAX_BATCH_BYTES)
    if not isinstance(items, list):
        raise EnvelopeError("", "a batch must be a JSON array of events")
    if len(items) > MAX_BATCH_EVENTS:
        raise EnvelopeError("", f"a batch holds at most {MAX_BATCH_EVENTS:,} events")
    measure = len(body) > MAX_EVENT_BYTES
    return [_read_item(item, trace, measure=measure) for item in items]


def _read_item(item: Any, trace: str | None, *, measure: bool) -> Event | EnvelopeError:
    try:
        if measure and len(orjson.dumps(item)) > MAX_EVENT_BYTES:
            raise EnvelopeError("", f"is larger than {MAX_EVENT_BYTES:,} bytes")
        return _read_one(item, trace)
    except EnvelopeError as error:
        return EnvelopeError(error.pointer, error.message, body=orjson.dumps(item))


def _read_one(item: Any, trace: str | None) -> Event:
    if trace is not None and isinstance(item, dict):
        item.setdefault("traceparent", trace)
    return _read(item)


def _read(item: Any) -> Event:
    plain = plain_event(item) if isinstance(item, dict) else None
    return event_of(_from_mapping(item)) if plain is None else plain


def _read_binary(headers: Mapping[str, str], body: bytes, trace: str | None) -> Event:
    if "ce-time" in headers:
        read_instant(unquote(headers["ce-time"]))  # the binding's own parser takes looser times
    message = dict(headers)
    if trace is not None:
        message.setdefault("ce-traceparent", trace)
    event = from_binary(HTTPMessage(message, body), _FORMAT, _binary_event)
    assert isinstance(event, CloudEvent)  # noqa: S101  # made by the factory given
    return event_of(event)


def _binary_event(attributes: dict[str, Any], data: object) -> CloudEvent:
    if isinstance(attributes.get("time"), datetime):
        attributes["time"] = attributes["time"].isoformat()
    return cloud_event(attributes, data)


def _from_mapping(value: Any) -> CloudEvent:
    if not isinstance(value, Mapping):
        raise EnvelopeError("", "must be a JSON object")
    attributes = dict(value)
    data = attributes.pop("data", None)
    return cloud_event(attributes, data)
