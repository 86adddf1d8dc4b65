"""What a record of `ccr.events` or `ccr.links` says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from ccr_events.core.codec import decode_link, decode_transition
from ccr_events.core.model import Fact
from ccr_events.envelope import read_fact
from services.casebook.partition import ALERTING, CAUSE, CHANGED, RECORDED_AT, SILENT, UNTOLD
from services.engine.kafka.batches.records import Record
from services.engine.kafka.topics.repartition import ORIGIN
from services.engine.sql import Dropped, Said, Told, Untold

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Event:
    """One event on `ccr.events`."""

    offset: int
    fact: Fact
    body: bytes
    """Its log form."""
    alerting: bool
    """False for backfilled history."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record nothing can be made of. It stays where it lies, on the topic."""

    offset: int
    why: str
    """The kind of error; nothing of the content."""


@dataclass(frozen=True, slots=True)
class Read(Generic[R]):
    """What was made of some records, in their order."""

    readable: list[R]
    unreadable: list[Unreadable]


def read_events(records: Iterable[Record]) -> Read[Event]:
    """Records of `ccr.events`."""
    return _read(records, _event)


def read_said(records: Iterable[Record]) -> Read[Said]:
    """Records of `ccr.links`."""
    return _read(records, _said)


def _read(records: Iterable[Record], read: Callable[[Record, bytes, bytes], R]) -> Read[R]:
    found: Read[R] = Read([], [])
    for record in records:
        if record.key is None or record.value is None:
            found.unreadable.append(Unreadable(record.offset, "it has no key or no value"))
            continue
        try:
            found.readable.append(read(record, record.key, record.value))
        except Exception as bad:
            # The text of such an error quotes what could not be read.
            found.unreadable.append(Unreadable(record.offset, f"it cannot be read: {type(bad).__name__}"))
    return found


def _event(record: Record, _: bytes, value: bytes) -> Event:
    return Event(record.offset, read_fact(value), value, _is_loud(record))


def _said(record: Record, key: bytes, value: bytes) -> Said:
    headers = dict(record.headers)
    at = _instant(headers)
    case_id, cause = key.decode(), int(headers.get(CAUSE) or b"0")
    origin = (headers.get(ORIGIN) or b"").decode()
    untold = headers.get(UNTOLD)
    if untold is None:
        return Told(record.offset, case_id, decode_transition(value), at, _is_loud(record), cause, origin)
    if untold == CHANGED:
        return Untold(record.offset, case_id, decode_link(value), at, cause, origin)
    return Dropped(record.offset, case_id, str(UUID(value.decode())), at, cause, origin)


def _instant(headers: Mapping[str, bytes | None]) -> datetime:
    at = datetime.fromisoformat((headers[RECORDED_AT] or b"").decode("ascii"))
    if at.tzinfo is None:
        raise ValueError("its instant has no time zone")
    return at


def _is_loud(record: Record) -> bool:
    return dict(record.headers).get(ALERTING) != SILENT
