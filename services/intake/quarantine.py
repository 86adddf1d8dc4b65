"""What was refused, kept until a person repairs or discards it. Implements `services.engine.ports.Quarantine`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import orjson

from ccr_events.codes.backbone import ReadPurpose
from ccr_events.envelope import EnvelopeError, Event, read_structured
from services.engine.ports import Clock, FieldProblem, QuarantinedEvent, Receipt, Submission
from services.engine.transaction import Held, Transaction, Writer
from services.intake.door import Door
from services.intake.holding import WAITING, Holding
from services.sealing.access import ReadRefused
from services.sealing.hashes import KeyedHashes
from services.sealing.sealer import Sealer

MAX_LISTED = 1_000
"""Entries listed at once."""


_STATES: dict[str, Literal["waiting", "redriven", "discarded"]] = {
    "waiting": "waiting",
    "redriven": "redriven",
    "discarded": "discarded",
}


class UnknownEntry(LookupError):
    """No such quarantine entry."""


class NotWaiting(RuntimeError):
    """The entry was redriven or discarded before."""


class BodyNotKept(RuntimeError):
    """The submitted bytes are not there: an advocacy program's stay with the program, and settled ones are dropped."""


class KeptQuarantine:
    """The quarantine of one engine."""

    def __init__(self, writer: Writer, door: Door, clock: Clock, sealer: Sealer, hashes: KeyedHashes) -> None:
        self._writer = writer
        self._door = door
        self._clock = clock
        self._holding = Holding(sealer, hashes)

    async def waiting(self, limit: int = 200, *, agency: str | None = None) -> list[QuarantinedEvent]:
        """Oldest first, at most `MAX_LISTED`; of one agency when given."""
        held = await self._writer.read(lambda tx: tx.quarantine.waiting(min(limit, MAX_LISTED), agency))
        return [_shown(h) for h in held]

    async def entry(self, quarantine_id: str) -> QuarantinedEvent | None:
        """One entry, in whatever state it is."""
        held = await self._writer.read(lambda tx: tx.quarantine.get(quarantine_id))
        return None if held is None else _shown(held)

    async def open(self, quarantine_id: str, *, purpose: str, by: str) -> bytes:
        """The submitted bytes, for repair; on the audit log before they are given. `by`: public id of an API key.

        Raises `UnknownEntry`, `BodyNotKept` or `ReadRefused` (no such purpose).
        """
        if purpose not in set(ReadPurpose):
            raise ReadRefused(f"is no purpose that is known: use one of {', '.join(ReadPurpose)}")
        held = await self._acted(quarantine_id, "opened", by, purpose=purpose)
        opened = await asyncio.to_thread(self._holding.opened, held)
        if opened is None:
            if held.state != WAITING:
                raise BodyNotKept(f"this entry was {held.state}, and what was submitted is no longer kept")
            raise BodyNotKept(f"what {held.agency} submitted was not kept: have it repaired there and sent again")
        return opened[0]

    async def redrive(self, quarantine_id: str, *, body: bytes | None, by: str) -> Receipt:
        """Submit it again in the name of its own agency, repaired (`body`) or as it was.

        It stays in quarantine when it is refused again. Raises `UnknownEntry`, `NotWaiting` or `BodyNotKept`.
        """
        held = await self._acted(quarantine_id, "redriven", by)
        kept = await asyncio.to_thread(self._holding.opened, held)
        if body is None and kept is None:
            raise BodyNotKept(f"what {held.agency} submitted was not kept: give the repaired body")
        raw = body if body is not None else kept[0] if kept is not None else b""
        event = _read(raw)
        if isinstance(event, EnvelopeError):
            problem = FieldProblem(event.pointer, event.message)
            return Receipt("", "quarantined", None, None, quarantine_id, "cannot be read as an event", (problem,))
        alerting = kept is None or kept[1]
        receipt = await self._door.submit_again(Submission(event, held.agency, held.key_id, alerting))
        if receipt.status in ("accepted", "duplicate"):
            at = self._clock.now()
            await self._writer.write(lambda tx: self._holding.settle(tx, quarantine_id, held.agency, "redriven", at))
            return receipt
        return replace(receipt, quarantine_id=quarantine_id)

    async def discard(self, quarantine_id: str, *, by: str) -> None:
        """Mark it as not to be redriven; the entry is kept. Raises `UnknownEntry` or `NotWaiting`."""
        await self._acted(quarantine_id, "discarded", by)

    async def hold(
        self,
        raw: bytes,
        *,
        agency: str,
        key_id: str,
        type_hint: str,
        title: str,
        problems: Sequence[FieldProblem],
        alerting: bool = True,
    ) -> str:
        """Keep bytes that could not even be read as an event; returns the id. `alerting`: whether they may alert once
        they are repaired; not when they are history. Raises `QuarantineFull`."""
        return await self._writer.write(
            lambda tx: self._holding.hold(
                tx,
                raw,
                agency=agency,
                key_id=key_id,
                type_hint=type_hint,
                title=title,
                problems=problems,
                at=self._clock.now(),
                alerting=alerting,
            )
        )

    async def _acted(self, quarantine_id: str, act: str, by: str, *, purpose: str | None = None) -> Held:
        """The entry, once who does what with it is on the audit log."""

        def work(tx: Transaction) -> Held:
            held = tx.quarantine.get(quarantine_id)
            if held is None:
                raise UnknownEntry("there is no such quarantine entry")
            if act != "opened" and held.state != WAITING:
                raise NotWaiting(f"this quarantine entry was {held.state} before")
            entry = {"at": self._clock.now(), "quarantine_id": quarantine_id, "act": act, "key_id": by}
            if purpose is not None:
                entry["purpose"] = purpose
            tx.audit.append(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z))
            if act == "discarded":
                self._holding.settle(tx, quarantine_id, held.agency, act, self._clock.now())
            return held

        return await self._writer.write(work)


def _read(raw: bytes) -> Event | EnvelopeError:
    try:
        return read_structured(raw)
    except EnvelopeError as error:
        return error


def _shown(held: Held) -> QuarantinedEvent:
    problems = tuple(FieldProblem(pointer, message) for pointer, message in held.problems)
    return QuarantinedEvent(
        held.id, held.received_at, held.agency, held.type_hint, held.title, problems, _STATES[held.state]
    )
