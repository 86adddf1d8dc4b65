"""Where an event belongs: found by reading the case index, before anything is written.

In this order: the event it corrects; a correction that arrived before it; the link it answers; the case it names;
its references; the pair of people; an event it follows from; else a case of its own. What else points to another
case does not decide but is evidence, and raises a merge proposal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ccr_events.codes.backbone import MergeCause
from ccr_events.core import moves
from ccr_events.core.corrections import RETRACTED, root_of
from ccr_events.core.ids import derived
from ccr_events.core.model import Fact
from ccr_events.envelope import decode_record
from services.engine.transaction import CaseIndex, ReferenceKey, Transaction
from services.identity.incoming import Incoming
from services.identity.persons import SUSPECT, VICTIM, Person

EXACT = 100
REVERSED = 90
"""Score of evidence that the same two people are in another case with their roles exchanged [P]."""
NOTHING_TO_FIND_IT_BY = (
    "is needed, since nothing else says which case it is: give the incident, call, booking, court or order number, or "
    "name both suspect and victim, or give the caseid of an earlier receipt"
)
"""An event that says none of it would open a case that no other report could ever reach, and an alert that tells nobody
whom it is about. That holds for every type, a 911 call too: the dispatch system gives each call a number."""
MAX_PAIRS = 16
"""Suspect and victim pairs looked at per event."""


class Unplaceable(ValueError):
    """An event that belongs nowhere as it stands. The message repeats no submitted value."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer} {message}")
        self.pointer = pointer
        self.message = message


@dataclass(frozen=True, slots=True)
class Evidence:
    """What points to another case."""

    case_id: str
    """Surviving case, after merges."""
    cause: MergeCause
    score: int


class Placement(NamedTuple):
    """The decision, and what was found on the way."""

    case_id: str
    home: str
    """The case that survives merges of `case_id`; often the same."""
    new: bool
    evidence: tuple[Evidence, ...]
    unbound: tuple[ReferenceKey, ...]
    """References that point nowhere yet."""
    unpaired: tuple[tuple[str, str], ...]
    """(suspect token, victim token) that point nowhere yet."""


def expect(tx: Transaction, events: Sequence[Incoming]) -> None:
    """Have what `place` will ask for these looked up at once."""
    tx.events.expect([event.event_id for event in events])
    references = [awaited(event.event_id, event.agency) for event in events]
    references += [reference for event in events for reference in event.references]
    pairs = [pair for event in events for pair in _pairs(event.persons)]
    tx.cases.expect(references, [*pairs, *((victim, suspect) for suspect, victim in pairs)])


def place(tx: Transaction, event: Incoming) -> Placement:
    """Decide; writes nothing. Raises `Unplaceable`."""
    cases = tx.cases
    fixed, replaces_merge = _fixed(tx, event)
    if event.type.startswith(("link.", "case.")):
        if fixed is None:
            raise _nowhere(event)
        if event.into is not None:
            _check_move(tx, event, fixed, replaces_merge=replaces_merge)
        return Placement(fixed, fixed, False, (), (), ())
    survivor = cases.forward_of
    named = None if event.case_id is None else survivor(_existing(cases, event.case_id))
    evidence: list[Evidence] = []
    unbound: list[ReferenceKey] = []
    by_reference: list[str] = []
    for reference in event.references:
        if (bound := cases.case_of(reference)) is None:
            unbound.append(reference)
        elif (case := survivor(bound)) not in by_reference:
            by_reference.append(case)
            evidence.append(Evidence(case, MergeCause.SHARED_REFERENCES, EXACT))
    unpaired: list[tuple[str, str]] = []
    by_pair: list[str] = []
    for pair in _pairs(event.persons):
        if (paired := cases.dyad_case(*pair)) is None:
            unpaired.append(pair)
        elif (case := survivor(paired)) not in by_pair:
            by_pair.append(case)
            evidence.append(Evidence(case, MergeCause.SAME_PARTIES, EXACT))
    for suspect, victim in unpaired:  # a pair that is bound was looked at when it was
        if (reverse := cases.dyad_case(victim, suspect)) is not None:
            evidence.append(Evidence(survivor(reverse), MergeCause.SAME_PARTIES, REVERSED))
    found = fixed or named or _earliest(cases, by_reference) or _earliest(cases, by_pair) or _following(tx, event)
    if found is None and not (event.references or event.corrects or _names_a_pair(event.persons)):
        raise Unplaceable("/data/references", NOTHING_TO_FIND_IT_BY)
    case_id = derived("case", event.event_id) if found is None else found
    home = survivor(case_id) if fixed else case_id
    return Placement(
        case_id=case_id,
        home=home,
        new=found is None,
        evidence=tuple([e for e in evidence if e.case_id != home]) if evidence else (),
        unbound=tuple(unbound),
        unpaired=tuple(unpaired),
    )


def _names_a_pair(persons: Sequence[Person]) -> bool:
    roles = {person.role for person in persons}
    return SUSPECT in roles and VICTIM in roles


def _earliest(cases: CaseIndex, found: list[str]) -> str | None:
    if len(found) < 2:
        return found[0] if found else None
    return cases.earliest(found)


def awaited(event_id: str, agency: str) -> ReferenceKey:
    """Key under which a correction that arrives first keeps its case for the event it corrects.

    By agency: a correction of another agency's event never counts, so it must not draw that event into its case.
    """
    return ReferenceKey("event", event_id, agency)


