"""CloudEvents attributes: which we know, how each is read, and the checked way to an `Event`.

The `cloudevents` package validates the event; its factory fills in a missing id, time or specversion, which
an accountable record must not have invented for it, so presence is checked first.
Source: CloudEvents 1.0.2, distributed tracing extension; W3C Trace Context.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from cloudevents.core.exceptions import (
    CloudEventValidationError,
    InvalidAttributeTypeError,
)
from cloudevents.core.v1.event import CloudEvent

from ccr_events.envelope.event import EnvelopeError, Event

REQUIRED = ("id", "source", "type", "specversion", "time")
STAMPED = ("agency", "recordedtime", "policyversion")
"""Attributes only the backbone sets."""
EXTENSIONS = (
    "caseid",
    "causationid",
    "corrects",
    "correlationid",
    "policyref",
    "schemaver",
    "traceparent",
)
"""Our extension attributes that an adapter may set."""
MAX_SCHEMA_VERSION = 9_999
MAX_SOURCE = 256
MAX_TYPE = 64
YEARS = range(1900, 2200)
"""Years of an event: deadline arithmetic stays clear of the ends of the calendar."""
MAX_TEXT = 128
"""Longest subject and longest reference of the publisher's own, in characters."""

# Patterns, matched against the whole attribute; the published schema shows the same ones.
UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
TOKEN = r"[A-Za-z0-9][A-Za-z0-9._:/@-]*"  # noqa: S105  # a pattern, not a secret
TYPE = r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+"
SOURCE = r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+"
RFC3339 = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
TRACEPARENT = r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"

_STANDARD = frozenset({*REQUIRED, "datacontenttype", "dataschema", "subject"})
_OURS = frozenset({*EXTENSIONS, *STAMPED})
_NAME = re.compile(r"[a-z0-9]{1,64}")
_JSON_MEDIA = re.compile(r"(application|text)/([a-z0-9.-]+\+)?json")
_VERSION_TEXT = re.compile(r"[0-9]{1,4}")


def cloud_event(attributes: dict[str, Any], data: object) -> CloudEvent:
    """The package's event factory behind our presence checks; raises `EnvelopeError`."""
    present = {name: value for name, value in attributes.items() if value is not None}
    for name in REQUIRED:
        if name not in present:
            raise EnvelopeError(f"/{name}", "is required")
    for name in STAMPED:
        if name in present:
            raise EnvelopeError(f"/{name}", "is set by the backbone; leave it out")
    if not isinstance(data, dict):
        raise EnvelopeError("/data", "is required and must be a JSON object")
    _check_names(present)
    present["time"] = read_instant(present["time"])
    problem = None
    try:
        event = CloudEvent(present, data)
    except CloudEventValidationError as error:
        problem = _first_problem(error)
    if problem is not None:
        raise problem
    return event


def event_of(cloud: CloudEvent) -> Event:
    """Our `Event` from a validated CloudEvent; raises `EnvelopeError` naming the attribute."""
    attributes = cloud.get_attributes()
    _check_media_type(attributes.get("datacontenttype"))
    data = cloud.get_data()
    assert isinstance(data, dict)  # noqa: S101  # cloud_event has seen to it
    time = cloud.get_time()
    assert time is not None  # noqa: S101  # likewise
    trace = attributes.get("traceparent")
    return Event(
        id=_uuid("id", cloud.get_id()),
        source=_matching("source", cloud.get_source(), SOURCE, MAX_SOURCE, "a URI reference"),
        type=_matching("type", cloud.get_type(), TYPE, MAX_TYPE, "a dotted event type such as arrest.made"),
        occurred_at=time,
        data=data,
        schema_version=_schema_version(attributes.get("schemaver", 1)),
        subject=_optional(_subject, attributes, "subject"),
        case_id=_optional(_token, attributes, "caseid"),
        corrects=_optional(_uuid, attributes, "corrects"),
        causation_id=_optional(_uuid, attributes, "causationid"),
        correlation_id=_optional(_token, attributes, "correlationid"),
        policy_ref=_optional(_token, attributes, "policyref"),
        # W3C: a receiver that cannot read the trace starts its own; a broken tracer must not hold back an arrest
        traceparent=trace if isinstance(trace, str) and re.fullmatch(TRACEPARENT, trace) else None,
    )


def read_instant(value: object) -> datetime:
    """RFC 3339 text to an aware UTC datetime; raises `EnvelopeError` at `/time`."""
    if not isinstance(value, str) or not re.fullmatch(RFC3339, value):
        raise EnvelopeError("/time", "must be an RFC 3339 time with an offset, such as 2026-03-01T22:15:00Z")
    try:
        at: datetime | None = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None or at.year not in YEARS:
        raise EnvelopeError("/time", f"must be a real date from {YEARS[0]} to {YEARS[-1]}")
    return at


def _check_names(present: Mapping[str, Any]) -> None:
    """Unknown extension attributes are allowed and not carried, unless one is a misspelling of ours."""
    for name in present:
        if name in _STANDARD or name in _OURS:
            continue
        if name == "data_base64":
            raise EnvelopeError("/data_base64", "is not supported: send data as a JSON object")
        if not _NAME.fullmatch(name):
            raise EnvelopeError("", "attribute names are 1 to 64 lower-case letters and digits")
        near = get_close_matches(name, _OURS, n=1, cutoff=0.8)
        if near:  # a correction or causation lost to a typing error would be lost silently
            raise EnvelopeError("", f"has an unknown attribute that nearly spells {near[0]!r}: correct it")


def _first_problem(error: CloudEventValidationError) -> EnvelopeError:
    name, problems = next(iter(error.errors.items()))
    problem = problems[-1]
    if name == "specversion":
        return EnvelopeError("/specversion", "must be '1.0'")
    if name not in _STANDARD and name not in _OURS:
        return EnvelopeError("", "has an extension attribute that CloudEvents does not allow")
    if isinstance(problem, InvalidAttributeTypeError):
        return EnvelopeError(f"/{name}", "must be a string")
    return EnvelopeError(f"/{name}", "must not be empty")


def _check_media_type(value: str | None) -> None:
    if value is not None and not _JSON_MEDIA.fullmatch(value.partition(";")[0].strip().lower()):
        raise EnvelopeError("/datacontenttype", "must be a JSON media type, such as application/json")


def _optional(read: Callable[[str, object], str], attributes: Mapping[str, Any], name: str) -> str | None:
    return read(name, attributes[name]) if name in attributes else None


def _matching(name: str, value: object, pattern: str, longest: int, what: str) -> str:
    if not isinstance(value, str) or len(value) > longest or not re.fullmatch(pattern, value):
        raise EnvelopeError(f"/{name}", f"must be {what}, at most {longest} characters")
    return value


def _uuid(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(UUID, value):
        raise EnvelopeError(f"/{name}", "must be a UUID in its 36-character form; version 7 is recommended")
    return value.lower()


def _token(name: str, value: object) -> str:
    return _matching(name, value, TOKEN, MAX_TEXT, "letters, digits and . _ : / @ -")


def _subject(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise EnvelopeError(f"/{name}", f"must be printable text of at most {MAX_TEXT} characters")
    return value


def _schema_version(value: object) -> int:
    if isinstance(value, str) and _VERSION_TEXT.fullmatch(value):
        value = int(value)  # binary mode: every attribute is a header, and text
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_SCHEMA_VERSION:
        raise EnvelopeError("/schemaver", f"must be a whole number from 1 to {MAX_SCHEMA_VERSION}")
    return value
