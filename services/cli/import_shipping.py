"""Events of files to a target, in bounded batches; what is confirmed is noted before the next batch goes.

Order: the receipts, then the ledger of rows and the rejects, then the place in the file. Killed between two of them,
the next run sends a batch again that the backbone has; ids being what they are, that changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from ccr_events.envelope import MAX_BATCH_EVENTS, Event, write_structured
from services.adapters.csv import Planned
from services.cli.import_sources import Item, Passed, Place, Source, Step
from services.cli.import_tally import Fault, Tally, reason_of
from services.cli.import_targets import Target
from services.engine.ports import Receipt

BATCH_BYTES = 8_000_000
"""Bytes after which a batch takes no further event."""
MAX_OPEN = 100
"""Files that are read to their end and not yet confirmed."""
MAX_UNMARKED = 20_000
"""Steps after which the place is noted although no event was sent: unchanged rows, for example."""

IsLive = Callable[[datetime | None], bool]
"""Whether an event of this time alerts."""


@dataclass(slots=True)
class Shipment:
    """One run over some files."""

    target: Target
    tally: Tally
    is_live: IsLive
    marked: Callable[[Source, Place, bool], None]
    """Is told how far a file is confirmed, and whether it is done."""
    cases: set[str] = field(default_factory=set)
    """Cases that the events of the last batch belong to."""
    _held: list[tuple[Source, Item]] = field(default_factory=list)
    _places: dict[int, tuple[Source, Place, bool]] = field(default_factory=dict)
    _bytes: int = 0
    _steps: int = 0

    def ship(self, source: Source, steps: Iterable[Step], start: Place | None) -> None:
        """Everything in a file; what is left of the last batch stays until `flush`, to go with the next file's."""
        self._places[id(source)] = (source, start or Place(), False)
        for step in steps:
            self._take(source, step)
            self._places[id(source)] = (source, step.after, False)
            self._steps += 1
            if len(self._held) >= MAX_BATCH_EVENTS or self._bytes >= BATCH_BYTES or self._steps >= MAX_UNMARKED:
                self.flush()
        _, place, _ = self._places[id(source)]
        self._places[id(source)] = (source, place, True)
        if len(self._places) >= MAX_OPEN:
            self.flush()

    def flush(self) -> None:
        """Send what is held and note what is confirmed. Raises `Refused` when it could not be handed over."""
        groups: dict[tuple[str, bool], list[tuple[Source, Item]]] = {}
        for source, item in self._held:
            groups.setdefault((item.agency, self.is_live(item.occurred_at)), []).append((source, item))
        for (agency, alerting), held in groups.items():
            self._send(agency, held, alerting=alerting)
        for source, place, done in self._places.values():
            source.commit()
            self.marked(source, place, done)
        self._places = {key: value for key, value in self._places.items() if not value[2]}
        self._held.clear()
        self.cases.clear()
        self._bytes = self._steps = 0

    def _take(self, source: Source, step: Step) -> None:
        if isinstance(step, Item):
            self._held.append((source, step))
            self._bytes += len(orjson.dumps(step.form))
        elif isinstance(step, Passed):
            self.tally.rows[step.what] += 1
        else:
            source.rejected(step)
            self.tally.rows["rejected"] += 1
            self.tally.fault(_fault(source, step.where, step.reason))

    def _send(self, agency: str, held: list[tuple[Source, Item]], *, alerting: bool) -> None:
        receipts = self.target.publish(agency, [item.form for _, item in held], alerting=alerting)
        if receipts is None:
            receipts = [Receipt(str(item.form.get("id", "")), "accepted") for _, item in held]
            said = "spooled"
        else:
            said = ""
        taken = self._corrected(agency, [item for _, item in held], receipts, alerting=alerting)
        ids: dict[str, str] = {}
        published: dict[int, tuple[Source, list[Planned]]] = {}
        for (source, item), receipt in zip(held, receipts, strict=True):
            last = taken.get(id(item), receipt)
            status = "duplicate" if last.status == "conflict" and item.again_conflicts else last.status
            self.tally.sent(agency, str(item.form.get("type", "")), item.occurred_at, said or status, alerting=alerting)
            if last.case_id is not None:
                self.cases.add(last.case_id)
            if status not in ("accepted", "duplicate"):
                reason = reason_of(last)
                self.tally.fault(_fault(source, item.where, f"{item.form.get('type')} {reason}"), _kind(item, last))
            elif item.planned is not None:
                published.setdefault(id(source), (source, []))[1].append(item.planned)
                if last is not receipt:
                    ids[item.planned.row_id] = last.event_id
                    if receipt.quarantine_id is not None:
                        self.target.settled(agency, receipt.quarantine_id)
        for source, planned in published.values():
            source.published(planned, ids)

    def _corrected(
        self, agency: str, items: list[Item], receipts: list[Receipt], *, alerting: bool
    ) -> dict[int, Receipt]:
        """Rows whose own id is taken by other content, published as corrections of it: id of the item → receipt."""
        found: list[tuple[Item, Event]] = []
        for item, receipt in zip(items, receipts, strict=True):
            correction = item.planned.correction() if item.planned and receipt.status == "conflict" else None
            if correction is not None:
                found.append((item, correction))
        if not found:
            return {}
        forms = [write_structured(correction) for _, correction in found]
        answered = self.target.publish(agency, forms, alerting=alerting) or []
        return {id(item): receipt for (item, _), receipt in zip(found, answered, strict=True)}


def _fault(source: Source, where: str, reason: str) -> Fault:
    return Fault(source.path.name, where, reason)


def _kind(item: Item, receipt: Receipt) -> str:
    """The reason without what differs from event to event."""
    first = receipt.problems[0] if receipt.problems else None
    named = f": {first.pointer} {first.message}" if first is not None else ""
    return f"{item.form.get('type')} {receipt.status}: {receipt.title}{named}"
