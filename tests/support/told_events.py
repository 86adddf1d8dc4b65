"""Events told in one line, for tests that people read:  mon 21:14 call.received by psap {nature: threat}

Times are local (America/Chicago); day names are of the week of Monday 2026-02-02. Fields are checked against the
contract, and only what stays open becomes a fact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from ccr_events.catalogue import event_type_named
from ccr_events.core.model import Fact
from ccr_events.policy import PolicyBook
from ccr_events.skeleton import split
from ccr_events.validation import validate

ZONE = ZoneInfo("America/Chicago")
MONDAY = date(2026, 2, 2)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = ("cad_no", "incident_no", "booking_no", "court_case_no", "order_no", "referral_no")

_TIME = re.compile(r"(mon|tue|wed|thu|fri|sat|sun|\d{4}-\d\d-\d\d) (\d\d):(\d\d)")
_EVENT = re.compile(r"(\S+ \d\d:\d\d) ([a-z_.]+)(?: by ([a-z]+))?(?: (\{.*\}))?")


def local(text: str) -> datetime:
    """`mon 21:14` or `2026-03-04 10:00` as a UTC instant."""
    found = _TIME.fullmatch(text)
    assert found, f"not a time: {text}"
    day = MONDAY + timedelta(days=DAYS.index(found[1])) if found[1] in DAYS else date.fromisoformat(found[1])
    naive = datetime(day.year, day.month, day.day, int(found[2]), int(found[3]), tzinfo=ZONE)
    return naive.astimezone(UTC)


def told(
    text: str,
    book: PolicyBook,
    *,
    owing: str = "",
    more: Mapping[str, Any] | None = None,
    file: str = "1",
    number: int = 0,
) -> Fact:
    """The fact a line tells. Every fact carries a number of each kind, all of them those of `file`.

    `owing` is the agency that speaks when several may and the line names none; `more` are fields besides.
    """
    found = _EVENT.fullmatch(text)
    assert found, f"not an event: {text}"
    at, type_, named, fields = found.groups()
    publishers = sorted(a.value for a in event_type_named(type_).publishers)
    default = publishers[0] if len(publishers) == 1 else owing
    agency = named or default
    assert agency in publishers, f"who publishes {text}? one of {publishers}"
    data = {**_plain(YAML(typ="safe").load(fields or "{}")), **(more or {})}
    data["references"] = [{"kind": kind, "number": f"{kind}-{file}"} for kind in KINDS]
    occurred_at = local(at)
    return Fact(
        id=str(uuid5(NAMESPACE_OID, f"{text} {agency} {file} {number} {sorted((more or {}).items())}")),
        type=type_,
        agency=agency,
        case_id="case-1",
        occurred_at=occurred_at,
        recorded_at=occurred_at,
        edition=book.edition_at(local("mon 00:00")).id,
        data=split(validate(type_, event_type_named(type_).version, data)).open,
    )


def _plain(value: Any) -> Any:
    """Times of day in the week, as the contract writes instants."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.replace(tzinfo=ZONE).astimezone(UTC).isoformat()
    if isinstance(value, str) and _TIME.fullmatch(value):
        return local(value).isoformat()
    return value
