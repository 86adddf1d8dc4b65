"""One record of an inbound topic, read. Pure: whatever the bytes are, the answer says what they hold or why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ccr_events.envelope import BATCH, STRUCTURED, EnvelopeError, Event, read_http

SILENT = b"0"
"""Value of the header `alerting` on history."""


class Record(Protocol):
    """A record as aiokafka gives it."""

    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Arrived:
    """What one record holds."""

    offset: int
    found: tuple[Event | EnvelopeError, ...] = field(repr=False)
    """Its events in order; an error, with the bytes concerned, in the place of what is none."""
    alerting: bool
    raw: bytes = field(repr=False)


def arrived(record: Record) -> Arrived:
    """Never raises."""
    headers = {name.lower(): value or b"" for name, value in record.headers}
    raw = record.value or b""
    try:
        found = tuple(read_http(_as_http(headers, raw), raw))
    except EnvelopeError as error:
        found = (EnvelopeError(error.pointer, error.message, body=raw),)
    return Arrived(record.offset, found, headers.get("alerting") != SILENT, raw)


def _as_http(headers: dict[str, bytes], raw: bytes) -> dict[str, str]:
    """The headers of the request that would have brought it. Raises `EnvelopeError`."""
    given = headers.get("content-type", b"").decode("latin-1")
    media = given.partition(";")[0].strip().lower()
    if not media:
        given = BATCH if raw.lstrip()[:1] == b"[" else STRUCTURED
    elif media not in (STRUCTURED, BATCH):
        raise EnvelopeError("", f"only structured CloudEvents are read here: say content-type {STRUCTURED} or {BATCH}")
    read = {"content-type": given}
    if "traceparent" in headers:
        read["traceparent"] = headers["traceparent"].decode("latin-1")
    return read
