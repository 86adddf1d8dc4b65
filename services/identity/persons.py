"""The people an event names, reduced to what decides which case it belongs to: keyed hashes.

Only suspects and victims count: they make the pair a case is about. Nothing here is kept in clear; names live as long
as the event is being taken in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from jellyfish import metaphone

from ccr_events.labels import Label
from ccr_events.payload import PartyRole
from ccr_events.skeleton import Sealed
from services.sealing.hashes import KeyedHashes

SUSPECT = PartyRole.SUSPECT.value
VICTIM = PartyRole.VICTIM.value
_PAIRED = frozenset({SUSPECT, VICTIM})


@dataclass(frozen=True, slots=True)
class Person:
    """A suspect or victim named in an event."""

    party: int
    """Index in the payload's `parties`."""
    role: str
    token: str
    """Keyed hash of name and birth date."""
    exact: bool
    """True when given name, surname and birth date are all known: only then are equal tokens one person."""
    name: str = field(repr=False)
    """Normalised given name and surname, for comparing candidates."""
    surname: str = field(repr=False)
    """Normalised."""
    born: str = field(repr=False)
    """ISO date; empty when unknown."""


def persons_of(parties: Sequence[Mapping[str, Any]], sealed: Sealed, hashes: KeyedHashes) -> tuple[Person, ...]:
    """The suspects and victims with a name, in order. `parties` are the open ones; names are among `sealed`."""
    values = sealed.get(Label.VID)
    if not values or not parties:
        return ()
    found = []
    for i, party in enumerate(parties):
        if party["role"] not in _PAIRED or (name := values.get(f"/parties/{i}/name")) is None:
            continue
        given, surname = normalised(name.get("given") or ""), normalised(name["surname"])
        if not surname:
            continue
        born = values.get(f"/parties/{i}/birth_date") or ""
        whole = f"{given} {surname}".lstrip()
        found.append(
            Person(
                party=i,
                role=party["role"],
                token=hashes.person_token(whole, born),
                exact=bool(given and born),
                name=whole,
                surname=surname,
                born=born,
            )
        )
    return tuple(found)


def normalised(name: str) -> str:
    """Letters and digits only, without case and accents, so that `O’Brien-Smith` and `OBRIEN SMITH` are equal."""
    plain = name.lower() if name.isascii() else normalize("NFKD", normalize("NFKD", name).casefold())
    return plain if plain.isalnum() else "".join(filter(str.isalnum, plain))


def blocks_of(person: Person, hashes: KeyedHashes) -> tuple[bytes, ...]:
    """Keyed hashes of the surname's sound and of the birth date: people who may be the same share one."""
    # a name in another script has no English sound: it stands for itself
    blocks = (hashes.block("sound", metaphone(person.surname) or person.surname),)
    return (*blocks, hashes.block("born", person.born)) if person.born else blocks
