"""The life of a link, told as given (facts so far), when (one more), then (transitions)."""

from __future__ import annotations

from datetime import datetime, timedelta

from ccr_events.core import ids
from ccr_events.core.fold import fold, step
from ccr_events.core.model import Fact, Link, LinkState
from ccr_events.core.view import CaseView
from tests.support.core_rules import BOOK, HOUR, T0, event_id, fact

ARREST = fact(1, "arrest.made", 0, dv="yes")
R1 = ids.link_id("case-1", "R1", event_id(1), "le", "officer")


def given(*facts: Fact) -> CaseView:
    view = CaseView("case-1")
    for f in facts:
        view = fold(view, f, BOOK)
    return view


def told(view: CaseView, when: Fact, rule: str = "R1") -> list[str]:
    """What the event does to the links of one rule, as `kind` or `kind(step)→agency/role`."""
    return [
        t.kind.value if not t.step else f"{t.kind.value}({t.step})→{t.to_agency}/{t.to_role}"
        for t in step(view, when, BOOK).transitions
        if t.link.rule == rule
    ]


def link(view: CaseView, link_id: str = R1) -> Link:
    return view.links[link_id]


def reached(link_id: str, number: int, at: datetime) -> Fact:
    return Fact(
        ids.deadline_event_id(link_id, number, at), "link.deadline_reached", "ccr", "case-1", at, at, "e1",
        {"link_id": link_id, "step": number, "due_at": at.isoformat()},
    )  # fmt: skip


DUE = reached(R1, 0, T0 + 4 * HOUR)
BOOKED = fact(2, "jail.booked", 1, agency="jail")


def test_a_trigger_opens_a_link_with_its_deadline_written_into_it() -> None:
    assert told(given(), ARREST) == ["opened"]
    opened = link(given(ARREST))
    assert (opened.state, opened.due_at) == (LinkState.OPENED, T0 + 4 * HOUR)
    assert [(s.number, s.role) for s in opened.steps] == [(0, "officer"), (1, "sergeant"), (2, "coordinator")]


def test_a_trigger_whose_condition_fails_opens_nothing() -> None:
    assert told(given(), fact(1, "arrest.made", 0, dv="no")) == []


def test_the_act_satisfies() -> None:
    assert told(given(ARREST), BOOKED) == ["satisfied"]


def test_an_act_that_was_reported_before_its_trigger_counts() -> None:
    assert told(given(BOOKED), ARREST) == ["opened", "satisfied"]


def test_an_act_about_another_incident_does_not_satisfy() -> None:
    arrest = fact(1, "arrest.made", 0, dv="yes", refs=(("incident_no", "A1"),))
    other = fact(2, "jail.booked", 1, refs=(("incident_no", "B2"),))
    same = fact(3, "jail.booked", 1, refs=(("incident_no", "A1"), ("booking_no", "7")))
    assert told(given(arrest), other) == []
    assert told(given(arrest), same) == ["satisfied"]


def test_acknowledgement_is_received_not_done() -> None:
    ack = fact(3, "link.acknowledged", 1, link_id=R1, role="officer")
    assert told(given(ARREST), ack) == ["acknowledged"]
    assert link(given(ARREST, ack)).state is LinkState.ACKNOWLEDGED
    assert told(given(ARREST, ack), DUE) == ["overdue"]


def test_another_agency_cannot_acknowledge_or_complete() -> None:
    ack = fact(3, "link.acknowledged", 1, agency="jail", link_id=R1, role="officer")
    done = fact(4, "link.completed", 1, agency="jail", link_id=R1, role="officer")
    assert told(given(ARREST), ack) == told(given(ARREST), done) == []


def test_only_a_named_role_of_a_named_agency_waives() -> None:
    by_sergeant = fact(3, "link.waived", 1, link_id=R1, role="sergeant")
    by_officer = fact(4, "link.waived", 1, link_id=R1, role="officer")
    assert told(given(ARREST), by_sergeant) == ["waived"]
    assert told(given(ARREST), by_officer) == []


def test_silence_is_overdue_then_climbs_the_ladder() -> None:
    view = given(ARREST)
    assert told(view, DUE) == ["overdue"]
    assert told(view, reached(R1, 1, T0 + 4 * HOUR)) == ["escalated(1)→le/sergeant"]
    assert told(view, reached(R1, 2, T0 + 6 * HOUR)) == ["escalated(2)→ccr/coordinator"]


def test_after_the_last_rung_reminders_follow_at_doubling_intervals() -> None:
    climbed = given(ARREST, DUE, reached(R1, 1, T0 + 4 * HOUR), reached(R1, 2, T0 + 6 * HOUR))
    first = T0 + 6 * HOUR + timedelta(hours=24)
    assert [s.at for s in link(climbed).steps if not s.reached] == [first]
    assert told(climbed, reached(R1, 3, first)) == ["escalated(3)→ccr/coordinator"]
    reminded = fold(climbed, reached(R1, 3, first), BOOK)
    assert [s.at for s in link(reminded).steps if not s.reached] == [first + timedelta(hours=48)]


