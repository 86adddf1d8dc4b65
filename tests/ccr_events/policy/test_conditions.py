"""What each form of condition holds for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ruamel.yaml import YAML

from ccr_events.core.index import FactIndex, build
from ccr_events.core.model import Fact
from ccr_events.policy.compiled import Compiled, Place
from ccr_events.policy.conditions import compile_condition
from ccr_events.policy.problems import Report
from ccr_events.policy.vocabulary import Vocabulary
from tests.support.policy_text import TYPES

T0 = datetime(2026, 2, 2, 12, tzinfo=UTC)
NOWHERE = build({})


def compiled(text: str, *types: str) -> Compiled:
    report = Report()
    place = Place(Vocabulary(TYPES), types or ("sample.made",), is_trigger=True)
    found = compile_condition(YAML(typ="safe").load(text), place, report)
    assert found is not None, report.findings
    assert not report.findings
    return found


def a_fact(type_: str = "sample.made", hours: float = 0, number: int = 1, agency: str = "le", **data: Any) -> Fact:
    at = T0 + timedelta(hours=hours)
    return Fact(f"id-{number}", type_, agency, "case-1", at, at, "e1", data)


def numbered(kind: str, number: str) -> list[dict[str, str]]:
    return [{"kind": kind, "number": number}]


@pytest.mark.parametrize(
    ("condition", "holds_for", "fails_for"),
    [
        ("{colour: red}", {"colour": "red"}, {"colour": "green"}),
        ("{colour: [red, green]}", {"colour": "green"}, {"colour": "blue or grey"}),
        ("{armed: false}", {"armed": False}, {}),
        ("{not: {armed: false}}", {}, {"armed": False}),
        ("{armed: {present: true}}", {"armed": False}, {}),
        ("{armed: {present: false}}", {}, {"armed": True}),
        ("{count: 3}", {"count": 3}, {"count": 4}),
        ("{count: {at_least: 3}}", {"count": 3}, {"count": 2}),
        ("{count: {at_most: 3}}", {"count": 3}, {"count": 4}),
        ("{count: {more_than: 3}}", {"count": 4}, {"count": 3}),
        ("{count: {less_than: 3}}", {"count": 2}, {"count": 3}),
        ("{count: {at_least: 2, at_most: 4}}", {"count": 3}, {"count": 5}),
        ("{count: {at_least: 0}}", {"count": 0}, {}),
        ("{colour: red, armed: true}", {"colour": "red", "armed": True}, {"colour": "red"}),
        (
            "{all: [{colour: red}, {armed: true}, {count: 1}]}",
            {"colour": "red", "armed": True, "count": 1},
            {"count": 1},
        ),
        ("{any: [{colour: red}, {armed: true}]}", {"armed": True}, {"colour": "green"}),
        ("{dv: 'yes'}", {"dv": "yes"}, {"dv": "unknown"}),
        ("{has_notes: true}", {"has_notes": True}, {"has_notes": False}),
        ("{first_note.kind: red}", {"first_note": {"kind": "red"}}, {"first_note": {"kind": "green"}}),
        ("{first_note.number: {present: false}}", {"first_note": {"kind": "red"}}, {"first_note": {"number": "1"}}),
        ("{notes.kind: {any_of: [red]}}", {"notes": [{"kind": "green"}, {"kind": "red"}]}, {"notes": []}),
        ("{notes.kind: {none_of: [red]}}", {"notes": [{"kind": "green"}]}, {"notes": [{"kind": "red"}]}),
        (
            "{notes.kind: {all_of: [red, green]}}",
            {"notes": [{"kind": "green"}, {"kind": "red"}]},
            {"notes": [{"kind": "red"}]},
        ),
        ("{notes.number: {present: true}}", {"notes": [{"number": "1"}]}, {"notes": [{"kind": "red"}]}),
        ("{at: {ahead_at_least: 2 d}}", {"at": "2026-02-04T12:00:00Z"}, {"at": "2026-02-04T11:59:00Z"}),
        ("{at: {ahead_less_than: 2 h}}", {"at": "2026-02-02T13:59:00Z"}, {"at": "2026-02-02T14:00:00Z"}),
    ],
)
def test_a_question_to_fields(condition: str, holds_for: dict[str, Any], fails_for: dict[str, Any]) -> None:
    test = compiled(condition).test
    assert test(a_fact(**holds_for), NOWHERE)
    assert not test(a_fact(**fails_for), NOWHERE)


def test_a_question_to_a_list() -> None:
    test = compiled("{notices: {any_of: [hearing, order_issued]}}", "victim.notice_given").test
    assert test(a_fact("victim.notice_given", notices=["rights_card", "hearing"]), NOWHERE)
    assert not test(a_fact("victim.notice_given", notices=["rights_card"]), NOWHERE)


def test_type_is_which_of_the_trigger_types_it_is() -> None:
    test = compiled("{type: nco.issued}", "nco.issued", "nco.modified").test
    assert test(a_fact("nco.issued"), NOWHERE)
    assert not test(a_fact("nco.modified"), NOWHERE)


def test_who_published_it() -> None:
    test = compiled("{agency: [jail]}").test
    assert test(a_fact(agency="jail"), NOWHERE)
    assert not test(a_fact(agency="le"), NOWHERE)


def test_of_several_trigger_types_a_field_of_one_is_enough() -> None:
    test = compiled("{plea: guilty}", "plea.entered", "verdict.entered").test
    assert test(a_fact("plea.entered", plea="guilty"), NOWHERE)
    assert not test(a_fact("verdict.entered", verdict="guilty"), NOWHERE)


def case(*facts: Fact) -> FactIndex:
    return build({fact.id: fact for fact in facts})


def booked(hours: float, number: int = 2, **data: Any) -> Fact:
    return a_fact("jail.booked", hours, number, "jail", **data)


def test_what_the_case_has() -> None:
    condition = compiled("{case_has: {type: [jail.booked, nco.issued], when: {dv: 'yes'}}}")
    assert condition.test(a_fact(), case(booked(5, dv="yes")))
    assert not condition.test(a_fact(), case(booked(5, dv="no")))
    assert not condition.test(a_fact(), NOWHERE)
    assert condition.mentions == {"jail.booked", "nco.issued"}


def test_types_asked_inside_the_case_are_mentioned_too() -> None:
    inner = "{case_has: {type: jail.booked, when: {case_has: {type: nco.issued}}}}"
    assert compiled(f"{{any: [{{colour: red}}, {{not: {inner}}}]}}").mentions == {"jail.booked", "nco.issued"}


@pytest.mark.parametrize(("hours", "before", "after"), [(-1, True, False), (0, True, False), (1, False, True)])
def test_before_and_after_the_trigger(hours: float, before: bool, after: bool) -> None:
    facts = case(booked(hours))
    assert compiled("{case_has: {type: jail.booked, before: trigger}}").test(a_fact(), facts) is before
    assert compiled("{case_has: {type: jail.booked, after: trigger}}").test(a_fact(), facts) is after


def test_the_trigger_is_not_before_itself() -> None:
    trigger = booked(0)
    test = compiled("{case_has: {type: jail.booked, before: trigger}}", "jail.booked").test
    assert not test(trigger, case(trigger))
    assert test(trigger, case(trigger, booked(-1, 3)))


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        (("order_no", "1"), ("order_no", "1"), True),
        (("order_no", "1"), ("order_no", "2"), False),
        (("order_no", "1"), ("booking_no", "9"), True),  # nothing says it is another matter
    ],
)
def test_the_same_number_where_both_carry_one(mine: tuple[str, str], theirs: tuple[str, str], same: bool) -> None:
    test = compiled("{case_has: {type: nco.issued, same: [order_no]}}").test
    facts = case(a_fact("nco.issued", 0, 2, references=numbered(*theirs)))
    assert test(a_fact(references=numbered(*mine)), facts) is same


def test_the_latest_of_some_acts_by_the_time_of_the_trigger() -> None:
    in_jail = compiled("{case_has: {latest_of: [jail.booked, custody.released], is: jail.booked}}")
    released = a_fact("custody.released", -1, 3, "jail")
    later = a_fact("custody.released", 1, 4, "jail")
    assert in_jail.test(a_fact(), case(booked(-2)))
    assert in_jail.test(a_fact(), case(booked(-2), later))
    assert not in_jail.test(a_fact(), case(booked(-2), released))
    assert in_jail.test(a_fact(), case(booked(-2), released, booked(-0.5, 5)))
    assert not in_jail.test(a_fact(), NOWHERE)
    assert in_jail.mentions == {"jail.booked", "custody.released"}


def test_words_read_one_way_only() -> None:
    words = compiled("{any: [{colour: red, armed: true}, {not: {count: 3}}]}").words
    assert words == "(colour is red and armed is true) or not (count is 3)"


def test_what_a_condition_makes_sure_of() -> None:
    assert compiled("{colour: red, count: {at_least: 1}}").ensures == {"colour", "count"}
    assert compiled("{any: [{colour: red}, {colour: green, armed: true}]}").ensures == {"colour"}
    assert compiled("{not: {armed: true}}").ensures == frozenset()
    assert compiled("{armed: {present: false}}").ensures == frozenset()
