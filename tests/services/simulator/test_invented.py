"""Nobody can take the invented people for real ones, and no two of them are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from services.simulator import County, reports
from services.simulator.draws import Draws
from services.simulator.people import pair, surname

COUNTY = County(days=60, tail_days=300)
TEXTS = {"narrative", "full_text", "facts", "summary", "title"}


def fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, name)
    else:
        yield name, value


def test_names_places_and_telephones_are_obvious_fakes() -> None:
    seen = set()
    for report in reports(COUNTY, 2):
        for name, value in fields(report.event.data):
            seen.add(name)
            if name == "surname":
                assert value.startswith("Testperson-")
            elif name in ("phone", "callback", "safe_contact"):
                assert re.fullmatch(r"555-01\d\d", value)
            elif name in ("address", "location"):
                assert re.fullmatch(r"\d+ Nowhere Lane", value)
            elif name in TEXTS:
                assert "Invented" in value or "Testperson" in value
    assert {"surname", "phone", "callback", "address", "location", "narrative", "full_text"} <= seen


def test_every_number_has_a_surname_of_its_own() -> None:
    assert len({surname(number) for number in range(50_000)}) == 50_000


def test_two_people_of_a_pair_are_two() -> None:
    suspect, victim = pair(4, "SE", Draws("pair")).parties
    assert (suspect["role"], victim["role"]) == ("suspect", "victim")
    assert suspect["name"]["surname"] != victim["name"]["surname"]
