"""What could not be folded or read, for operators: an entry in quarantine that says why and where it lies, no more.

The casebook's workers write such entries to `ccr.quarantine`; a record of `ccr.links` that nothing can be made of gets
one here. The record itself stays on its topic, sealed as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from services.casebook.partition import refusal_id
from services.engine.kafka.batches.records import Record
from services.engine.ports import Clock
from services.engine.transaction import Held, StorageFailed, Transaction, Writer
from services.intake.holding import MAX_WAITING, UNKNOWN_TYPE, WAITING
from services.monitor.projection.patience import StoreAway
from services.monitor.projection.pieces import Piece
from services.monitor.projection.records import Unreadable

AGENCY = "ccr"
"""Whose entries they are: what the backbone itself could not do is no agency's to repair."""
KEY_ID = "casebook"
"""In the place of an API key's public id: by it these are told from what agencies submitted."""
MAX_TEXT = 300
"""Characters of a reason or a place that are shown at most."""


class SetAside:
    """Puts entries into the SQL store's quarantine, each once, as long as there is room."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self.kept = 0
        """Entries written to the store."""
        self.no_room = 0
        """Entries that found the quarantine full. They are on `ccr.quarantine` all the same."""

    async def told(self, records: Iterable[Record]) -> None:
        """Records of `ccr.quarantine`. Raises `StoreAway`."""
        await self._hold([_entry(record) for record in records])

    async def unreadable(self, piece: Piece, found: Sequence[Unreadable]) -> None:
        """Records of a piece that nothing can be made of. Raises `StoreAway`."""
        places = [(f"{piece.topic}/{piece.partition}/{each.offset}", each.why) for each in found]
        await self._hold([{"id": refusal_id(place), "source": place, "reason": why} for place, why in places])

    async def _hold(self, entries: Sequence[Mapping[str, str]]) -> None:
        at = self._clock.now()
        try:
            kept = await self._writer.write(lambda tx: sum(_held(tx, entry, at) for entry in entries))
        except StorageFailed as failed:
            raise StoreAway(str(failed)) from failed
        self.kept += kept
        self.no_room += len(entries) - kept


def _held(tx: Transaction, entry: Mapping[str, str], at: datetime) -> bool:
    if tx.quarantine.get(entry["id"]) is None:
        if tx.quarantine.count_waiting(AGENCY) >= MAX_WAITING:
            return False
        where = entry["source"] + (f", about {entry['about']}" if "about" in entry else "")
        tx.quarantine.hold(
            Held(
                id=entry["id"],
                received_at=at,
                agency=AGENCY,
                key_id=KEY_ID,
                type_hint=UNKNOWN_TYPE,
                title=f"was set aside: {entry['reason'][:MAX_TEXT]}",
                problems=(("", f"record {where[:MAX_TEXT]}"),),
                sealed_body="",
                state=WAITING,
            )
        )
    return True


def _entry(record: Record) -> dict[str, str]:
    """What a record of `ccr.quarantine` says; one that cannot be read is an entry of its own."""
    place = f"ccr.quarantine/0/{record.offset}"
    try:
        said: dict[str, Any] = orjson.loads(record.value or b"")
        entry = {name: said[name] for name in ("id", "source", "reason")}
        entry |= {"about": said["about"]} if "about" in said else {}
        if all(isinstance(text, str) for text in entry.values()):
            return entry
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    return {"id": refusal_id(place), "source": place, "reason": "this entry itself cannot be read"}
