"""What became of ingested documents, counted and told; what a dry run shows of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ccr_events.catalogue import event_type_named
from ccr_events.skeleton import split
from ccr_events.validation import validate_as
from services.adapters.niem import Reading
from services.cli.options import DEFAULT_DATA
from services.cli.printing import pairs, say, table
from services.engine.ports import Receipt

MASK = "•••"
"""What stands in a dry run where a confidential value is sealed."""


@dataclass(slots=True)
class Outcome:
    """What became of the documents of one command."""

    files: int = 0
    skipped: int = 0
    spooled: int = 0
    """Events put into a spool: what becomes of them is not known here."""
    statuses: dict[str, int] = field(
        default_factory=lambda: {"accepted": 0, "duplicate": 0, "quarantined": 0, "conflict": 0, "forbidden": 0}
    )
    """Events by what the backbone answered."""
    cases: set[str] = field(default_factory=set)
    failures: list[tuple[str, str]] = field(default_factory=list)
    """(file, reason); a reason names paths and rules, never a value."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """(file, warning or why it was left out)."""

    def note(self, name: str, reading: Reading, receipts: list[Receipt]) -> None:
        """Count the answers to one document's events."""
        for event, receipt in zip(reading.events, receipts, strict=True):
            again = receipt.status == "conflict" and reading.timed_by_receipt
            status = "duplicate" if again else receipt.status
            self.statuses[status] += 1
            if receipt.case_id is not None:
                self.cases.add(receipt.case_id)
            if status not in ("accepted", "duplicate"):
                self.failures.append((name, _refusal(event.type, receipt)))

    def as_json(self) -> dict[str, Any]:
        """The command's one line."""
        return {
            "files": self.files,
            "skipped": self.skipped,
            **self.statuses,
            "cases": sorted(self.cases),
            "failures": [{"file": name, "reason": reason} for name, reason in self.failures],
            "notes": [{"file": name, "note": text} for name, text in self.notes],
        }


def show(name: str, reading: Reading) -> None:
    """What would be published, open fields as they are, sealed ones masked."""
    say(f"{name}: {reading.document_type}, as {reading.agency}")
    for event in reading.events:
        say(f"  {event.type} at {event.occurred_at.isoformat()}")
        event_type = event_type_named(event.type)
        skeleton = split(validate_as(event_type, event.schema_version, event.data))
        shown = [(f"    {name}", str(value)) for name, value in skeleton.open.items()]
        for label, values in skeleton.sealed.items():
            shown += [(f"    {pointer}", f"{MASK} sealed as {label}") for pointer in values]
        pairs(shown)


def summarise(outcome: Outcome, data: Path, *, dry_run: bool) -> None:
    """Notes, failures, counts, and what to try next."""
    if outcome.notes:
        table(("document", "note"), [(Path(name).name, text) for name, text in outcome.notes], none="")
        say("")
    if outcome.failures:
        table(("document", "not published, because"), [(Path(n).name, why) for n, why in outcome.failures], none="")
        say("")
    counted = [("documents", str(outcome.files)), ("left out", str(outcome.skipped))]
    if outcome.spooled:
        counted.append(("events put into the spool", str(outcome.spooled)))
    elif not dry_run:
        counted += [(f"events {status}", str(count)) for status, count in outcome.statuses.items()]
        counted.append(("cases", str(len(outcome.cases))))
    counted.append(("failures", str(len(outcome.failures))))
    pairs(counted)
    if dry_run:
        say("Nothing was sent. Publish with the same command without --dry-run.")
    elif outcome.cases:
        where = "" if data == DEFAULT_DATA else f" --data {data}"
        say(f"See what they oblige whom to do:  ccr links{where}   and a case:  ccr case{where} {min(outcome.cases)}")


def _refusal(event_type: str, receipt: Receipt) -> str:
    where = f" (quarantine {receipt.quarantine_id})" if receipt.quarantine_id else ""
    problems = "; ".join(f"{problem.pointer} {problem.message}" for problem in receipt.problems)
    words = ": ".join(part for part in (receipt.title, problems) if part)
    return f"{event_type} {receipt.status}{where}: {words}" if words else f"{event_type} {receipt.status}{where}"
