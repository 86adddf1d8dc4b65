"""Two invented people and the numbers agencies give their case. Nobody can take them for real.

Surnames are `Testperson-…`, streets `Nowhere Lane`, telephone numbers the ones kept for fiction (555-0100 to 555-0199).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from services.simulator.draws import Draws

if TYPE_CHECKING:
    from services.simulator.casefile import CaseFile

GIVEN = (
    "Alder", "Ash", "Aspen", "Basil", "Bay", "Birch", "Bracken", "Bramble", "Briar", "Brook", "Cedar", "Clover", "Dale",
    "Elm", "Fen", "Fern", "Flint", "Glen", "Grove", "Hazel", "Heath", "Heather", "Holly", "Iris", "Ivy", "Jasper",
    "Juniper", "Lark", "Laurel", "Linden", "Maple", "Marsh", "Moss", "Oak", "Olive", "Opal", "Pine", "Quill", "Reed",
    "Ridge", "River", "Robin", "Rowan", "Rush", "Sage", "Slate", "Sorrel", "Spruce", "Stone", "Tansy", "Thorn", "Thyme",
    "Vale", "Willow", "Wren", "Yarrow",
)  # fmt: skip
"""Plants and places: invented people have no name that tells where they come from."""
_SYLLABLES = tuple(a + b for a in "bdfgklmnprstvz" for b in "aeiou")
_FIRST_BORN = date(1956, 1, 1)
_BIRTH_DAYS = 18_000
CHILDREN = 0.45
"""Pairs with children at home [P]."""
_LANGUAGES = ("es", "hmn", "so", "oj")


def surname(number: int) -> str:
    """`Testperson-…`, another one for each number."""
    letters = []
    number += 7 * len(_SYLLABLES)  # no surname shorter than two syllables
    while number:
        number, place = divmod(number, len(_SYLLABLES))
        letters.append(_SYLLABLES[place])
    return "Testperson-" + "".join(letters).capitalize()


@dataclass(slots=True, eq=False)
class Pair:
    """A suspect and a victim, what is in force between them, and who supervises him. Instants are local seconds."""

    number: int
    parties: list[dict[str, Any]]
    """As police and courts write them."""
    known_as: list[dict[str, Any]]
    """Names and birth dates alone."""
    relationship: str
    children: bool
    calls: int = 0
    in_custody: bool = False
    on_probation: bool = False
    program: bool = False
    """In the men's program."""
    no_contact_order: CaseFile | None = None
    protection_order: CaseFile | None = None
    supervised_under: CaseFile | None = None
    """The court file he is supervised under."""
    busy_until: int = 0
    """No second call before the first is closed."""


def pair(number: int, relationship: str, draws: Draws) -> Pair:
    """Two people, by number."""
    people = []
    for role, place in (("suspect", 2 * number), ("victim", 2 * number + 1)):
        born = _FIRST_BORN + timedelta(days=int(draws.random() * _BIRTH_DAYS))
        person = {
            "role": role,
            "name": {"given": draws.one(GIVEN), "surname": surname(place)},
            "birth_date": born.isoformat(),
        }
        people.append(person)
    suspect, victim = people
    parties = [
        {**suspect, "sex_code": "U", "race_code": "U", "address": _address(draws)},
        {**victim, "address": _address(draws), "phone": _phone(draws)},
    ]
    if draws.chance(0.5):
        parties[1]["safe_contact"] = _phone(draws)
    if draws.chance(0.1):
        parties[1]["language"] = draws.one(_LANGUAGES)
    return Pair(number, parties, people, relationship, children=draws.chance(CHILDREN))


def _address(draws: Draws) -> str:
    return f"{draws.whole(1, 999)} Nowhere Lane"


def _phone(draws: Draws) -> str:
    return f"555-01{draws.whole(0, 99):02d}"
