"""`ccr policy what-if`: what a draft of a written policy would have changed, before anybody signs it."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.asked import SMALLEST_CELL, SmallestCell
from services.cli.histories import Store, chosen
from services.cli.options import DEFAULT_DATA, AsJson, Data, Policies

if TYPE_CHECKING:
    from ccr_events.policy import PolicyErrors
    from ccr_events.policy.draft import DraftBook
    from services.monitor.what_if.judging import Compared
    from services.monitor.what_if.over_log import Texts
    from services.monitor.what_if.report import Outcome, Row

MAX_DRAFTS = 500
"""Most documents in one directory of drafts."""
COLUMNS = (
    "change",
    "case_id",
    "link_id",
    "rule",
    "agency",
    "role",
    "opened_at",
    "due_before",
    "due_after",
    "overdue_before",
    "overdue_after",
    "state_before",
    "state_after",
    "steps_before",
    "steps_after",
)
"""Of the table of links that change."""


def what_if(
    context: typer.Context,
    draft: Annotated[
        Path, typer.Argument(metavar="DRAFT", help="The draft: a policy document, or a directory of documents.")
    ],
    data: Data = DEFAULT_DATA,
    store: Store = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="As if in force from then on; by default from the beginning."),
    ] = None,
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="TIME", help="With what was recorded by this time; default now.")
    ] = "now",
    table_file: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Also write each link that changes to a new file only you may read."
        ),
    ] = None,
    smallest: SmallestCell = SMALLEST_CELL,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Try a draft on what has happened: which obligations would be added, removed or due at another time.

    The draft takes the place of the policy of the same name in every edition. It needs no sign-off yet, but a newer
    version and a later date than the one in force. What people did stays as it was: a step counts as reached when its
    time passed before the act. People may act otherwise under another policy; this shows what is asked of them.
    Nothing is written, and nobody is alerted; the service may run.
    """
    from ccr_events.policy import PolicyErrors
    from services.cli.moments import moment, past_moment
    from services.cli.progress import progress
    from services.monitor.what_if.over_log import Question, load_drafted, tried

    opened, texts, now = chosen(context, data, store), read_texts(draft), datetime.now(UTC)
    starts = None if since is None else moment(since, now)
    question = Question(texts, starts, past_moment(as_of, now))
    try:
        book = load_drafted(policies, texts)
    except PolicyErrors as errors:
        raise _refused(errors, as_json=as_json) from None
    with _rows_to(table_file) as listing, progress("trying the draft") as advance:
        outcome = tried(opened, policies, question, advance, listing)
    if as_json:
        _json(outcome, book, smallest)
    else:
        _tell(outcome, book, smallest)


def read_texts(draft: Path) -> Texts:
    """The documents of a draft; raises `Refused` when there is none."""
    from ccr_events.policy.source import MAX_BYTES
    from services.cli.refused import Refused

    files = sorted(draft.glob("*.yaml")) if draft.is_dir() else [draft]
    if not files or len(files) > MAX_DRAFTS:
        raise Refused(f"{draft} must hold between one and {MAX_DRAFTS} policy documents (*.yaml)")
    texts = []
    for file in files:
        with file.open("rb") as opened:
            texts.append((str(file), opened.read(MAX_BYTES + 1)))
    return tuple(texts)


def _refused(errors: PolicyErrors, *, as_json: bool) -> Exception:
    from services.cli.printing import json_line, warn
    from services.cli.refused import Refused

    for problem in errors.problems:
        warn(str(problem))
    if as_json:
        json_line({"ok": False, "problems": [asdict(problem) for problem in errors.problems]})
    return Refused(f"{len(errors.problems)} problem(s) in the draft: it could not be put in force")


@contextmanager
def _private(file: Path) -> Iterator[Callable[[Sequence[Compared]], None]]:
    with os.fdopen(
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
    ) as opened:
        writer = csv.writer(opened)
        writer.writerow(COLUMNS)
        yield lambda links: writer.writerows(_cells(link) for link in links)


def _rows_to(file: Path | None) -> Any:
    return nullcontext() if file is None else _private(file)


def _cells(link: Compared) -> tuple[object, ...]:
    was, would = link.before, link.after

    def both(read: Callable[[Any], object]) -> tuple[object, object]:
        return ("" if was is None else read(was), "" if would is None else read(would))

    return (
        link.kind,
        link.case_id,
        link.link_id,
        link.rule,
        link.agency,
        link.role,
        link.opened_at.isoformat(),
        *both(lambda one: "" if one.due_at is None else one.due_at.isoformat()),
        *both(lambda one: "yes" if one.overdue else "no"),
        *both(lambda one: one.state),
        *both(lambda one: one.steps),
    )


def _tell(outcome: Outcome, book: DraftBook, smallest: int) -> None:
    from services.cli.printing import say, table
    from services.cli.spoken import agency_name
    from services.monitor.indicators.shown import told
    from services.monitor.what_if.words import length, median, sentences

    def count(number: int) -> str:
        return told(number, smallest)

    def times(row: Row) -> str:
        before, after = median(row.time_before, smallest), median(row.time_after, smallest)
        return "" if before is None or after is None else f"{length(before)} → {length(after)}"

    table(
        ("rule", "owed by", "links", "added", "removed", "earlier", "later", "time to act", "late", "steps", "cases"),
        [
            (
                rule,
                agency_name(agency),
                f"{count(row.before)} → {count(row.after)}",
                count(row.added),
                count(row.removed),
                count(row.earlier),
                count(row.later),
                times(row),
                f"{count(row.overdue_before)} → {count(row.overdue_after)}",
                f"{count(row.steps_before)} → {count(row.steps_after)}",
                ", ".join(case_id[:8] for case_id in row.examples),
            )
            for rule, agency, row in outcome.changed()
        ],
        none="",
    )
    say("")
    for sentence in sentences(outcome, book, smallest):
        say(sentence)


def _json(outcome: Outcome, book: DraftBook, smallest: int) -> None:
    from services.cli.printing import json_line
    from services.monitor.indicators.shown import few
    from services.monitor.what_if.words import median, sentences, title

    def count(number: int) -> int | None:
        return None if few(number, smallest) else number

    def row_form(rule: str, agency: str, row: Row) -> dict[str, Any]:
        before, after = median(row.time_before, smallest), median(row.time_after, smallest)
        return {
            "rule": rule,
            "title": title(rule, book),
            "agency": agency,
            "links": {"before": count(row.before), "after": count(row.after)},
            "added": count(row.added),
            "removed": count(row.removed),
            "earlier": count(row.earlier),
            "later": count(row.later),
            "otherwise": count(row.outcome),
            "overdue": {"before": count(row.overdue_before), "after": count(row.overdue_after)},
            "steps": {"before": count(row.steps_before), "after": count(row.steps_after)},
            "median_time_s": {
                "before": None if before is None else before.total_seconds(),
                "after": None if after is None else after.total_seconds(),
            },
            "examples": row.examples,
        }

    json_line(
        {
            "ok": True,
            "drafts": [{"draft": d.loaded.document.name, "instead_of": d.newest.document.name} for d in book.drafts],
            "smallest_cell": smallest,
            "events": outcome.events,
            "cases": outcome.cases,
            "cases_changed": count(outcome.cases_changed),
            "rules": [row_form(*one) for one in outcome.changed()],
            "summary": list(sentences(outcome, book, smallest)),
        }
    )
