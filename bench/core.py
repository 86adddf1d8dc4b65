"""The pure core on the demo week: what an event costs to read, fold and write, in small cases and large ones, and how
much memory an open case takes. Processor time, of the quietest of several runs: others share the machine."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from statistics import median
from sys import getsizeof
from time import process_time
from typing import ParamSpec, TypeVar

from msgspec.structs import replace

from bench.county import records
from bench.figure import Asked, Figure
from ccr_events.core.codec import encode_fact, encode_link, encode_transition
from ccr_events.core.fold import Step, step
from ccr_events.core.ids import derived
from ccr_events.core.model import Fact
from ccr_events.core.packed import Packer
from ccr_events.core.rules import Policies
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from ccr_events.policy import PolicyBook, load_policies

P = ParamSpec("P")
T = TypeVar("T")

PART = "core"
RUNS = 7
BATCH = 250
"""Events read, folded and written together, as the engine does."""
SIZES = (10, 100, 1_000)
"""Facts of one case."""
AT_SIZE = 10
"""Events timed at each size."""
SEARCHED = 10_000
"""Records in which every type of the crowds is sure to be."""
OPEN_CASES = 100_000
BYTES_GOAL = 2_048
MICROSECONDS_GOAL = 25
_US = 1e6


def measure(asked: Asked) -> list[Figure]:
    """Every figure of the core."""
    policies = load_policies()
    events = 20_000 if asked.full else 4_000
    bodies = [record.body for record in islice(records(policies), events)]
    with _without_collector():
        return [*_an_event(bodies, policies), *_sizes(policies), *_memory(bodies, policies, asked)]


@dataclass(slots=True)
class _Costs:
    read: list[float]
    fold: list[float]
    write: list[float]


def _an_event(bodies: Sequence[bytes], policies: Policies) -> list[Figure]:
    costs = _Costs([], [], [])
    told = changed = 0
    for _ in range(RUNS):
        told = changed = 0
        read = fold = write = 0.0
        views: dict[str, CaseView] = {}
        for first in range(0, len(bodies), BATCH):
            batch = bodies[first : first + BATCH]
            facts, read_s = _timed(_read, batch)
            steps, fold_s = _timed(_folded, facts, views, policies)
            _, write_s = _timed(_written, facts, steps)
            read, fold, write = read + read_s, fold + fold_s, write + write_s
            told, changed = told + sum(len(s.transitions) for s in steps), changed + sum(len(s.changed) for s in steps)
        costs.read.append(read)
        costs.fold.append(fold)
        costs.write.append(write)
    per_event = _US / len(bodies)
    extra = {"links changed an event": round(changed / len(bodies), 2), "told": round(told / len(bodies), 2)}
    total = min(map(sum, zip(costs.read, costs.fold, costs.write, strict=True)))
    middle = median(map(sum, zip(costs.read, costs.fold, costs.write, strict=True)))
    return [
        _figure("decode", min(costs.read) * per_event),
        _figure("fold and decide", min(costs.fold) * per_event, extra=extra),
        _figure("encode", min(costs.write) * per_event),
        _figure(
            "decode, fold, decide, encode",
            total * per_event,
            MICROSECONDS_GOAL,
            {"events": len(bodies), "runs": RUNS, "median": round(middle * per_event, 1)},
        ),
    ]


def _read(bodies: Sequence[bytes]) -> list[Fact]:
    return [read_fact(body) for body in bodies]


def _folded(facts: Sequence[Fact], views: dict[str, CaseView], policies: Policies) -> list[Step]:
    steps = []
    for fact in facts:
        done = step(views.get(fact.case_id) or CaseView(fact.case_id), fact, policies)
        views[fact.case_id] = done.view
        steps.append(done)
    return steps


def _written(facts: Sequence[Fact], steps: Sequence[Step]) -> None:
    for fact, done in zip(facts, steps, strict=True):
        encode_fact(fact)
        for link in done.changed:
            encode_link(link)
        for transition in done.transitions:
            encode_transition(transition)


def _sizes(policies: PolicyBook) -> list[Figure]:
    """One case that keeps growing: arrests, whose links nobody ends; arrests and the acts that end two of these."""
    sources = {"all open": ("arrest.made",), "half of them ended": ("arrest.made", "jail.booked")}
    figures = []
    for what, types in sources.items():
        pool = _pool(policies, types)
        times = {size: min(_grown(pool, size, policies) for _ in range(RUNS)) for size in SIZES}
        smallest = times[SIZES[0]]
        extra = {f"us at {size:,} facts": round(taken * _US, 1) for size, taken in times.items()}
        ratio = times[SIZES[-1]] / smallest
        figures.append(
            Figure(
                PART, f"a case of {SIZES[-1]:,} facts against one of {SIZES[0]}, {what}", ratio, "times", extra=extra
            )
        )
    return figures


def _pool(policies: PolicyBook, types: tuple[str, ...]) -> list[Fact]:
    """One fact of each of the types, all of the newest edition."""
    found: dict[str, Fact] = {}
    for record in islice(records(policies), SEARCHED):
        if record.fact.type in types and record.fact.type not in found:
            found[record.fact.type] = replace(record.fact, edition=policies.editions[-1].id, corrects=None)
    return [found[name] for name in types]


def _grown(pool: Sequence[Fact], size: int, policies: Policies) -> float:
    """Seconds that one more event takes in a case of that size."""
    facts = list(islice(_crowd(pool), size + AT_SIZE))
    view = CaseView("bench case")
    for fact in facts[:size]:
        view = step(view, fact, policies).view

    def more() -> None:
        grown = view
        for fact in facts[size:]:
            grown = step(grown, fact, policies).view

    return _timed(more)[1] / AT_SIZE


def _crowd(pool: Sequence[Fact]) -> Iterator[Fact]:
    """These facts over and over, an hour apart, each time with other numbers."""
    first = pool[0].occurred_at
    number = 0
    while True:
        for fact in pool:
            at = first + timedelta(hours=number)
            references = [{**r, "number": f"{number}"} for r in fact.data.get("references", ())]
            yield replace(
                fact,
                id=derived("crowd", fact.type, str(number)),
                case_id="bench case",
                occurred_at=at,
                recorded_at=at,
                data={**fact.data, "references": references},
            )
        number += 1


def _memory(bodies: Sequence[bytes], policies: Policies, asked: Asked) -> list[Figure]:
    """Packed views in a dictionary by case id: the sizes of both, and the dictionary's own share."""
    cases = OPEN_CASES if asked.full else OPEN_CASES // 20
    views: dict[str, CaseView] = {}
    for fact in map(read_fact, bodies):
        views[fact.case_id] = step(views.get(fact.case_id) or CaseView(fact.case_id), fact, policies).view
    open_views = [view for view in views.values() if any(not link.state.ended for link in view.links.values())]
    packer, kept, taken_s = Packer(), dict[str, bytes](), 0.0
    for number in range(cases):
        view = open_views[number % len(open_views)]
        packed, pack_s = _timed(packer.pack, view)
        kept[derived("open case", str(number))] = packed
        taken_s += pack_s
    held = getsizeof(kept) + sum(getsizeof(key) + getsizeof(packed) for key, packed in kept.items())
    _, unpack_s = _timed(lambda: [packer.unpack(kept[key]) for key in islice(kept, 5_000)])
    facts = sum(len(view.facts) for view in open_views) / len(open_views)
    extra = {
        "cases": cases,
        "facts a case": round(facts, 1),
        "links a case": round(sum(len(view.links) for view in open_views) / len(open_views), 1),
        "packed bytes": round(sum(map(len, kept.values())) / cases),
        "us to pack": round(taken_s / cases * _US, 1),
        "us to unpack": round(unpack_s / min(cases, 5_000) * _US, 1),
    }
    return [Figure(PART, "an open case, packed", held / cases, "bytes", BYTES_GOAL, True, extra)]


def _figure(
    what: str, value: float, goal: float | None = None, extra: dict[str, float | int | str] | None = None
) -> Figure:
    return Figure(PART, what, value, "us an event", goal, True, extra or {})


def _timed(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> tuple[T, float]:
    started = process_time()
    done = work(*given, **named)
    return done, process_time() - started


@contextmanager
def _without_collector() -> Iterator[None]:
    """The collector would run now and then through all that the bench holds, which no service does."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
