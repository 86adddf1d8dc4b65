"""A draft tried on what is stored: every case, by every processor, beside running services. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from ccr_events.core.rules import Policies
from ccr_events.policy import load_policies
from ccr_events.policy.draft import DraftBook, read_drafts
from services.casebook.as_of import known_facts
from services.casebook.history import History, extent, parts
from services.casebook.replay import Progress
from services.casebook.replay_case import require_editions
from services.casebook.replay_crew import Opened, crew, processes_for
from services.casebook.replay_report import ReplayRefused
from services.monitor.what_if.judging import Compared, compared
from services.monitor.what_if.report import Outcome

Texts = tuple[tuple[str, bytes], ...]
"""(file, text) of each draft."""
Listing = Callable[[Sequence[Compared]], None]
"""Takes links that change, a part at a time."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    drafts: Texts
    since: datetime | None
    """Facts recorded from then on are judged by the draft; None: all."""
    as_of: datetime
    """Known by then; what was not done by then is not done."""


@dataclass(frozen=True, slots=True)
class _Part:
    first: int
    last: int
    since: datetime | None
    as_of: datetime
    listed: bool


def load_drafted(policies: Path | None, drafts: Texts) -> DraftBook:
    """The policies with the drafts beside them; raises as `read_drafts`."""
    book = load_policies(policies)
    return DraftBook(book, read_drafts(drafts, book))


def tried(
    opened: Opened[History],
    policies: Path | None,
    question: Question,
    progress: Progress | None = None,
    listing: Listing | None = None,
    *,
    processes: int | None = None,
) -> Outcome:
    """Judge history by the drafts; raises `ReplayRefused`, `StorageFailed`, and what `read_drafts` does."""
    bound = extent(opened)
    count = processes_for(bound.events) if processes is None else processes
    outcome, done = Outcome(), 0
    drafted = partial(load_drafted, policies, question.drafts)
    with crew(opened, drafted, count) as hands:
        work = (_Part(first, last, question.since, question.as_of, listing is not None) for first, last in parts(bound))
        for _, (found, links, read) in hands.each(_try, work):
            outcome.merge(found)
            done += read
            if listing is not None:
                listing(links)
            if progress is not None:
                progress(min(done, bound.events), bound.events)
    return outcome


def _try(stored: History, policies: Policies, part: _Part) -> tuple[Outcome, list[Compared], int]:
    """(what would have changed, the links that do, where they are listed, facts read)."""
    if not isinstance(policies, DraftBook):
        raise ReplayRefused("a draft was asked about and none was loaded")
    outcome, listed, read = Outcome(), [], 0
    for case_id, bodies in stored.facts(part.first, part.last):
        read += len(bodies)
        facts = known_facts(bodies, part.as_of)
        if not facts:
            continue
        for fact in facts.values():
            require_editions(policies, fact)
        links = list(compared(case_id, facts, policies, part.since, part.as_of))
        outcome.take(links, len(facts))
        if part.listed:
            listed += [link for link in links if link.kind != "same"]
    return outcome, listed, read
