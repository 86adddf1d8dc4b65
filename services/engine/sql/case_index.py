"""References and people to cases. Implements `services.engine.transaction.CaseIndex`.

What decides (whose number is it, which pair, who is alike) takes the turn, and so does whatever is noted: it is kept
until the group is stored. What has been asked once is not asked again while no other writer had a turn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, tuple_

from services.engine.buffer import Buffer
from services.engine.sql.answers import Answers
from services.engine.sql.proposals import SqlProposals
from services.engine.sql.session import Executing, Session, put_rows
from services.engine.sql.tables import CASES, DYADS, FORWARDS, PERSONS, REFERENCES
from services.engine.sql.turn import Turn
from services.engine.transaction import MergeProposal, PersonKey, ReferenceKey

MAX_FORWARDS = 64
"""Merges followed from one case; a longer chain ends where the bound is reached."""
AT_ONCE = 300
"""Keys looked up by one statement."""

_NOWHERE = ""
"""What the buffer holds for a merge that was undone; no case has this id."""
_PERSON = (PERSONS.c.token, PERSONS.c.block, PERSONS.c.sealed_name, PERSONS.c.role, PERSONS.c.case_id)
# Made once: to make a statement costs more than to run it.
_CASE_OF = select(REFERENCES.c.case_id).where(
    *(REFERENCES.c[name] == bindparam(f"a_{name}") for name in ("kind", "number", "issuer"))
)
_DYAD_CASE = select(DYADS.c.case_id).where(
    DYADS.c.suspect == bindparam("a_suspect"), DYADS.c.victim == bindparam("a_victim")
)
_INTO = select(FORWARDS.c.into_case).where(FORWARDS.c.case_id == bindparam("a_case"))
_NUMBERS = select(CASES.c.case_id, CASES.c.number).where(CASES.c.case_id.in_(bindparam("some", expanding=True)))
_ALIKE = (
    select(*_PERSON)
    .where(PERSONS.c.block == bindparam("a_block"))
    .order_by(PERSONS.c.number.desc())
    .limit(bindparam("most"))
)
_Reference = tuple[str, str, str]
_Pair = tuple[str, str]
_Person = tuple[PersonKey, str, str]


class SqlCaseIndex:
    """The case index."""

    def __init__(self, reading: Executing, turn: Turn | None) -> None:
        """`turn` None: for queries, which must not write."""
        self._reading = reading
        self._turn = turn
        writable = turn is not None
        self._cases: Buffer[str, bool] = Buffer(writable=writable)
        self._references: Buffer[_Reference, str] = Buffer(writable=writable)
        self._forwards: Buffer[str, str] = Buffer(writable=writable)
        self._dyads: Buffer[_Pair, str] = Buffer(writable=writable)
        self._persons: Buffer[bytes, tuple[_Person, ...]] = Buffer(writable=writable)
        self._proposals = SqlProposals(reading, writable=writable)
        self._buffers: tuple[Buffer[Any, Any], ...] = (
            self._cases, self._references, self._forwards, self._dyads, self._persons, *self._proposals.buffers,
        )  # fmt: skip
        self._known_references: Answers[_Reference, str] = Answers()
        self._known_dyads: Answers[_Pair, str] = Answers()
        self._known_forwards: Answers[str, str] = Answers()
        self._known_cases: Answers[str, int] = Answers()
        """Their numbers, only of those that exist: a projection may add one at any time."""

    def expect(self, references: Collection[ReferenceKey], pairs: Collection[tuple[str, str]]) -> None:
        """See `CaseIndex.expect`. In a turn nobody else binds, so what is not there now is not during this turn."""
        self._decide()
        asked = [(r.kind, r.number, r.issuer) for r in references]
        self._expect(asked, self._references, self._known_references, REFERENCES, ("kind", "number", "issuer"))
        self._expect(pairs, self._dyads, self._known_dyads, DYADS, ("suspect", "victim"))

    def case_of(self, reference: ReferenceKey) -> str | None:
        """The case a number points to."""
        self._decide()
        key = (reference.kind, reference.number, reference.issuer)
        new = self._references.get(key)
        if new is not None:
            return new
        return self._answer(self._known_references, key, _CASE_OF, a_kind=key[0], a_number=key[1], a_issuer=key[2])

    def bind(self, reference: ReferenceKey, case_id: str) -> None:
        """Point a number to a case; a number already bound stays where it is."""
        if self.case_of(reference) is None:
            self._references.put((reference.kind, reference.number, reference.issuer), case_id)

    def case_exists(self, case_id: str) -> bool:
        """Whether any event belongs to it."""
        return self._cases.get(case_id) is not None or case_id in self._numbers((case_id,))

    def add_case(self, case_id: str) -> None:
        """Note a new case."""
        self._decide()
        if self._cases.get(case_id) is None:
            self._cases.put(case_id, True)

    def earliest(self, case_ids: Collection[str]) -> str:
        """Which of these noted cases was noted first."""
        stored = self._numbers(case_ids)
        if stored:
            return min(stored, key=lambda case_id: stored[case_id])
        return next(case_id for case_id in self._cases.values if case_id in case_ids)

    def forward_of(self, case_id: str) -> str:
        """The surviving case after merges; the case itself when it was not merged."""
        into = self._into(case_id)
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
        self._decide()
        self._forwards.put(case_id, into or _NOWHERE)

    def dyad_case(self, suspect: str, victim: str) -> str | None:
        """The case of a (suspect token, victim token) pair."""
        self._decide()
        new = self._dyads.get((suspect, victim))
        if new is not None:
            return new
        return self._answer(self._known_dyads, (suspect, victim), _DYAD_CASE, a_suspect=suspect, a_victim=victim)

    def bind_dyad(self, suspect: str, victim: str, case_id: str) -> None:
        """Point a pair to a case; a pair already bound stays where it is."""
        if self.dyad_case(suspect, victim) is None:
            self._dyads.put((suspect, victim), case_id)

    def remember(self, person: PersonKey, role: str, case_id: str) -> None:
        """Note that a person has a role in a case."""
        self._decide()
        known = self._persons.get(person.block) or ()
        if not any(_same(other, (person, role, case_id)) for other in known):
            self._persons.put(person.block, (*known, (person, role, case_id)))

    def candidates(self, block: bytes, limit: int) -> list[tuple[PersonKey, str, str]]:
        """(person, role, case id) with that block key, at most `limit`, newest first."""
        self._decide()
        rows = self._reading.execute(_ALIKE, {"a_block": block, "most": limit})
        stored = [(PersonKey(*row[:3]), row[3], row[4]) for row in rows]
        new = [one for one in self._persons.get(block) or () if not any(_same(one, other) for other in stored)]
        return (new[::-1] + stored)[:limit]

    def propose(self, proposal: MergeProposal) -> None:
        """Keep a proposal; one with the same id is left as it is."""
        self._decide()
        self._proposals.propose(proposal)

    def proposal(self, proposal_id: str) -> MergeProposal | None:
        """One proposal."""
        return self._proposals.get(proposal_id)

    def decide(self, proposal_id: str, state: str) -> None:
        """Mark a proposal accepted or rejected."""
        self._proposals.decide(proposal_id, state)

    def proposals(self, state: str, limit: int) -> list[MergeProposal]:
        """Oldest first."""
        return self._proposals.listed(state, limit)

    def settle(self) -> None:
        """See `Buffer.settle`."""
        for buffer in self._buffers:
            buffer.settle()

    def take_back(self) -> None:
        """See `Buffer.take_back`. What is remembered stays right: it was read, or is kept only once it is stored."""
        for buffer in self._buffers:
            buffer.take_back()

    def store(self, writing: Session, of_events: Iterable[str]) -> bool:
        """Store what the group noted, and the cases `of_events`, which may be noted already; returns whether that was
        anything of which another writer may remember something else."""
        cases = dict.fromkeys((*self._cases.values, *(c for c in of_events if not self._known_cases.knows(c))))
        put_rows(writing, CASES, [{"case_id": case_id} for case_id in cases], "case_id")
        references = [
            {"kind": kind, "number": number, "issuer": issuer, "case_id": case_id}
            for (kind, number, issuer), case_id in self._references.values.items()
        ]
        put_rows(writing, REFERENCES, references, "kind", "number", "issuer")
        dyads = [{"suspect": s, "victim": v, "case_id": case_id} for (s, v), case_id in self._dyads.values.items()]
        put_rows(writing, DYADS, dyads, "suspect", "victim")
        persons = [_person_row(*one) for people in self._persons.values.values() for one in people]
        put_rows(writing, PERSONS, persons, "block", "token", "role", "case_id")
        self._store_forwards(writing)
        self._proposals.store(writing)
        return bool(references or dyads or self._forwards.values)

    def landed(self) -> None:
        """What was stored is committed."""
        if self._trusts:
            for key, case_id in self._references.values.items():
                self._known_references.keep(key, case_id)
            for pair, case_id in self._dyads.values.items():
                self._known_dyads.keep(pair, case_id)
            for case_id, into in self._forwards.values.items():
                self._known_forwards.keep(case_id, into or None)
        self._clear()

    def forget(self) -> None:
        """The group failed: nothing that is in memory may be on disk."""
        self._clear()
        self.forget_answers()

    def forget_answers(self) -> None:
        """Another writer had a turn."""
        for answers in (self._known_references, self._known_dyads, self._known_forwards, self._known_cases):
            answers.clear()

    @property
    def _trusts(self) -> bool:
        """Whether answers may be remembered: only in a turn nobody else changes them."""
        return self._turn is not None and self._turn.head is not None

    def _decide(self) -> None:
        if self._turn is not None:
            self._turn.claim()

    def _clear(self) -> None:
        for buffer in self._buffers:
            buffer.clear()

    def _numbers(self, case_ids: Collection[str]) -> dict[str, int]:
        """In the order in which they were noted, of those that are stored."""
        known = {c: n for c in case_ids if self._trusts and (n := self._known_cases.known(c)) is not None}
        unknown = [case_id for case_id in case_ids if case_id not in known]
        if unknown:
            found: dict[str, int] = dict(self._reading.execute(_NUMBERS, {"some": unknown}).all())
            known |= found
            if self._trusts:
                for case_id, number in found.items():
                    self._known_cases.keep(case_id, number)
        return known

    def _into(self, case_id: str) -> str:
        new = self._forwards.get(case_id)
        if new is None:
            new = self._answer(self._known_forwards, case_id, _INTO, a_case=case_id)
        return new or case_id

    def _answer(self, answers: Answers[Any, str], key: Any, query: Select[Any], **asked: str) -> str | None:
        if not self._trusts:
            return self._one(query, asked)
        return answers.get(key, lambda: self._one(query, asked))

    def _expect(
        self, keys: Iterable[Any], new: Buffer[Any, str], answers: Answers[Any, str], table: Any, names: Any
    ) -> None:
        if not self._trusts:
            return
        wanted = [k for k in dict.fromkeys(keys) if new.get(k) is None and not answers.knows(k)]
        columns = [table.c[name] for name in names]
        for first in range(0, len(wanted), AT_ONCE):
            page = wanted[first : first + AT_ONCE]
            rows = self._reading.execute(select(*columns, table.c.case_id).where(tuple_(*columns).in_(page)))
            found = {tuple(row[:-1]): row[-1] for row in rows}
            for key in page:
                answers.keep(key, found.get(key))

    def _store_forwards(self, writing: Session) -> None:
        undone = [case_id for case_id, into in self._forwards.values.items() if not into]
        if undone:
            writing.execute(delete(FORWARDS).where(FORWARDS.c.case_id.in_(undone)))
        merged = [{"case_id": c, "into_case": into} for c, into in self._forwards.values.items() if into]
        put_rows(writing, FORWARDS, merged, "case_id", replaced=("into_case",))

    def _one(self, query: Select[Any], asked: dict[str, str]) -> str | None:
        found: str | None = self._reading.execute(query, asked).scalar_one_or_none()
        return found


def _same(one: _Person, other: _Person) -> bool:
    return one[0].token == other[0].token and one[1:] == other[1:]


def _person_row(person: PersonKey, role: str, case_id: str) -> dict[str, Any]:
    return {
        "block": person.block,
        "token": person.token,
        "role": role,
        "case_id": case_id,
        "sealed_name": person.sealed_name,
    }