def test_a_rule_without_a_ladder_reminds_only_the_owing_role() -> None:
    absences = [fact(n, "bip.session_recorded", n, present=False) for n in (1, 2)]
    (owed,) = given(*absences).links.values()
    assert owed.due_at is not None
    overdue = fold(given(*absences), reached(owed.id, 0, owed.due_at), BOOK)
    (reminder,) = [s for s in overdue.links[owed.id].steps if not s.reached]
    assert (reminder.agency, reminder.role) == ("le", "officer")


def test_a_warning_comes_before_the_due_time() -> None:
    booked = fact(1, "jail.booked", 0)
    (owed,) = given(booked).links.values()
    assert owed.due_at is not None
    assert told(given(booked), reached(owed.id, 1, owed.due_at - 6 * HOUR), "R3") == ["escalated(1)→le/commander"]


def test_release_makes_a_notice_due_at_once() -> None:
    booked, released = fact(1, "jail.booked", 0), fact(2, "custody.released", 5)
    assert told(given(booked), released, "R3") == ["rescheduled"]
    (owed,) = given(booked, released).links.values()
    assert owed.due_at == T0 + 5 * HOUR


def test_an_act_done_in_time_but_reported_late_takes_the_blame_back() -> None:
    climbed = given(ARREST, DUE, reached(R1, 1, T0 + 4 * HOUR))
    on_time = fact(2, "jail.booked", 1, agency="jail", late=20)
    assert told(climbed, on_time) == ["satisfied"]
    assert not link(fold(climbed, on_time, BOOK)).overdue


def test_an_act_done_late_satisfies_and_stays_overdue() -> None:
    late = fold(given(ARREST, DUE), fact(2, "jail.booked", 9), BOOK)
    assert (link(late).state, link(late).overdue) == (LinkState.SATISFIED, True)


def test_withdrawing_the_act_reopens() -> None:
    withdrawn = fact(3, "event.retracted", 2, agency="jail", corrects=2)
    assert told(given(ARREST, BOOKED), withdrawn) == ["reopened"]


def test_correcting_the_trigger_away_cancels() -> None:
    not_dv = fact(3, "arrest.made", 0, dv="no", corrects=1, late=1)
    assert told(given(ARREST), not_dv) == ["cancelled"]
    assert R1 not in given(ARREST, not_dv).links


def test_correcting_the_triggers_time_moves_the_deadline_and_keeps_the_link() -> None:
    corrected = fact(3, "arrest.made", 2, dv="yes", corrects=1)
    assert told(given(ARREST), corrected) == ["rescheduled"]
    assert link(given(ARREST, corrected)).due_at == T0 + 6 * HOUR


def test_another_agency_cannot_correct_or_retract() -> None:
    foreign = fact(3, "event.retracted", 2, agency="jail", corrects=1)
    assert told(given(ARREST), foreign) == []


def test_a_late_report_carries_its_lag() -> None:
    assert link(given(fact(1, "arrest.made", 0, dv="yes", late=3))).lag_s == 3 * 3600


def test_an_event_is_judged_by_the_edition_stamped_on_it() -> None:
    old, new = fact(1, "arrest.made", 0, dv="yes"), fact(2, "arrest.made", 0, dv="yes", edition="e2")
    due = {x.edition: x.due_at for x in given(old, new).links.values() if x.rule == "R1"}
    assert due == {"e1": T0 + 4 * HOUR, "e2": T0 + 1 * HOUR}


def test_context_that_arrives_after_its_trigger_opens_the_link() -> None:
    violation, probation = fact(1, "order.violation_reported", 3), fact(2, "probation.opened", 1, agency="prob")
    assert told(given(), violation, "R4") == []
    assert told(given(violation), probation, "R4") == ["opened"]


def test_counting_opens_at_the_nth_and_a_present_man_resets_it() -> None:
    absent = [fact(n, "bip.session_recorded", n, present=False) for n in (1, 3, 4)]
    present = fact(9, "bip.session_recorded", 2, present=True)
    assert told(given(absent[0], present), absent[1], "R5") == []
    assert told(given(absent[0], present, absent[1]), absent[2], "R5") == ["opened"]


def test_each_owing_role_has_a_link_of_its_own() -> None:
    owed = [x for x in given(ARREST).links.values() if x.rule == "R2"]
    assert {(x.agency, x.role) for x in owed} == {("le", "officer"), ("adv", "on call")}


def test_all_groups_of_acts_are_needed() -> None:
    screened, accepted = fact(2, "risk.screened", -1), fact(3, "referral.advocacy_accepted", 2, agency="adv")
    assert told(given(ARREST), screened, "R2") == []
    assert told(given(ARREST, screened), accepted, "R2") == ["satisfied", "satisfied"]
