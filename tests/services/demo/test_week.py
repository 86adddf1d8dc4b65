"""The scripted week: it loads, it is the same for the same seed, and it shows everything the policies can ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from pydantic import ValidationError

from ccr_events.catalogue import event_type_named
from ccr_events.policy import PolicyBook, load_policies
from services.demo.acts import Answer, Publish, Redrive, acts, ends_at
from services.demo.scenario import Report, load_week
from tests.support.core_week import CoreWeek


@cache
def policies() -> PolicyBook:
    return load_policies()


@cache
def played(seed: int = 1) -> CoreWeek:
    week = load_week()
    return CoreWeek(policies(), week.county.zone).play(acts(week, seed), ends_at(week))


def test_week_has_about_a_dozen_histories_each_with_its_own_people_and_an_explanation() -> None:
    histories = load_week().histories
    assert 12 <= len(histories) <= 15
    assert len({h.key for h in histories}) == len(histories)
    people = [(p.given, p.surname, p.birth_date) for h in histories for p in (h.suspect, h.victim) if p is not None]
    assert len(set(people)) == len(people)
    assert all(len(h.about.split()) > 10 for h in histories)


def test_people_places_and_numbers_are_obvious_fakes() -> None:
    marks = ("test", "fake", "mock", "false", "sample", "placeholder", "dummy", "nobody", "invented", "nemo", "fictive")
    for history in load_week().histories:
        for person in filter(None, (history.suspect, history.victim)):
            assert any(mark in person.surname.lower() for mark in marks), person.surname
            assert person.address is None or "Nowhere" in person.address
            assert person.phone is None or person.phone.startswith("555-01")


def test_same_seed_plays_the_same_acts_and_another_seed_other_events() -> None:
    week = load_week()
    assert acts(week, 7) == acts(week, 7)
    ids = {a.event.id for a in acts(week, 7) if isinstance(a, Publish)}
    others = {a.event.id for a in acts(week, 8) if isinstance(a, Publish)}
    assert ids.isdisjoint(others)


def test_acts_are_in_order_of_reporting_and_end_before_the_clock_stops() -> None:
    week = load_week()
    times = [act.at for act in acts(week)]
    assert times == sorted(times)
    assert times[-1] < ends_at(week)
    assert all(at.tzinfo is UTC for at in times)


def test_every_report_is_published_by_an_agency_that_may() -> None:
    for act in acts(load_week()):
        if isinstance(act, (Publish, Redrive)):
            assert act.agency in {str(p) for p in event_type_named(act.event.type).publishers}


def test_every_rule_of_the_policies_in_force_is_opened() -> None:
    in_force = policies().edition_at(datetime(2026, 2, 2, tzinfo=UTC))
    keys = {rule.key for rules in in_force.by_trigger.values() for rule in rules}
    assert len(keys) > 80
    assert sorted(keys - played().opened()) == []


def test_all_forty_one_links_of_the_domain_sheet_are_exercised() -> None:
    numbers = {key[:3] for key in played().opened()}
    assert sorted(numbers) == [f"L{n:02}" for n in range(1, 42)]


@pytest.mark.parametrize(
    "kind", ["acknowledged", "satisfied", "overdue", "escalated", "waived", "cancelled", "reopened"]
)
def test_week_shows_every_turn_a_link_can_take(kind: str) -> None:
    assert played().kinds()[kind] >= 3


def test_week_shows_what_is_on_time_late_and_never_done() -> None:
    ended = [link for link in played().links() if link.ended_at is not None and link.due_at is not None]
    assert sum(link.ended_at <= link.due_at and not link.overdue for link in ended) > 100  # type: ignore[operator]
    assert sum(link.overdue and link.state == "satisfied" for link in ended) >= 5
    assert any(link.overdue and not link.state.ended for link in played().links())


def test_some_silence_reaches_the_tracking_entity() -> None:
    assert {t.link.rule for t in played().transitions if t.kind == "escalated" and t.to_agency == "ccr"} >= {
        "L23c",
        "L37b",
    }


def test_week_has_late_out_of_order_corrected_quarantined_and_repeated_reports_and_a_merge() -> None:
    week = played()
    assert week.late_reports >= 3
    assert (week.quarantined, week.redriven) == (1, 1)
    assert week.duplicates == 2
    assert list(week.proposals) == ["linden"]
    facts = [fact for view in week.views.values() for fact in view.facts.values()]
    assert sum(fact.corrects is not None for fact in facts) == 3
    order = next(f for f in facts if f.type == "ofp.ex_parte_granted")
    attempt = next(f for f in facts if f.type == "ofp.service_attempted")
    assert attempt.occurred_at > order.occurred_at
    assert attempt.recorded_at < order.recorded_at


def test_outcome_does_not_hang_on_the_seed() -> None:
    assert played(2).kinds() == played(1).kinds()


def test_every_answer_is_given_by_the_role_that_may() -> None:
    edition = policies().edition_at(datetime(2026, 2, 2, tzinfo=UTC))
    for act in acts(load_week()):
        if isinstance(act, Answer) and act.owed_by == act.agency and act.answer != "waive":
            rule = edition.rule(act.rule)
            assert (act.agency, act.role) in {(o.agency, o.role) for o in rule.owing}, (act.history, act.rule)
        if isinstance(act, Answer) and act.answer == "waive":
            assert (act.agency, act.role) in edition.rule(act.rule).waivers, (act.history, act.rule)


def test_an_entry_that_is_spoiled_must_say_when_it_is_repaired() -> None:
    with pytest.raises(ValidationError, match="go together"):
        Report(at="mon 09:00", type="call.received", spoiled={"nature": "x"})
