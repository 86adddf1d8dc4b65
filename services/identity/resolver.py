"""Resolving an event to its case, inside the transaction that appends it, so that races are settled there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ccr_events.codes.backbone import MergeCause
from ccr_events.core.ids import derived
from services.engine.transaction import CaseIndex, MergeProposal, Transaction
from services.identity.incoming import Incoming
from services.identity.placement import Evidence, Placement, awaited, expect, place
from services.identity.similarity import People
from services.sealing.hashes import KeyedHashes
from services.sealing.sealer import Sealer

WAITING = "waiting"
MAX_PROPOSALS = 8
"""Merge proposals one event may raise; the strongest are kept."""


class Resolver:
    """Decides once where an event belongs; the decision travels on the event, and replay never asks again."""

    def __init__(self, sealer: Sealer, hashes: KeyedHashes) -> None:
        self._people = People(sealer, hashes)

    def expect(self, tx: Transaction, events: Sequence[Incoming]) -> None:
        """These will be placed in the current work: what is asked for them is looked up at once."""
        expect(tx, events)

    def place(self, tx: Transaction, event: Incoming) -> Placement:
        """Where it belongs; writes nothing. Raises `Unplaceable`."""
        return place(tx, event)

    def forget(self) -> None:
        """What was settled since the last commit was undone. From any thread."""
        self._people.forget()

    def settle(self, tx: Transaction, event: Incoming, placement: Placement, at: datetime) -> None:
        """Note what an accepted event says of its case: references and people; and propose what it suggests.

        Merges themselves are noted where their events are folded (`services.casebook`).
        """
        cases, case_id = tx.cases, placement.case_id
        if placement.new:
            cases.add_case(case_id)
        for reference in placement.unbound:
            cases.bind(reference, case_id)
        for suspect, victim in placement.unpaired:
            cases.bind_dyad(suspect, victim, case_id)
        if event.corrects is not None and tx.events.find(event.corrects) is None:
            cases.bind(awaited(event.corrects, event.agency), case_id)
        evidence = list(placement.evidence)
        if event.persons:
            similar = self._people.meet(cases, event.persons, case_id)
            evidence += [
                Evidence(cases.forward_of(c), MergeCause.SIMILAR_PARTIES, score) for c, score in similar.items()
            ]
        if evidence:
            _propose(cases, event.event_id, placement.home, evidence, at)


def _propose(cases: CaseIndex, event_id: str, home: str, evidence: Sequence[Evidence], at: datetime) -> None:
    strongest: dict[str, Evidence] = {}
    for item in sorted(evidence, key=lambda e: -e.score):
        if item.case_id != home:
            strongest.setdefault(item.case_id, item)
    for item, _ in zip(strongest.values(), range(MAX_PROPOSALS), strict=False):
        first = cases.earliest((home, item.case_id))
        second = item.case_id if first == home else home
        cases.propose(
            MergeProposal(
                id=proposal_id(first, second),
                case_id=first,
                other_case_id=second,
                cause=item.cause.value,
                event_id=event_id,
                score=item.score,
                proposed_at=at,
                state=WAITING,
            )
        )


def proposal_id(case_id: str, other_case_id: str) -> str:
    """The same for a pair of cases whichever is named first."""
    return derived("proposal", *sorted((case_id, other_case_id)))
