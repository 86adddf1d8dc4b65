"""Merges that a person decides: the part of the case index that keeps them until the group is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from services.engine.buffer import Buffer
from services.engine.sql.session import Executing, Session, put_rows
from services.engine.sql.tables import PROPOSALS
from services.engine.transaction import MergeProposal

_COLUMNS = tuple(
    PROPOSALS.c[name]
    for name in ("id", "case_id", "other_case_id", "cause", "event_id", "score", "proposed_at", "state")
)


class SqlProposals:
    """Proposals of one transaction."""

    def __init__(self, reading: Executing, *, writable: bool) -> None:
        self._reading = reading
        self._proposed: Buffer[str, MergeProposal] = Buffer(writable=writable)
        """Of them those that are stored already change nothing."""
        self._decided: Buffer[str, str] = Buffer(writable=writable)
        self.buffers: tuple[Buffer[Any, Any], ...] = (self._proposed, self._decided)
        """What the case index settles, takes back and clears."""

    def propose(self, proposal: MergeProposal) -> None:
        """Keep a proposal; one with the same id is left as it is."""
        if self._proposed.get(proposal.id) is None:
            self._proposed.put(proposal.id, proposal)

    def get(self, proposal_id: str) -> MergeProposal | None:
        """One proposal."""
        row = self._reading.execute(select(*_COLUMNS).where(PROPOSALS.c.id == proposal_id)).one_or_none()
        found = self._proposed.get(proposal_id) if row is None else MergeProposal(*row)
        return None if found is None else self._as_decided(found)

    def decide(self, proposal_id: str, state: str) -> None:
        """Mark a proposal accepted or rejected."""
        self._decided.put(proposal_id, state)

    def listed(self, state: str, limit: int) -> list[MergeProposal]:
        """In a state, oldest first."""
        query = select(*_COLUMNS).where((PROPOSALS.c.state == state) | PROPOSALS.c.id.in_(self._decided.values))
        rows = self._reading.execute(query.order_by(PROPOSALS.c.number).limit(limit + len(self._decided.values)))
        stored = {row[0]: MergeProposal(*row) for row in rows}
        # one that was kept before, in another state, is stored as well
        new = [
            p for p in self._proposed.values.values() if p.id not in stored and self.get(p.id) == self._as_decided(p)
        ]
        known = [self._as_decided(p) for p in (*stored.values(), *new)]
        return [p for p in known if p.state == state][:limit]

    def store(self, writing: Session) -> None:
        """Store what the group proposed and decided."""
        rows = [{c.name: getattr(p, c.name) for c in _COLUMNS} for p in self._proposed.values.values()]
        put_rows(writing, PROPOSALS, rows, "id")
        for proposal_id, state in self._decided.values.items():
            writing.execute(update(PROPOSALS).where(PROPOSALS.c.id == proposal_id).values(state=state))

    def _as_decided(self, proposal: MergeProposal) -> MergeProposal:
        state = self._decided.get(proposal.id)
        return proposal if state is None else replace(proposal, state=state)
