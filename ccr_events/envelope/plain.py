"""The usual event, read in one pass: every attribute one of ours and plainly as it must be.

What is unusual or wrong is left to `attributes`, which reads it or says what is wrong; so this decides nothing of its
own, it only saves the usual event the long way (5 µs instead of 14).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ccr_events.envelope.attributes import (
    EXTENSIONS,
    MAX_SCHEMA_VERSION,
    MAX_SOURCE,
    MAX_TEXT,
    MAX_TYPE,
    REQUIRED,
    RFC3339,
    SOURCE,
    TOKEN,
    TRACEPARENT,
    TYPE,
    UUID,
    YEARS,
)
from ccr_events.envelope.event import Event

_KNOWN = frozenset({*REQUIRED, *EXTENSIONS, "datacontenttype", "subject", "data"})
_OPTIONAL = ("caseid", "corrects", "causationid", "correlationid", "policyref", "subject", "traceparent")
_JSON = "application/json"
_PATTERNS = {
    "caseid": re.compile(TOKEN),
    "corrects": re.compile(UUID),
    "causationid": re.compile(UUID),
    "correlationid": re.compile(TOKEN),
    "policyref": re.compile(TOKEN),
    "subject": re.compile(r"[ -~]+"),
    "traceparent": re.compile(TRACEPARENT),
}
_uuid = re.compile(UUID).fullmatch
_source = re.compile(SOURCE).fullmatch
_type = re.compile(TYPE).fullmatch
_instant = re.compile(RFC3339).fullmatch


def plain_event(form: Mapping[str, Any]) -> Event | None:
    """The event of a structured form; None when it takes the careful reader to read or to refuse it."""
    if not form.keys() <= _KNOWN or form.get("specversion") != "1.0":
        return None
    get = form.get
    identity, source, name, time, data = get("id"), get("source"), get("type"), get("time"), get("data")
    if not (type(identity) is type(source) is type(name) is type(time) is str and type(data) is dict):
        return None
    if not (_uuid(identity) and _source(source) and _type(name) and _instant(time)):
        return None
    if len(source) > MAX_SOURCE or len(name) > MAX_TYPE or get("datacontenttype", _JSON) != _JSON:
        return None
    occurred_at = _utc(time)
    version = get("schemaver", 1)
    if occurred_at is None or type(version) is not int or not 1 <= version <= MAX_SCHEMA_VERSION:
        return None
    found: list[str | None] = []
    for optional in _OPTIONAL:
        value = get(optional)
        if value is not None and not (
            type(value) is str and len(value) <= MAX_TEXT and _PATTERNS[optional].fullmatch(value)
        ):
            return None
        found.append(value)
    case_id, corrects, causation_id, correlation_id, policy_ref, subject, trace = found
    return Event(
        identity.lower(),
        source,
        name,
        occurred_at,
        data,
        version,
        subject,
        case_id,
        None if corrects is None else corrects.lower(),
        None if causation_id is None else causation_id.lower(),
        correlation_id,
        policy_ref,
        trace,
    )


def _utc(time: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(time.upper())
        at = at if at.tzinfo is UTC else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year in YEARS else None
