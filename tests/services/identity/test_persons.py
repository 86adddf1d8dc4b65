"""People reduced to keyed hashes, and how alike two of them are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.labels import Label
from services.identity.persons import Person, blocks_of, normalised, persons_of
from services.identity.similarity import SIMILAR, similarity
from services.sealing.hashes import KeyedHashes
from tests.support.doors import MASTER

HASHES = KeyedHashes(MASTER)


def person(given: str | None, surname: str, born: str | None, role: str = "suspect") -> Person:
    values: dict[str, object] = {"/parties/0/name": {"surname": surname, **({"given": given} if given else {})}}
    if born:
        values["/parties/0/birth_date"] = born
    return persons_of([{"role": role}], {Label.VID: values}, HASHES)[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [("O’Brien-Smith", "OBRIEN SMITH"), ("Núñez", "nunez"), ("Müller", "Muller"), ("STRASSE", "Straße"), ("Å", "Å")],
)
def test_spellings_of_one_name_are_equal(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert person("Sam", one, "1990-01-01").token == person("Sam", other, "1990-01-01").token


@given(st.text(max_size=30))
def test_normalising_is_final_and_the_same_for_ascii_and_others(name: str) -> None:
    assert normalised(normalised(name)) == normalised(name)
    assert normalised(name + "é").removesuffix("e") == normalised(name)


def test_only_a_whole_name_with_a_birth_date_is_exact() -> None:
    assert person("Sam", "Testperson", "1990-01-01").exact
    assert not person("Sam", "Testperson", None).exact
    assert not person(None, "Testperson", "1990-01-01").exact


def test_only_suspects_and_victims_are_hashed() -> None:
    values = {f"/parties/{i}/name": {"given": "Sam", "surname": "Testperson"} for i in range(4)}
    roles = [{"role": role} for role in ("child", "suspect", "witness", "victim")]
    assert [(p.party, p.role) for p in persons_of(roles, {Label.VID: values}, HASHES)] == [
        (1, "suspect"),
        (3, "victim"),
    ]


def test_people_who_sound_alike_or_were_born_alike_share_a_block() -> None:
    meier = person("Sam", "Testmeier", "1990-01-01")
    assert set(blocks_of(meier, HASHES)) & set(blocks_of(person("Samuel", "Testmaier", None), HASHES))
    assert set(blocks_of(meier, HASHES)) & set(blocks_of(person("Kim", "Otherperson", "1990-01-01"), HASHES))
    assert not set(blocks_of(meier, HASHES)) & set(blocks_of(person("Kim", "Otherperson", "1971-05-05"), HASHES))


def test_name_in_a_script_without_english_sounds_still_has_a_block() -> None:
    assert blocks_of(person("试", "验人", None), HASHES) == blocks_of(person("试", "验人", None), HASHES)
    assert blocks_of(person("试", "验人", None), HASHES) != blocks_of(person("试", "某人", None), HASHES)


def test_neither_name_nor_birth_date_shows_in_repr() -> None:
    shown = repr(person("Sam", "Testperson", "1990-01-01"))
    assert "testperson" not in shown.lower()
    assert "1990" not in shown


@pytest.mark.parametrize(
    ("name", "born", "alike"),
    [
        ("sam testperson", "1990-01-01", True),
        ("sam testpersen", "1990-01-01", True),
        ("sam testperson", "1990-01-10", True),  # two digits exchanged
        ("sam testperson", "", True),
        ("sam testperson", "1972-08-30", False),
        ("kim otherperson", "1990-01-01", False),
        ("sam testpersen", "1990-02-02", False),
    ],
)
def test_how_alike_two_people_are(name: str, born: str, *, alike: bool) -> None:
    assert (similarity("sam testperson", "1990-01-01", name, born) >= SIMILAR) is alike
