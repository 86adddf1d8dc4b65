"""The reports of a county in the order in which they are sent: a clock, a heap, and the histories that are open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush

from services.simulator.casefile import CaseFile, Running, Story, running
from services.simulator.county import County
from services.simulator.draws import DAY, HOUR, Choice, Draws, shares
from services.simulator.hours import Arrivals
from services.simulator.people import Pair, pair
from services.simulator.report import Report
from services.simulator.response import response

MAX_KNOWN = 20_000
"""Most pairs that may call again."""
MIN_KNOWN = 8
_KNOWN_YEARS = 2
"""Calls of so many years are about somebody who may call again [P]."""
_FILLED = 8
"""Repeat calls are rarer until this part of them is known: in a county that has just begun nobody is."""
_TRIES = 8
"""Draws for a pair that is at large and has no call open, before a new one is taken."""
_RELATIONSHIPS: Choice[str] = shares([("BG", 0.42), ("SE", 0.24), ("XR", 0.2), ("CS", 0.05), ("XS", 0.09)])
"""NIBRS relationships of intimate partners, shares [P]."""


def reports(county: County, seed: int) -> Iterator[Report]:
    """What the county's agencies send, in order of `at`, until `days` and `tail_days` are over.

    Same county, same seed, same reports. Keeps only open histories in memory.
    """
    start = _local_seconds(county.start, county)
    ends = start + county.days * DAY
    stop = ends + county.tail_days * DAY
    waiting: list[tuple[int, int, Report | Story]] = []
    order = now = 0

    def put(at: int, item: Report | Story) -> None:
        nonlocal order
        assert at >= now  # noqa: S101  # nothing is sent before what calls for it
        order += 1
        heappush(waiting, (at, order, item))

    run = running(county, seed, put, put)
    arrivals = Arrivals(county.hours, county.calls_a_year, start, Draws("calls", seed))
    put(start, _calls(run, arrivals, ends, county))
    while waiting:
        now, _, item = heappop(waiting)
        if now >= stop:
            return
        if isinstance(item, Report):
            yield item
        elif (later := next(item, None)) is not None:
            put(max(now, later), item)


def _calls(run: Running, arrivals: Arrivals, ends: float, county: County) -> Story:
    """Begins a history at every call, until no more calls come."""
    known: list[Pair] = []
    room = min(MAX_KNOWN, max(MIN_KNOWN, int(county.calls_a_year * _KNOWN_YEARS)))
    people = 0
    while (at := arrivals.next()) < ends:
        yield at
        again = run.draws.chance(run.odds.repeat_call * min(1.0, len(known) * _FILLED / room))
        who = _at_large(known, run.draws, at) if again else None
        if who is None:
            people += 1
            who = pair(people, run.draws.pick(_RELATIONSHIPS), run.draws)
            if len(known) < room:
                known.append(who)
            else:
                known[run.draws.whole(0, room - 1)] = who
        who.busy_until = at + 6 * HOUR
        run.begin(at, response(CaseFile(run, who), at))


def _at_large(known: list[Pair], draws: Draws, at: int) -> Pair | None:
    for _ in range(_TRIES):
        one = draws.one(known)
        if not one.in_custody and one.busy_until < at:
            return one
    return None


def _local_seconds(at: datetime, county: County) -> int:
    since = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * DAY + since.seconds + county.utc_offset_h * HOUR
