"""Keeping what was refused: sealed, once, and within bounds per agency, by number and by size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ccr_events.catalogue import event_types
from ccr_events.core.ids import derived
from services.engine.ports import FieldProblem
from services.engine.transaction import Held, Transaction
from services.intake.advocacy import body_is_kept
from services.sealing.hashes import KeyedHashes
from services.sealing.sealer import Sealer

MAX_WAITING = 10_000
"""Refused submissions of one agency that wait; beyond it nothing more of theirs is kept, and they are told."""
MAX_WAITING_BYTES = 250_000_000
"""What their sealed bodies may come to, together: room for 120 of the largest events, or 10,000 of 25 kB."""
KEPT_SETTLED = 1_000
"""Entries of an agency, redriven or discarded last, whose bodies are still kept, to look at what went wrong."""
KEPT_SETTLED_FOR = timedelta(days=30)
"""How long. Looked at whenever something of the agency is refused or settled; the entry itself stays, without body."""
WAITING = "waiting"
UNKNOWN_TYPE = "unknown"
_BODY = "BODY"
_ALERTING = b"\x01"
_BACKFILL = b"\x00"


class QuarantineFull(RuntimeError):
    """An agency's quarantine is full: what was refused was not kept. Says what to do."""


class Holding:
    """Puts refused bytes into quarantine and takes them out."""

    def __init__(self, sealer: Sealer, hashes: KeyedHashes) -> None:
        self._sealer = sealer
        self._hashes = hashes

    def hold(
        self,
        tx: Transaction,
        raw: bytes,
        *,
        agency: str,
        key_id: str,
        type_hint: str,
        title: str,
        problems: Sequence[FieldProblem],
        at: datetime,
        alerting: bool,
    ) -> str:
        """Keep; returns the quarantine id, the same for the same bytes. Raises `QuarantineFull`."""
        # what was refused as history and again as news are two: one of them alerts once it is repaired
        kind = () if alerting else ("history",)
        quarantine_id = derived("quarantine", agency, self._hashes.submission(agency, raw), *kind)
        known = tx.quarantine.get(quarantine_id)
        if known is not None and known.state == WAITING:
            return quarantine_id
        held = Held(
            id=quarantine_id,
            received_at=at,
            agency=agency,
            key_id=key_id,
            type_hint=type_hint if type_hint in event_types() else UNKNOWN_TYPE,
            title=title,
            problems=tuple((p.pointer, p.message) for p in problems),
            sealed_body=self._sealed(quarantine_id, agency, raw, alerting=alerting),
            state=WAITING,
        )
        _check_room(tx, held)
        if known is None:
            tx.quarantine.hold(held)
        else:  # refused again after it was settled once
            tx.quarantine.renew(held)
        _drop_settled(tx, agency, at)
        return quarantine_id

    def settle(self, tx: Transaction, quarantine_id: str, agency: str, state: str, at: datetime) -> None:
        """The entry waits no more: it was `redriven` or `discarded`."""
        tx.quarantine.mark(quarantine_id, state, at)
        _drop_settled(tx, agency, at)

    def opened(self, held: Held) -> tuple[bytes, bool] | None:
        """(the submitted bytes, whether it may alert); None when the body was not kept."""
        if not held.sealed_body:
            return None
        plain = self._sealer.open_bytes(_scope(held.agency), held.id, _BODY, held.sealed_body)
        return plain[1:], plain[:1] == _ALERTING

    def _sealed(self, quarantine_id: str, agency: str, raw: bytes, *, alerting: bool) -> str:
        if not body_is_kept(agency):
            return ""
        flag = _ALERTING if alerting else _BACKFILL
        return self._sealer.seal_bytes(_scope(agency), quarantine_id, _BODY, flag + raw)


def _check_room(tx: Transaction, held: Held) -> None:
    waiting = tx.quarantine.count_waiting(held.agency)
    size = tx.quarantine.bytes_waiting(held.agency)
    if waiting < MAX_WAITING and size + len(held.sealed_body) <= MAX_WAITING_BYTES:
        return
    raise QuarantineFull(
        f"the quarantine of {held.agency} is full ({waiting:,} wait, {size:,} bytes), so this was not kept: "
        "repair or discard what waits, then send it again"
    )


def _drop_settled(tx: Transaction, agency: str, at: datetime) -> None:
    tx.quarantine.drop_settled(agency, keep=KEPT_SETTLED, before=at - KEPT_SETTLED_FOR)


def _scope(agency: str) -> str:
    return f"quarantine/{agency}"
