"""What a draft would have changed, in sentences that a committee can read out. Small cells hidden."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ccr_events.agencies import AGENCY_NAMES, Agency
from ccr_events.policy.draft import DraftBook, drafted
from services.monitor.indicators.shown import few, told
from services.monitor.indicators.spread import Spread
from services.monitor.what_if.report import Outcome, Row


def sentences(outcome: Outcome, book: DraftBook, smallest: int) -> Iterator[str]:
    """The summary: what was tried on what, then each rule that would be otherwise."""
    drafts = " and ".join(draft.loaded.document.name for draft in book.drafts)
    yield (
        f"{drafts}, tried on {outcome.cases:,} cases and {outcome.events:,} events: "
        f"{told(outcome.cases_changed, smallest)} cases would have gone otherwise."
    )
    changed = outcome.changed()
    if not changed:
        yield "No obligation would have been added, removed or due at another time."
    for rule, agency, row in changed:
        yield f"{_named(rule, book)}, owed by {_agency(agency)}: {' '.join(_row(row, smallest))}"


def _row(row: Row, smallest: int) -> Iterator[str]:
    if row.added or row.removed:
        yield (
            f"{told(row.after, smallest)} obligations instead of {told(row.before, smallest)} "
            f"({told(row.added, smallest)} more, {told(row.removed, smallest)} fewer)."
        )
    if row.moved:
        yield f"{_due(row, smallest)}{_time(row, smallest)}."
    if row.outcome:
        yield f"{told(row.outcome, smallest)} due at the same time would have ended otherwise."
    yield (
        f"Late: {told(row.overdue_after, smallest)} of {told(row.after, smallest)} would have been, "
        f"{told(row.overdue_before, smallest)} of {told(row.before, smallest)} were."
    )
    yield f"Steps of escalation: {told(row.steps_after, smallest)} instead of {told(row.steps_before, smallest)}."


def _due(row: Row, smallest: int) -> str:
    moves = [(row.earlier, "earlier"), (row.later, "later")]
    return "; ".join(
        f"{told(count, smallest)} of {told(row.before, smallest)} would be due {when}" for count, when in moves if count
    )


def _time(row: Row, smallest: int) -> str:
    before, after = median(row.time_before, smallest), median(row.time_after, smallest)
    if before is None or after is None:
        return ""
    return f", with {length(after)} to act instead of {length(before)} (median)"


def median(spread: Spread, smallest: int) -> timedelta | None:
    """The median of enough lengths."""
    return None if few(spread.n, smallest) else spread.quantile(0.5)


def length(span: timedelta) -> str:
    """`30 minutes`, `36 hours`, `3 days`."""
    minutes = round(span.total_seconds() / 60)
    for size, unit in ((1440, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{round(minutes / size, 1):g} {unit}"
    return f"{minutes} minutes"


def title(rule: str, book: DraftBook) -> str:
    """A rule's title; empty when no edition has it."""
    found = book.newest_rule(rule)
    return "" if found is None else found.title


def _named(rule: str, book: DraftBook) -> str:
    newest = book.book.editions[-1]
    there, stays = rule in newest.links, rule in book.edition(drafted(newest.id)).links
    what = " (new in the draft)" if stays and not there else " (not in the draft)" if there and not stays else ""
    return f"{rule} {title(rule, book)}".strip() + what


def _agency(agency: str) -> str:
    return AGENCY_NAMES[Agency(agency)] if agency in set(Agency) else agency
