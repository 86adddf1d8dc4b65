"""References and people to cases. Implements `services.engine.transaction.CaseIndex`."""

from __future__ import annotations

from collections.abc import Collection

from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.remembered import BoundNumbers, Remembered
from services.engine.sqlite.savepoint import Savepoint
from services.engine.sqlite.schema import read_instant, stored_instant
from services.engine.transaction import MergeProposal, PersonKey, ReferenceKey

MAX_FORWARDS = 64
"""Merges followed from one case; a longer chain ends where the bound is reached."""

_PROPOSAL = "id, case_id, other_case_id, cause, event_id, score, proposed_at, state"


class SqliteCaseIndex:
    """The case index: at most one statement a call, none for what the writing connection knows already."""

    __slots__ = ("_bound", "_cases", "_connection", "_dyads", "_forwards", "_references", "_savepoint")

    def __init__(self, connection: Executing, cases: CaseNumbers, savepoint: Savepoint) -> None:
        self._connection = connection
        self._cases = cases
        self._savepoint = savepoint
        writing = savepoint.writable
        self._bound = BoundNumbers(connection, writing=writing)
        self._references: Remembered[tuple[str, str, str], str] = Remembered(writing=writing)
        self._dyads: Remembered[tuple[str, str], str] = Remembered(writing=writing)
        self._forwards: Remembered[str, str] = Remembered(writing=writing)
        """Case → the case it was merged into; itself when it was not."""
        savepoint.when_undone(self._forget)

    def expect(self, references: Collection[ReferenceKey], pairs: Collection[tuple[str, str]]) -> None:
        """Nothing is gained by it: a look is no round trip here."""

    def case_of(self, reference: ReferenceKey) -> str | None:
        """The case a number points to."""
        kind, number, issuer = key = reference.kind, reference.number, reference.issuer
        if not self._bound.maybe(kind, number):
            return None
        case_id = self._references.get(key)
        if case_id is None:
            case_id = self._one(
                "SELECT case_id FROM reference_numbers WHERE kind = ? AND number = ? AND issuer = ?",
                kind,
                number,
                issuer,
            )
            if case_id is not None:
                self._references.keep(key, case_id)
        return case_id

    def bind(self, reference: ReferenceKey, case_id: str) -> None:
        """Point a number to a case; a number already bound stays where it is."""
        self._bound.add(reference.kind, reference.number)
        self._savepoint.write(
            "INSERT INTO reference_numbers (kind, number, issuer, case_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (reference.kind, reference.number, reference.issuer, case_id),
        )

    def case_exists(self, case_id: str) -> bool:
        """Whether any event belongs to it."""
        return self._cases.find(case_id) is not None

    def add_case(self, case_id: str) -> None:
        """Note a new case."""
        self._cases.of(case_id)

    def earliest(self, case_ids: Collection[str]) -> str:
        """Which of these noted cases was noted first."""
        return min(case_ids, key=self._cases.of)

    def forward_of(self, case_id: str) -> str:
        """The surviving case after merges; the case itself when it was not merged."""
        into = self._into(case_id)
        if into == case_id:
            return case_id
        seen = {case_id}
        for _ in range(MAX_FORWARDS):
            if into in seen:  # not merged; or cases merged into each other: whichever was reached last stands
                break
            seen.add(into)
            case_id = into
            into = self._into(case_id)
        return case_id

    def set_forward(self, case_id: str, into: str | None) -> None:
        """Note a merge (None: undo it)."""
        self._forwards.keep(case_id, into or case_id)
        if into is None:
            self._savepoint.write("DELETE FROM forwards WHERE case_id = ?", (case_id,))
            return
        self._savepoint.write(
            "INSERT INTO forwards (case_id, into_case) VALUES (?, ?) "
            "ON CONFLICT (case_id) DO UPDATE SET into_case = excluded.into_case",
            (case_id, into),
        )

    def dyad_case(self, suspect: str, victim: str) -> str | None:
        """The case of a (suspect token, victim token) pair."""
        case_id = self._dyads.get((suspect, victim))
        if case_id is None:
            case_id = self._one("SELECT case_id FROM dyads WHERE suspect = ? AND victim = ?", suspect, victim)
            if case_id is not None:
                self._dyads.keep((suspect, victim), case_id)
        return case_id

    def bind_dyad(self, suspect: str, victim: str, case_id: str) -> None:
        """Point a pair to a case; a pair already bound stays where it is."""
        self._savepoint.write(
            "INSERT INTO dyads (suspect, victim, case_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (suspect, victim, case_id),
        )

    def remember(self, person: PersonKey, role: str, case_id: str) -> None:
        """Note that a person has a role in a case."""
        self._savepoint.write(
            "INSERT INTO persons (block, token, role, case_id, sealed_name) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (person.block, person.token, role, case_id, person.sealed_name),
        )

    def candidates(self, block: bytes, limit: int) -> list[tuple[PersonKey, str, str]]:
        """(person, role, case id) with that block key, at most `limit`, newest first."""
        rows = self._connection.execute(
            "SELECT token, block, sealed_name, role, case_id FROM persons WHERE block = ? ORDER BY number DESC LIMIT ?",
            (block, limit),
        )
        return [(PersonKey(token, key, name), role, case_id) for token, key, name, role, case_id in rows]

    def propose(self, proposal: MergeProposal) -> None:
        """Keep a proposal; one with the same id is left as it is."""
        self._savepoint.write(
            f"INSERT INTO proposals ({_PROPOSAL}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
            (
                proposal.id,
                proposal.case_id,
                proposal.other_case_id,
                proposal.cause,
                proposal.event_id,
                proposal.score,
                stored_instant(proposal.proposed_at),
                proposal.state,
            ),
        )

    def proposal(self, proposal_id: str) -> MergeProposal | None:
        """One proposal."""
        row = self._connection.execute(f"SELECT {_PROPOSAL} FROM proposals WHERE id = ?", (proposal_id,)).fetchone()  # noqa: S608
        return None if row is None else _proposal(row)

    def decide(self, proposal_id: str, state: str) -> None:
        """Mark a proposal accepted or rejected."""
        self._savepoint.write("UPDATE proposals SET state = ? WHERE id = ?", (state, proposal_id))

    def proposals(self, state: str, limit: int) -> list[MergeProposal]:
        """Oldest first."""
        rows = self._connection.execute(
            f"SELECT {_PROPOSAL} FROM proposals WHERE state = ? ORDER BY number LIMIT ?",  # noqa: S608
            (state, limit),
        )
        return [_proposal(row) for row in rows]

    def _into(self, case_id: str) -> str:
        into = self._forwards.get(case_id)
        if into is None:
            into = self._one("SELECT into_case FROM forwards WHERE case_id = ?", case_id) or case_id
            self._forwards.keep(case_id, into)
        return into

    def _forget(self) -> None:
        """Writes were taken back. `_bound` may name what is no longer bound; it only says what is certainly not."""
        self._references.clear()
        self._dyads.clear()
        self._forwards.clear()

    def _one(self, query: str, *values: str) -> str | None:
        row = self._connection.execute(query, values).fetchone()
        return None if row is None else str(row[0])


def _proposal(row: tuple[str, str, str, str, str, int, int, str]) -> MergeProposal:
    *words, score, proposed_at, state = row
    identity, case_id, other, cause, event_id = words
    return MergeProposal(identity, case_id, other, cause, event_id, score, read_instant(proposed_at), state)
