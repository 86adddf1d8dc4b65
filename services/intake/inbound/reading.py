"""One record of an inbound topic, read. Pure: whatever the bytes are, the answer says what they hold or why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ccr_events.agencies import REPORTING
from ccr_events.envelope import BATCH, STRUCTURED, EnvelopeError, Event, read_http
from services.engine.kafka.topics.catalogue import INBOUND
from services.engine.ports import AuthenticatedKey

SILENT = b"0"
"""Value of the header `alerting` on history."""


KEY_ID = "inbound-"
"""Before the agency, in the place of an API key's public id, in quarantine."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who may write a topic."""

    caller: AuthenticatedKey
    """In whose name it is taken in."""
    types: frozenset[str] | None = None
    """The only event types taken in from there; any that the agency may publish, when None."""


def agencies_topics() -> dict[str, Source]:
    """Topic → whose it is, of every agency."""
    return {INBOUND + agency: Source(AuthenticatedKey(KEY_ID + agency, agency.value)) for agency in REPORTING}


class Record(Protocol):
    """A record as aiokafka gives it."""

    @property
    def offset(self) -> int:
        """Its place on the topic."""

    @property
    def value(self) -> bytes | None:
        """What was sent."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Name and value of each."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What one record holds."""

    offset: int
    found: tuple[Event | EnvelopeError, ...] = field(repr=False)
    """Its events in order; an error, with the bytes concerned, in the place of what is none."""
    alerting: bool
    raw: bytes = field(repr=False)


def arrived(record: Record, source: Source) -> Arrived:
    """Never raises."""
    headers = {name.lower(): value or b"" for name, value in record.headers}
    raw = record.value or b""
    try:
        found = tuple(_of(source, item, raw) for item in read_http(_as_http(headers, raw), raw))
    except EnvelopeError as error:
        found = (EnvelopeError(error.pointer, error.message, body=raw),)
    return Arrived(record.offset, found, headers.get("alerting") != SILENT, raw)


def _of(source: Source, item: Event | EnvelopeError, raw: bytes) -> Event | EnvelopeError:
    if source.types is None or isinstance(item, EnvelopeError) or item.type in source.types:
        return item
    return EnvelopeError("/type", f"is not taken in from here, only {', '.join(sorted(source.types))}", body=raw)


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
