"""Tables for `ccr ingest`: what has changed since the last time is published, or only looked at (`--check`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from ccr_events.envelope import EnvelopeError, read_structured
from services.cli.import_progress import Progress
from services.cli.import_run import TABLES, Asked, Seen, ship_all
from services.cli.import_targets import HttpTarget, SpoolTarget, Target
from services.cli.printing import json_line, say, table
from services.cli.refused import FAILED
from services.cli.spooling import tell_spooled
from services.engine.ports import FieldProblem, Receipt, Submission
from services.intake.allowed import allowed
from services.intake.stages import Refused as Turned
from services.intake.validate import validated

KEY_ID = "0" * 16
"""Stands for the key of whoever would publish."""
MAX_WORDS = 200
"""Most words without a code that are shown."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Answers as the door would, without one; the log is not asked. Implements `import_targets.Target`."""

    def publish(self, agency: str, forms: Sequence[Mapping[str, Any]], *, alerting: bool) -> list[Receipt] | None:
        """Whether each event may be published and fits its type."""
        return [_judged(form, agency) for form in forms]

    def settled(self, agency: str, quarantine_id: str) -> None:
        """Nothing was kept."""


def are_tables(files: Sequence[str], mapping: Path | None) -> bool:
    """Whether the command is about tables."""
    return mapping is not None or any(Path(name).suffix.lower() in TABLES for name in files)


def ingest_tables(asked: Asked, *, backfill: bool, spool: Path | None, check: bool, words: bool, as_json: bool) -> None:
    """Take them in; ends with exit status 1 when anything was refused."""
    progress, seen = Progress(None, ""), Seen()
    spooled = None
    with ExitStack() as opened:
        opened.callback(progress.close)
        target: Target
        if check:
            target = Looked()
        elif spool is not None:
            target = SpoolTarget(spool, asked.data, asked.url, asked.key, opened)
        else:
            target = HttpTarget(asked.data, asked.url, asked.key, opened)
        ship_all(asked, progress, target, lambda _: not backfill, quiet=as_json, keep=not check, seen=seen)
        if isinstance(target, SpoolTarget):
            spooled = target.finish()
        cases = progress.cases()
    tally = progress.tally
    if as_json:
        line = {**tally.as_json(), "cases": cases, "check": check, "notes": _notes(seen)}
        json_line(line if spooled is None else {**line, "spool": spooled.as_json()})
    else:
        _tell_notes(seen)
        if words:
            _tell_words(seen)
        tally.tell(
            [] if check or spooled is not None else [("cases", f"{cases:,}")],
            sent="told" if check else "sent",
            words={"accepted": "that would be taken"} if check else {"spooled": "kept in the spool"},
        )
        if check:
            say("Nothing was sent. Publish with the same command without --check.")
        elif tally.rows["rejected"]:
            say("Rows that could not be mapped are beside their file, in *.rejected.csv: repair them and take that in.")
        if spooled is not None and spool is not None:
            tell_spooled(spooled, spool)
    if tally.refused or (spooled is not None and spooled.newly_refused):
        raise typer.Exit(FAILED)


def _judged(form: Mapping[str, Any], agency: str) -> Receipt:
    try:
        event = read_structured(form)
    except EnvelopeError as error:
        return Receipt(
            "", "quarantined", title="cannot be read", problems=(FieldProblem(error.pointer, error.message),)
        )
    submission = Submission(event, agency, KEY_ID)
    found = allowed(submission)
    judged = found if isinstance(found, Turned) else validated(submission, found, datetime.now(UTC))
    if isinstance(judged, Turned):
        return Receipt(event.id, judged.status, title=judged.title, problems=judged.problems)
    return Receipt(event.id, "accepted")


def _notes(seen: Seen) -> list[dict[str, Any]]:
    notes: list[dict[str, Any]] = [{"file": file, "note": text} for file, text in seen.guessed]
    for file, told in seen.told:
        notes += [{"file": file, "column": c, "note": text, "cells": n} for (c, text), n in told.assumed.items()]
    return notes


def _tell_notes(seen: Seen) -> None:
    rows = [(note["file"], note.get("column", ""), note["note"], str(note.get("cells", ""))) for note in _notes(seen)]
    if rows:
        table(("file", "column", "note", "cells"), rows, none="")


def _tell_words(seen: Seen) -> None:
    """Words of open fields that have no code: they are the table's own, so only who asks for them sees them."""
    found = [
        (file, column, word, f"{count:,}")
        for file, told in seen.told
        for (column, word), count in told.unknown_words.most_common(MAX_WORDS)
    ]
    table(("file", "column", "word without a code", "cells"), found, none="Every word has its code.")
