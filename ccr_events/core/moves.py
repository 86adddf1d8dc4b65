"""Merges and splits: facts that move from one case to another, and what the moving obliges the casebook to append.

A move is a fact of the case that loses (`case.merged`: all its facts; `case.split`: those with given references).
While it counts, every fact it covers is carried to the other case by a `case.absorbed` event, also facts that
arrive later. Retracting the move ends it, and a `case.absorption_ended` event takes the facts back. All of these
are events with derived ids, so moves work across partitions and may be repeated without harm.

Known bound: a case that has absorbed another may be merged on, but undoing the first merge and redoing it carries
the facts to the nearer case only; merge into the surviving case directly instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ccr_events.core import ids
from ccr_events.core.corrections import effective, root_of
from ccr_events.core.model import Fact, Outbound

MERGED = "case.merged"
SPLIT = "case.split"
ABSORBED = "case.absorbed"
ABSORPTION_ENDED = "case.absorption_ended"


@dataclass(frozen=True, slots=True)
class Move:
    """One merge or split in force on the case that loses facts."""

    id: str
    into: str
    references: frozenset[tuple[str, str]] | None
    """(kind, number) a fact must carry to move; None: every fact moves."""

    def covers(self, facts: Mapping[str, Fact]) -> set[str]:
        """Ids of the facts that move.

        A correction chain moves whole, by the references of any of its members: a retraction carries none, and a
        correction may change them. `link.*` answers move with either kind: they only ever speak to their own link.
        """
        movable = {i: f for i, f in facts.items() if not f.type.startswith("case.")}
        if self.references is None:
            return set(movable)
        roots = {i: root_of(f, facts) for i, f in movable.items()}
        moved = {roots[i] for i, f in movable.items() if _is_answer(f) or self._names(f)}
        return {i for i, root in roots.items() if root in moved}

    def _names(self, fact: Fact) -> bool:
        """Whether the fact carries one of the references."""
        carried = {(r["kind"], r["number"]) for r in fact.data.get("references", ())}
        return self.references is not None and not carried.isdisjoint(self.references)


def moves_of(facts: Mapping[str, Fact]) -> tuple[Move, ...]:
    """The moves in force, in canonical order."""
    found = [(f.order, f) for _, f in effective(facts) if f.type in (MERGED, SPLIT)]
    return tuple(_move(fact) for _, fact in sorted(found, key=lambda pair: pair[0]))


def _move(fact: Fact) -> Move:
    if fact.type == MERGED:
        return Move(fact.id, fact.data["into"], None)
    references = frozenset((r["kind"], r["number"]) for r in fact.data.get("moved", ()))
    return Move(fact.id, fact.data["into"], references)


def unfolded(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """The case's own facts and those it absorbed, by id; its bookkeeping of moves left in."""
    ended = {(f.data["origin_case"], f.data["rule_id"]) for f in facts.values() if f.type == ABSORPTION_ENDED}
    found = {i: f for i, f in facts.items() if f.type != ABSORBED}
    for fact in facts.values():
        if fact.type == ABSORBED and (fact.data["origin_case"], fact.data["rule_id"]) not in ended:
            inner = _inner(fact.data)
            found.setdefault(inner.id, inner)
    return found


def staying(facts: Mapping[str, Fact], moves: tuple[Move, ...]) -> dict[str, Fact]:
    """The facts that links of this case are derived from. Answers, and what corrects them, stay as well as move."""
    gone = {i for move in moves for i in move.covers(facts)}  # with whichever of them: here it counts no more
    return {i: f for i, f in facts.items() if i not in gone or _is_answer(facts.get(root_of(f, facts), f))}


def _is_answer(fact: Fact) -> bool:
    return fact.type.startswith("link.")


def shares(moves: Iterable[Move], facts: Mapping[str, Fact]) -> dict[str, set[str]]:
    """Move id → ids of the facts it carries. None goes to two cases: what a split has taken out, a merge leaves.

    The door refuses what would take from a share: a split of what moves already.
    """
    taken: set[str] = set()
    found: dict[str, set[str]] = {}
    for move in sorted(moves, key=lambda m: m.references is None):
        found[move.id] = move.covers(facts) - taken
        if move.references is not None:
            taken |= {i for i in found[move.id] if not _is_answer(facts.get(root_of(facts[i], facts), facts[i]))}
    return found


def outbound(before: Mapping[str, Fact], after: Mapping[str, Fact], cause: Fact) -> Iterator[Outbound]:
    """What one event obliges the casebook to append to other cases. Both sets are `unfolded`."""
    moves, had = moves_of(after), {m.id: m for m in moves_of(before)}
    covered, covers = shares(had.values(), before), shares(moves, after)
    for move in moves:
        new = covers[move.id] - covered.get(move.id, set())
        for fact in sorted((after[i] for i in new), key=lambda f: f.order):
            yield _absorbed(move, fact, cause)
    in_force = {m.id for m in moves}
    for move in had.values():
        if move.id not in in_force:
            for origin in sorted({before[i].case_id for i in covered[move.id]}):
                yield _ended(move, origin, cause)
    gone = before.keys() - after.keys()
    for move in moves:
        for origin in sorted({before[i].case_id for i in covered.get(move.id, set()) & gone}):
            yield _ended(move, origin, cause)


def _absorbed(move: Move, fact: Fact, cause: Fact) -> Outbound:
    data = {
        "origin_case": fact.case_id,
        "rule_id": move.id,
        "fact_id": fact.id,
        "fact_type": fact.type,
        "agency": fact.agency,
        "occurred_at": fact.occurred_at.isoformat(),
        "recorded_at": fact.recorded_at.isoformat(),
        "edition": fact.edition,
        "data_json": json.dumps(fact.data, sort_keys=True, separators=(",", ":")),
    }
    if fact.corrects is not None:
        data["corrects"] = fact.corrects
    return Outbound(ids.absorbed_event_id(move.id, fact.id), ABSORBED, move.into, fact.occurred_at, cause.id, data)


def _ended(move: Move, origin: str, cause: Fact) -> Outbound:
    return Outbound(
        ids.absorption_ended_event_id(move.id, origin, cause.id),
        ABSORPTION_ENDED,
        move.into,
        cause.occurred_at,
        cause.id,
        {"origin_case": origin, "rule_id": move.id},
    )


def _inner(data: Mapping[str, Any]) -> Fact:
    return Fact(
        id=data["fact_id"],
        type=data["fact_type"],
        agency=data["agency"],
        case_id=data["origin_case"],
        occurred_at=datetime.fromisoformat(data["occurred_at"]),
        recorded_at=datetime.fromisoformat(data["recorded_at"]),
        edition=data["edition"],
        data=json.loads(data["data_json"]),
        corrects=data.get("corrects"),
    )