def _fixed(tx: Transaction, event: Incoming) -> tuple[str | None, bool]:
    """The one case it can be in, merged or not, and whether it corrects a merge of that case.

    A correction stands beside what it corrects, and an answer beside its link, also after a merge: the merge carries
    both on, and an undone merge takes both back.
    """
    if event.corrects is not None and (corrected := tx.events.get(event.corrects)) is not None:
        record = decode_record(corrected.body)
        if record["agency"] != event.agency:
            raise Unplaceable("/corrects", "names an event of another agency; only its publisher corrects an event")
        _check_kinds(event.type, _first_type(tx, record))
        return corrected.case_id, record["type"] == moves.MERGED
    waiting = tx.cases.case_of(awaited(event.event_id, event.agency))
    if waiting is not None:
        for fact in tx.views.get(waiting).facts.values():
            if fact.corrects == event.event_id:
                _check_kinds(fact.type, event.type)
        return waiting, False
    if event.link_id is not None and (link := tx.links.get(event.link_id)) is not None:
        if event.case_id is not None and event.case_id not in (link.case_id, tx.cases.forward_of(link.case_id)):
            raise Unplaceable("/caseid", "is not the case of the link that the event is about")
        return link.case_id, False
    if event.type.startswith(("link.", "case.")) and event.case_id is not None:
        return _existing(tx.cases, event.case_id), False
    return None, False


def _first_type(tx: Transaction, record: Mapping[str, Any]) -> str | None:
    """What a chain of corrections is about, behind retractions; None while that is not known."""
    seen: set[str] = set()
    while record["type"] == RETRACTED:
        older = None if record["corrects"] in seen else tx.events.get(record["corrects"])
        if older is None:
            return None
        seen.add(record["corrects"])
        record = decode_record(older.body)
    found: str = record["type"]
    return found


def _check_kinds(correction: str, corrected: str | None) -> None:
    """What is said of a link stays in its case when facts move, other facts go: no chain may be both."""
    if corrected is not None and correction != RETRACTED and _kind(correction) != _kind(corrected):
        raise Unplaceable(
            "/corrects", "joins an answer and an event of another kind; retract it, and publish a new event"
        )


def _kind(event_type: str) -> str:
    return next((kind for kind in ("link.", "case.") if event_type.startswith(kind)), "")


def _nowhere(event: Incoming) -> Unplaceable:
    if event.link_id is not None:
        return Unplaceable("/data/link_id", "names no link that is known; give the link's caseid too if it is to come")
    return Unplaceable("/caseid", "is required: the case that is moved")


def _existing(cases: CaseIndex, case_id: str) -> str:
    if not cases.case_exists(case_id):
        raise Unplaceable("/caseid", "names no case that exists; leave it out and give the agency's own references")
    return case_id


def _pairs(persons: Sequence[Person]) -> tuple[tuple[str, str], ...]:
    if not persons:
        return ()
    exact = [p for p in persons if p.exact]
    victims = [p.token for p in exact if p.role == VICTIM]
    pairs = ((p.token, v) for p in exact if p.role == SUSPECT for v in victims if p.token != v)
    return tuple(pair for pair, _ in zip(dict.fromkeys(pairs), range(MAX_PAIRS), strict=False))


def _following(tx: Transaction, event: Incoming) -> str | None:
    for event_id in event.named_events:
        if (followed := tx.events.find(event_id)) is not None:
            return tx.cases.forward_of(followed.case_id)
    return None


def _check_move(tx: Transaction, event: Incoming, case_id: str, *, replaces_merge: bool) -> None:
    cases, into = tx.cases, event.into
    assert into is not None  # noqa: S101  # asked only of merges and splits
    if into == case_id:
        raise Unplaceable("/data/into", "is the case itself; name the other one")
    if event.type == moves.SPLIT:
        _check_split(tx, event, case_id)
        return
    if not cases.case_exists(into):
        raise Unplaceable("/data/into", "names no case that exists")
    if cases.forward_of(into) != into:
        raise Unplaceable("/data/into", "names a case that was itself merged; merge into the case that survived it")
    if cases.forward_of(case_id) != case_id and not replaces_merge:
        raise Unplaceable("/caseid", "names a case that is merged already; retract that merge first")


def _check_split(tx: Transaction, event: Incoming, case_id: str) -> None:
    """A fact that moves already would be in two cases, and owed twice."""
    facts = moves.unfolded(tx.views.get(case_id).facts)
    replaced = None if event.corrects is None else facts.get(event.corrects)
    root = None if replaced is None else root_of(replaced, facts)
    for move in moves.moves_of(facts):
        if root_of(facts[move.id], facts) == root:
            continue
        if move.references is None:
            raise Unplaceable("/caseid", "names a case that is merged: split the case that survived it")
        both = move.references & event.moved
        if both or _carry_both(facts.values(), move.references, event.moved):
            raise Unplaceable("/data/moved", "moves what another split moves already; retract that one first")


def _carry_both(facts: Iterable[Fact], one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    carried = ({(r["kind"], r["number"]) for r in fact.data.get("references", ())} for fact in facts)
    return any(numbers & one and numbers & other for numbers in carried)
