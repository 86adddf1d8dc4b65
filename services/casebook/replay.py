"""Replay: every fact, link, deadline and transition derived anew from the log, and compared with what is stored.

`verify` folds the log event by event, as it was folded when the events came, and compares byte for byte. It writes
nothing, works beside the process that writes, and uses every processor. What differs is written anew case by case, see
`services.casebook.refold`. What the outbox told stays as it was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ccr_events.core.rules import Policies
from services.casebook.history import parts
from services.casebook.replay_case import Folding
from services.casebook.replay_crew import Crew, PolicySource, crew, processes_for
from services.casebook.replay_outbox import BUCKET, Row, Sums, add, by_event, differing, merge, stored_sums, told_hash
from services.casebook.replay_report import Difference, Part, Progress, ReplayRefused, Report
from services.engine.sqlite.snapshot import Bound, Snapshot, check_database, open_snapshot

__all__ = ["Difference", "Part", "Progress", "ReplayRefused", "Report", "verify"]

POSITIONS_A_PART = 16 * BUCKET
"""Log positions whose transitions are summed up in one part."""


def verify(
    directory: Path,
    policies: PolicySource | Policies,
    progress: Progress | None = None,
    *,
    processes: int | None = None,
) -> Report:
    """Fold the log anew and compare; `directory` may be in use. Nothing is written.

    `policies`: loaded ones, and then everything is done in this process, or a function that loads them.
    `processes`: how many; by the length of the log when left out. Raises `ReplayRefused` when policies are missing,
    `StorageFailed` when the database cannot be read or is damaged.
    """
    check_database(directory)
    with open_snapshot(directory) as stored:
        bound = stored.bound()
    if callable(policies):
        source, count = policies, processes_for(bound.events) if processes is None else processes
    else:
        source, count = partial(_same, policies), 1
    with crew(partial(open_snapshot, directory), source, count) as hands:
        return _verified(directory, bound, hands, progress)


def _verified(directory: Path, bound: Bound, hands: Crew[Snapshot], progress: Progress | None) -> Report:
    report, until = Report(), bound.position
    folded: Sums = {}
    stored: Sums = {}
    logged, ordered = 0, bound.outbox_gapless
    if not bound.log_gapless:
        report.add(Difference("log", ""))
    for _, (found, sums, counted) in hands.each(_fold_part, ((first, last, until) for first, last in parts(bound))):
        report.take_in(found)
        merge(folded, sums)
        logged += counted
        if progress is not None:
            progress(min(report.events, bound.events), bound.events)
    ranges = ((first, min(first + POSITIONS_A_PART - 1, until)) for first in range(0, until + 1, POSITIONS_A_PART))
    for _, (sums, in_order) in hands.each(_sum_part, ranges):
        merge(stored, sums)
        ordered = ordered and in_order
    if not ordered:
        report.add(Difference("outbox", ""))
    with open_snapshot(directory) as now:
        if logged != bound.events:
            for case_id in sorted(now.events_without_fact(until)):
                report.add(Difference("fact", case_id))
        buckets = differing(folded, stored)
        if buckets:
            _name_untold(now, buckets, until, hands, report)
    return report


def _fold_part(stored: Snapshot, policies: Policies, part: tuple[int, int, int]) -> tuple[Report, Sums, int]:
    """Fold the cases of a part: what was found, the sums of what folding told up to a position, and how many facts
    there are up to it."""
    first, last, until = part
    sums: Sums = {}
    facts = 0

    def telling(position: int, rows: Sequence[Row]) -> None:
        if position <= until:
            add(sums, position, rows)

    folding = Folding(stored, policies, telling)
    for case in stored.cases(first, last):
        folding.case(case)
        facts += sum(record.position <= until for record in case.records)
    return folding.report, sums, facts


def _sum_part(stored: Snapshot, _: Policies, part: tuple[int, int]) -> tuple[Sums, bool]:
    return stored_sums(stored, *part)


def _told_part(stored: Snapshot, policies: Policies, part: tuple[int, frozenset[int]]) -> dict[int, int]:
    """Position → hash of what folding one case tells, in some buckets."""
    number, buckets = part
    hashes: dict[int, int] = {}

    def telling(position: int, rows: Sequence[Row]) -> None:
        if position // BUCKET in buckets:
            hashes[position] = told_hash(position, rows)

    folding = Folding(stored, policies, telling)
    for case in stored.cases(number, number):
        folding.case(case)
    return hashes


def _name_untold(now: Snapshot, buckets: list[int], until: int, hands: Crew[Snapshot], report: Report) -> None:
    """Name the cases of which the outbox does not tell what folding does."""
    cases: dict[int, str] = {}
    told: dict[int, int] = {}
    for bucket in buckets:
        first, last = bucket * BUCKET, min((bucket + 1) * BUCKET - 1, until)
        cases.update(now.cases_at(first, last))
        told.update((position, told_hash(position, rows)) for position, rows in by_event(now.told(first, last)))
    numbers = {number for case_id in set(cases.values()) if (number := now.number_of(case_id)) is not None}
    folded: dict[int, int] = {}
    for _, hashes in hands.each(_told_part, ((number, frozenset(buckets)) for number in sorted(numbers))):
        folded.update(hashes)
    wrong = {p for p in folded.keys() | told.keys() if folded.get(p) != told.get(p)}
    for case_id in sorted({cases.get(position, "") for position in wrong}) or [""]:
        report.add(Difference("outbox", case_id))


def _same(policies: Policies) -> Policies:
    return policies
