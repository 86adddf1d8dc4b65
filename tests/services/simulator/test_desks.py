"""Practitioners answer what they owe: most in time, some late or never, and always alike for the same link."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ccr_events.core.ids import answer_event_id
from ccr_events.core.model import Link, LinkState, Transition, TransitionKind
from ccr_events.policy import PolicyBook, load_policies
from ccr_events.validation import validate
from services.simulator import Desks, Profile, Report
from services.simulator.conduct import Answering

AT = datetime(2026, 3, 1, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def policies() -> PolicyBook:
    return load_policies()


def opened(
    policies: PolicyBook,
    rule: str,
    number: int = 0,
    agency: str = "le",
    role: str = "records clerk",
    state: LinkState = LinkState.OPENED,
    kind: TransitionKind = TransitionKind.OPENED,
    acknowledged_at: datetime | None = None,
) -> Transition:
    link = Link(
        id=f"link-{number}",
        case_id="case-1",
        rule=rule,
        edition=policies.edition_at(AT).id,
        trigger_id="trigger-1",
        agency=agency,
        role=role,
        urgency="immediate",
        opened_at=AT,
        due_at=AT + timedelta(minutes=30),
        lag_s=0,
        state=state,
        overdue=False,
        steps=(),
        acknowledged_at=acknowledged_at,
    )
    step = int(kind is TransitionKind.ESCALATED)
    return Transition(
        id=f"t-{number}", kind=kind, step=step, cause="trigger-1", at=AT, link=link, to_agency=agency, to_role=role
    )


def desks(policies: PolicyBook, profile: str = "typical", **answering: float) -> Desks:
    return Desks(policies, replace(Answering(), **answering), Profile.named(profile), seed=1)


def said(policies: PolicyBook, rule: str, **owing: str) -> list[Report]:
    return desks(policies, missed=0, waived=0).answers(opened(policies, rule, **owing), AT)


def test_what_is_owed_as_an_acknowledgement_is_acknowledged(policies: PolicyBook) -> None:
    (report,) = said(policies, "L16b")
    assert (report.agency, report.event.type, report.event.data["role"]) == ("le", "link.acknowledged", "records clerk")
    assert report.event.id == answer_event_id("acknowledged", "link-0", "le", "records clerk")
    assert report.at > AT
    validate(report.event.type, 1, report.event.data)


def test_what_is_owed_as_an_act_nobody_else_tells_is_confirmed_and_then_done(policies: PolicyBook) -> None:
    first, second = said(policies, "L17d", agency="jail", role="release coordinator")
    assert [first.event.type, second.event.type] == ["link.acknowledged", "link.completed"]
    assert AT < first.at < second.at


def test_what_an_event_of_its_own_tells_is_only_confirmed(policies: PolicyBook) -> None:
    assert [r.event.type for r in said(policies, "L02", role="responding officer")] == ["link.acknowledged"]


def test_what_was_confirmed_is_not_confirmed_again(policies: PolicyBook) -> None:
    again = opened(policies, "L02", role="responding officer", kind=TransitionKind.ESCALATED, acknowledged_at=AT)
    always = desks(policies, missed=0, let_go_late=0, answered_when_escalated=1)
    assert always.answers(again, AT) == []


def test_what_escalated_is_let_go_at_times_since_it_was_done_otherwise(policies: PolicyBook) -> None:
    escalated = opened(policies, "L02", role="responding officer", kind=TransitionKind.ESCALATED)
    (report,) = desks(policies, let_go_late=1, answered_when_escalated=1).answers(escalated, AT)
    assert (report.event.type, report.event.data["reason"]) == ("link.waived", "done_otherwise")


def test_the_program_says_who_goes_and_nothing_of_a_person(policies: PolicyBook) -> None:
    (report,) = said(policies, "L04", agency="adv", role="on-call advocate")
    assert report.event.data["status"] == "on_call_assigned"


def test_the_same_link_is_answered_alike_whenever_it_is_shown(policies: PolicyBook) -> None:
    desk = desks(policies)
    shown = [opened(policies, "L16b", number) for number in range(50)]
    forward = {one.link.id: desk.answers(one, AT) for one in shown}
    assert {one.link.id: desk.answers(one, AT) for one in reversed(shown)} == forward


@pytest.mark.parametrize(
    ("profile", "least", "most"), [("calm", 0.95, 1.0), ("typical", 0.8, 0.95), ("strained", 0.55, 0.8)]
)
def test_as_many_answer_as_the_profile_says(policies: PolicyBook, profile: str, least: float, most: float) -> None:
    desk = desks(policies, profile)
    answered = sum(bool(desk.answers(opened(policies, "L16b", number), AT)) for number in range(1_000))
    assert least < answered / 1_000 <= most


def test_some_that_were_missed_are_answered_once_a_supervisor_hears(policies: PolicyBook) -> None:
    desk = desks(policies, missed=1)
    heard = [desk.answers(opened(policies, "L16b", number, kind=TransitionKind.ESCALATED), AT) for number in range(300)]
    assert 0.5 < sum(map(bool, heard)) / 300 < 0.9


def test_a_waiver_comes_from_a_role_that_the_policy_names(policies: PolicyBook) -> None:
    (report,) = desks(policies, missed=0, waived=1).answers(opened(policies, "L16b"), AT)
    assert (report.agency, report.event.data["role"]) == ("le", "records manager")
    assert report.event.type == "link.waived"


def test_the_program_gives_no_reason_for_a_waiver(policies: PolicyBook) -> None:
    desk = desks(policies, missed=0, waived=1)
    (report,) = desk.answers(opened(policies, "L04", agency="adv", role="on-call advocate"), AT)
    assert (report.agency, report.event.data["reason"]) == ("adv", "other")


def test_an_ended_link_is_not_answered(policies: PolicyBook) -> None:
    ended = opened(policies, "L16b", state=LinkState.SATISFIED)
    assert desks(policies, missed=0).answers(ended, AT) == []
