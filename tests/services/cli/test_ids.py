"""Ids by their first characters, where only one thing begins so."""

from __future__ import annotations

import pytest

from services.cli import ids
from services.cli.refused import Refused
from tests.support.answering import Script, json_answer

ONE = "3f2a91c0-0000-5000-8000-000000000001"
TWO = "3f2a91c0-0000-5000-8000-000000000002"
THREE = "7b1e04d2-0000-5000-8000-000000000003"


def script() -> Script:
    numbers = {ONE: "26-0101", TWO: "26-0101", THREE: "CR-7"}
    found = [
        {"id": i, "case_id": f"9{i[1:]}", "references": [{"kind": "incident_no", "number": number}]}
        for i, number in numbers.items()
    ]
    return Script(lambda _: json_answer(200, {"links": found}))


def test_a_unique_beginning_is_enough() -> None:
    assert ids.link_id(script().client(), "7B1E ".strip()) == THREE
    assert ids.case_id(script().client(), "9b1e04") == f"9{THREE[1:]}"


def test_a_case_is_found_by_a_whole_number_of_it() -> None:
    assert ids.case_id(script().client(), " cr-7 ") == f"9{THREE[1:]}"
    with pytest.raises(Refused, match=f"several cases have that number: 9{ONE[1:]}, 9{TWO[1:]}"):
        ids.case_id(script().client(), "26-0101")


def test_several_that_begin_so_are_named() -> None:
    with pytest.raises(Refused, match=f"{ONE}, {TWO}"):
        ids.link_id(script().client(), "3f2a91c0")


def test_none_that_begins_so_is_told() -> None:
    with pytest.raises(Refused, match="no link begins"):
        ids.link_id(script().client(), "ffff")


def test_a_case_may_be_asked_for_by_number_too() -> None:
    with pytest.raises(Refused, match="no case has that number, and none begins with that id"):
        ids.case_id(script().client(), "nosuch")
    with pytest.raises(Refused, match="of the case's id, or a whole number of it"):
        ids.case_id(script().client(), "CR")


def test_too_short_a_beginning_is_refused() -> None:
    with pytest.raises(Refused, match="at least 4"):
        ids.link_id(script().client(), "3f2")


def test_a_whole_id_asks_nothing() -> None:
    asked = script()
    assert ids.link_id(asked.client(), ONE.upper()) == ONE
    assert asked.requests == []
