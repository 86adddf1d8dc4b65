"""Authorized opening of sealed fields: asked with a purpose, judged by the matrix, audited before anything is given."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import orjson

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import KeyRing, ReadOutcome, ReadPurpose
from ccr_events.envelope import decode_record
from ccr_events.envelope.recorded import SEALED
from ccr_events.labels import Label
from services.engine.ports import AuthenticatedKey, Clock, Observer, OpenedEvent
from services.engine.transaction import Transaction, Writer
from services.sealing.involvement import is_involved
from services.sealing.keys import Keys
from services.sealing.sealer import Sealer
from services.sealing.visibility import Asked, Visibility, refusal, visibility

REFERRAL = "referral.advocacy_sent"

_Word = TypeVar("_Word", bound=StrEnum)


class ReadRefused(ValueError):
    """A request to open that cannot be judged: an unknown label, purpose or agency. Names what is allowed."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """One request, judged and audited."""

    case_id: str
    tokens: Mapping[str, str]
    granted: tuple[Label, ...]
    denied: Mapping[str, str]


class Opener:
    """Opens sealed fields of events for those who may."""

    def __init__(
        self,
        writer: Writer,
        keys: Keys,
        clock: Clock,
        observer: Observer,
        matrix: Visibility | None = None,
    ) -> None:
        """`matrix`: the local one; the one that ships with the backbone when left out."""
        self._writer = writer
        self._keys = keys
        self._sealer = Sealer(keys)
        self._clock = clock
        self._observer = observer
        self._matrix = visibility() if matrix is None else matrix

    async def open(
        self, event_id: str, labels: Collection[str], *, purpose: str, by: AuthenticatedKey
    ) -> OpenedEvent | None:
        """The fields of these labels that `by` may read for `purpose`; None when no such event exists.

        Every label asked for is on the audit log, durably, before a value is given. Raises `ReadRefused`.
        """
        wanted = tuple(dict.fromkeys(_word(Label, label, "label") for label in labels))
        why = _word(ReadPurpose, purpose, "purpose")
        agency = _word(Agency, by.agency, "agency")
        if not wanted:
            raise ReadRefused("name at least one label to open")
        judged = await self._writer.write(lambda tx: self._judge(tx, event_id, wanted, why, agency, by.key_id))
        if judged is None:
            return None
        for label in wanted:
            outcome = ReadOutcome.GRANTED if label in judged.granted else ReadOutcome.DENIED
            self._observer.sealed_read(label.value, agency.value, outcome.value)
        # in another thread: the key store may be making keys durable, and alerts must not wait for the disk
        opened = await asyncio.to_thread(self._sealer.open, judged.case_id, event_id, judged.tokens, judged.granted)
        return OpenedEvent({label.value: values for label, values in opened.items()}, judged.denied)

    def _judge(
        self,
        tx: Transaction,
        event_id: str,
        labels: Sequence[Label],
        purpose: ReadPurpose,
        agency: Agency,
        key_id: str,
    ) -> _Judged | None:
        stored = tx.events.get(event_id)
        if stored is None:
            return None
        record = decode_record(stored.body)
        views = [tx.views.get(case_id) for case_id in {stored.case_id, tx.cases.forward_of(stored.case_id)}]
        involved = any(is_involved(view, agency.value) for view in views)
        referred = any(f.agency == Agency.LE for view in views for f in view.facts.values() if f.type == REFERRAL)
        reasons: dict[Label, str | None] = {}
        for label in labels:
            ring = self._keys.ring(stored.case_id, label.value) or KeyRing.OPEN
            asked = Asked(label, record["type"], record["agency"], ring, involved, referred)
            reasons[label] = refusal(asked, agency, purpose, self._matrix)
        granted = tuple(label for label, reason in reasons.items() if reason is None)
        denied = {label.value: reason for label, reason in reasons.items() if reason is not None}
        at = self._clock.now()
        for outcome, concerned in ((ReadOutcome.GRANTED, granted), (ReadOutcome.DENIED, tuple(denied))):
            if concerned:
                tx.audit.append(self._entry(at, event_id, agency, key_id, concerned, purpose, outcome))
        return _Judged(stored.case_id, record["data"].get(SEALED, {}), granted, denied)

    def _entry(
        self,
        at: datetime,
        event_id: str,
        agency: Agency,
        key_id: str,
        labels: Sequence[str],
        purpose: ReadPurpose,
        outcome: ReadOutcome,
    ) -> bytes:
        """The fields of an `access.audited` event, and when it was."""
        entry: dict[str, Any] = {
            "at": at,
            "event_id": event_id,
            "reader": agency.value,
            "key_id": key_id,
            "labels": sorted(labels),
            "purpose": purpose.value,
            "outcome": outcome.value,
        }
        if purpose is ReadPurpose.BREAK_GLASS and outcome is ReadOutcome.GRANTED:
            entry["review_by"] = at + timedelta(hours=self._matrix.break_glass.review_within_h)
        return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def _word(kind: type[_Word], text: str, what: str) -> _Word:
    try:
        return kind(text)
    except ValueError:
        allowed = ", ".join(word.value for word in kind)
    raise ReadRefused(f"is no {what} that is known: use one of {allowed}")
