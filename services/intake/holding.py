"""Keeping what was refused: sealed, once, and no more than a bound per agency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ccr_events.catalogue import event_types
from ccr_events.core.ids import derived
from services.engine.ports import FieldProblem
from services.engine.transaction import Held, Transaction
from services.intake.advocacy import body_is_kept
from services.sealing.hashes import KeyedHashes
from services.sealing.sealer import Sealer

MAX_WAITING = 10_000
"""Refused submissions of one agency that wait; beyond it nothing more of theirs is kept, and they are told."""
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
        quarantine_id = derived("quarantine", agency, self._hashes.submission(agency, raw))
        known = tx.quarantine.get(quarantine_id)
        if known is not None and known.state == WAITING:
            return quarantine_id
        if tx.quarantine.count_waiting(agency) >= MAX_WAITING:
            raise QuarantineFull(
                f"the quarantine of {agency} is full ({MAX_WAITING:,} wait), so this was not kept: "
                "repair or discard what waits, then send it again"
            )
        if known is not None:  # refused again after it was settled once
            tx.quarantine.mark(quarantine_id, WAITING)
            return quarantine_id
        tx.quarantine.hold(
            Held(
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
        )
        return quarantine_id

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


def _scope(agency: str) -> str:
    return f"quarantine/{agency}"
