"""Flags derived at the door, so that what is behind them can be sealed."""

from __future__ import annotations

from typing import Any

import pytest

from ccr_events.codes.instruments import ODARA_ITEMS
from ccr_events.skeleton import split
from ccr_events.types.risk import LapAnswers, OdaraAnswers
from ccr_events.validation import validate


def _open(name: str, data: dict[str, Any]) -> dict[str, Any]:
    return split(validate(name, 1, data)).open


@pytest.mark.parametrize(
    ("screen", "high"),
    [
        ({"result": "screened_in_protocol"}, True),
        ({"result": "screened_in_officer"}, True),
        ({"result": "not_screened_in"}, False),
        ({"result": "refused_all"}, False),
        ({"result": "refused_all", "officer_belief": True}, True),
        ({"answers": {"q2": "yes"}}, True),
        ({"answers": {"q4": "yes", "q5": "yes", "q6": "yes", "q7": "yes"}}, True),
        ({"answers": {"q4": "yes", "q5": "yes", "q6": "yes", "q12": "Invented worry."}}, False),
        ({}, False),
    ],
)
def test_high_danger_follows_from_result_officer_or_answers(screen: dict[str, Any], high: bool) -> None:
    assert _open("risk.screened", {"instrument": "LAP", **screen})["high_danger"] is high


def test_answers_that_screen_in_are_not_silenced_by_the_box_ticked_beside_them() -> None:
    screen = {"instrument": "LAP", "result": "not_screened_in", "answers": {"q1": "yes"}}
    assert _open("risk.screened", screen)["high_danger"] is True


def test_the_answers_of_other_instruments_are_kept_and_open_only_the_score() -> None:
    screen = {"instrument": "ODARA", "score": 9, "answers": {"threat_at_index": "1", "violence_to_others": "?"}}
    skeleton = _open("risk.screened", screen)
    assert skeleton["score"] == 9
    assert skeleton["high_danger"] is False
    assert "answers" not in skeleton


def test_the_items_are_those_of_the_instruments() -> None:
    assert set(LapAnswers.model_fields) == {f"q{n}" for n in range(1, 13)}
    assert set(OdaraAnswers.model_fields) == set(ODARA_ITEMS)


@pytest.mark.parametrize(
    ("impact", "abuse"),
    [
        (["CHILDREN_ABUSED_BY_SUBJECT"], True),
        (["CHILDREN_PRESENT_DURING_INCIDENT", "SUBJECT_THREATENED_OR_ATTEMPTED_TO_ABDUCT_CHILDREN"], True),
        (["CHILDREN_AFRAID_OF_SUBJECT"], False),
        (["NO_CHILD_IMPACT"], False),
        ([], False),
    ],
)
def test_child_abuse_is_a_flag_of_the_report(impact: list[str], abuse: bool) -> None:
    skeleton = _open("incident.reported", {"child_impact": impact})
    assert skeleton["child_abuse"] is abuse
    assert "child_impact" not in skeleton


@pytest.mark.parametrize(("weapon", "firearm"), [("11", True), ("14", True), ("85", False), ("40", False)])
def test_a_firearm_is_a_flag_of_the_report(weapon: str, firearm: bool) -> None:
    skeleton = _open("incident.reported", {"weapon": weapon})
    assert skeleton["firearm"] is firearm
    assert "weapon" not in skeleton
