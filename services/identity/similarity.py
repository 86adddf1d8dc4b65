"""Cases whose suspect and victim are nearly those of an event: compared, scored, and only ever proposed.

Names are opened only here, only of candidates that share a block with the person at hand, and only a bounded number.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import orjson
from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import token_sort_ratio

from ccr_events.labels import Label
from services.engine.transaction import CaseIndex, PersonKey
from services.identity.persons import SUSPECT, VICTIM, Person, blocks_of
from services.sealing.hashes import KeyedHashes
from services.sealing.keys import KeyUnavailable
from services.sealing.sealer import Sealer

MAX_CANDIDATES = 20
"""People compared per block, newest first."""
SIMILAR = 80
"""Least score, of 100, at which two people may be one [P]."""
DATE_EDIT_COST = 10
"""Taken from the score for each digit of the birth date that differs; two neighbours swapped count once [P]."""
MAX_DATE_EDITS = 2
UNKNOWN_DATE_COST = 10
"""Taken from the score when one of the two has no birth date [P]."""
MAX_REMEMBERED = 50_000
"""(case, person, role) known to be in the case index, kept in memory so that it is not asked again."""


class People:
    """Remembers who is in which case, and finds cases of similar pairs."""

    def __init__(self, sealer: Sealer, hashes: KeyedHashes) -> None:
        self._sealer = sealer
        self._hashes = hashes
        self._known: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._undone = False

    def forget(self) -> None:
        """A work that met people was undone: who was noted in it may not be in the case index. From any thread."""
        self._undone = True

    def meet(self, cases: CaseIndex, persons: Sequence[Person], case_id: str) -> dict[str, int]:
        """Note the people of an event of case `case_id`; returns other cases → score, where a suspect and a victim are
        both similar. Exact namesakes score 100."""
        if self._undone:
            self._undone = False
            self._known.clear()
        similar: dict[str, dict[str, int]] = {SUSPECT: {}, VICTIM: {}}
        for person in persons:
            scores = similar[person.role]
            for other_case, score in self._meet_one(cases, person, case_id):
                scores[other_case] = max(score, scores.get(other_case, 0))
        victims = similar[VICTIM]
        return {c: min(score, victims[c]) for c, score in similar[SUSPECT].items() if c in victims}

    def _meet_one(self, cases: CaseIndex, person: Person, home: str) -> Iterable[tuple[str, int]]:
        key = (home, person.token, person.role)
        if key in self._known:
            self._known.move_to_end(key)
            return ()
        blocks = blocks_of(person, self._hashes)
        found: list[tuple[PersonKey, str, str]] = []
        for block in blocks:
            sharing = cases.candidates(block, MAX_CANDIDATES)
            if any(case_id == home and o.token == person.token and role == person.role for o, role, case_id in sharing):
                self._note(key)
                return ()
            found += sharing
        scored = [
            (case_id, score)
            for other, role, case_id in found
            if role == person.role and case_id != home and (score := self._score(person, other, case_id)) >= SIMILAR
        ]
        sealed = self._sealer.seal_bytes(home, _item(person.token), Label.VID.value, _clear(person))
        for block in blocks:
            cases.remember(PersonKey(person.token, block, sealed), person.role, home)
        return scored

    def _score(self, person: Person, other: PersonKey, case_id: str) -> int:
        if other.token == person.token:
            return 100
        try:
            name, born = orjson.loads(
                self._sealer.open_bytes(case_id, _item(other.token), Label.VID.value, other.sealed_name)
            )
        except KeyUnavailable:  # the other case's record was destroyed: nobody in it is compared any more
            return 0
        return similarity(person.name, person.born, name, born)

    def _note(self, key: tuple[str, str, str]) -> None:
        self._known[key] = None
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)


def similarity(name: str, born: str, other_name: str, other_born: str) -> int:
    """How alike two people are, 0 to 100. Names are normalised; dates are ISO texts, empty when unknown."""
    score = token_sort_ratio(name, other_name)
    if born and other_born:
        edits = OSA.distance(born, other_born)
        return 0 if edits > MAX_DATE_EDITS else round(score - edits * DATE_EDIT_COST)
    return round(score - UNKNOWN_DATE_COST)


def _clear(person: Person) -> bytes:
    return orjson.dumps([person.name, person.born])


def _item(token: str) -> str:
    return f"person/{token}"
