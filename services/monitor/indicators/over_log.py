"""Indicators of what is stored: every case as it stood at a time, by every processor, beside running services."""

from __future__ import annotations

from collections.abc import Sequence

from ccr_events.core.rules import Policies
from services.casebook.as_of import known_facts, view_as_of
from services.casebook.history import History, extent, parts
from services.casebook.replay import Progress
from services.casebook.replay_crew import Opened, PolicySource, crew, processes_for
from services.monitor.indicators.case import Case, Window
from services.monitor.indicators.catalogue import named
from services.monitor.indicators.tally import Tally

_Part = tuple[int, int, Window, tuple[str, ...]]
"""(first case number, last, window, indicators)."""


def measured(
    opened: Opened[History],
    policies: PolicySource,
    window: Window,
    keys: Sequence[str] = (),
    progress: Progress | None = None,
    *,
    processes: int | None = None,
) -> Tally:
    """The indicators with these names (all when none is given). Reads only.

    Raises `UnknownIndicator`, `ReplayRefused` when policies are missing, `StorageFailed`.
    """
    wanted = tuple(indicator.key for indicator in named(keys))
    bound = extent(opened)
    count = processes_for(bound.events) if processes is None else processes
    tally, done = Tally(), 0
    with crew(opened, policies, count) as hands:
        work = ((first, last, window, wanted) for first, last in parts(bound))
        for _, (found, read) in hands.each(_part, work):
            tally.merge(found)
            done += read
            if progress is not None:
                progress(min(done, bound.events), bound.events)
    return tally


def _part(stored: History, policies: Policies, part: _Part) -> tuple[Tally, int]:
    """(what was observed, facts read)."""
    first, last, window, keys = part
    indicators, tally, read = named(keys), Tally(), 0
    for case_id, bodies in stored.facts(first, last):
        read += len(bodies)
        facts = known_facts(bodies, window.as_of)
        tally.facts += len(facts)
        view = view_as_of(case_id, facts, policies)
        if view.index.by_type:
            links = sorted(view.links.values(), key=lambda link: link.id)
            tally.take(Case(case_id, view.index, links, window), indicators)
    return tally, read
