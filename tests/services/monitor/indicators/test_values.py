"""What each indicator counts, told in small cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ccr_events.core.index import build
from ccr_events.core.model import Fact, Link, LinkState, Step
from services.monitor.indicators.case import Case, Window
from services.monitor.indicators.catalogue import INDICATORS, UnknownIndicator, named
from services.monitor.indicators.definition import Unit
from services.monitor.indicators.tally import Tally
from tests.support.core_rules import T0, event_id, fact

LATER = T0 + timedelta(days=500)


def tally(facts: Sequence[Fact], links: Sequence[Link] = (), as_of: datetime = LATER, **window: Any) -> Tally:
    known = {f.id: f for f in facts if f.recorded_at <= as_of}
    found = Tally()
    asked = Window(window.get("since"), window.get("until"), as_of)
    found.take(Case("case-1", build(known), links, asked), INDICATORS)
    return found


def share(key: str, facts: Sequence[Fact], **asked: Any) -> tuple[int, int]:
    found = tally(facts, **asked).shares.get((key, ""))
    return (0, 0) if found is None else (found.count, found.of)


def hours(key: str, facts: Sequence[Fact], **asked: Any) -> list[float]:
    spread = tally(facts, **asked).spreads.get((key, ""))
    return [] if spread is None else [s / 3600 for s in sorted(spread.counts.elements())]


def inc(number: str) -> tuple[tuple[str, str], ...]:
    return (("incident_no", number),)


def test_calls_and_how_fast_somebody_comes() -> None:
    cad = (("cad_no", "C1"),)
    facts = [
        fact(1, "call.received", 0, nature="dv_in_progress", refs=cad),
        fact(2, "call.dispatched", 0.5, refs=(("cad_no", "C2"),)),
        fact(3, "call.dispatched", 1, refs=cad),
        fact(4, "call.on_scene", 3, refs=cad),
        fact(5, "call.received", 9, nature="other"),
        fact(6, "call.received", 9, nature="other", dv="yes"),
        fact(7, "call.received", 9, nature="dv_in_progress", dv="no"),
    ]
    assert share("dv_calls", facts) == (2, 2)
    assert hours("call_to_dispatch", facts) == [1]
    assert hours("dispatch_to_scene", facts) == [2]
    assert hours("call_to_scene", facts) == [3]


def test_an_incident_counts_once_whoever_reports_it_again() -> None:
    facts = [
        fact(1, "incident.reported", 0, relationship="SE", refs=inc("A")),
        fact(2, "arrest.not_made", 0, reason="goa", refs=inc("A")),
        fact(3, "arrest.made", 20, dual_arrest=True, refs=inc("A")),
        fact(4, "risk.screened", 1, high_danger=True, refs=inc("A")),
        fact(5, "arrest.not_made", 50, reason="no_pc", refs=inc("B")),
        fact(6, "arrest.not_made", 60, reason="prosecutor_review", refs=inc("C")),
        fact(7, "incident.reported", 70, relationship="XR", refs=inc("D")),
        fact(8, "incident.reported", 80, relationship="SB", refs=inc("E")),
    ]
    assert share("arrest_rate", facts) == (1, 2)
    assert share("dual_arrest_rate", facts) == (1, 1)
    assert share("gone_on_arrival_rate", facts) == (1, 5)
    assert share("gone_arrested_72h", facts) == (1, 1)
    assert share("risk_screened", facts) == (1, 2)
    assert share("high_danger", facts) == (1, 1)


def test_who_was_gone_is_not_judged_before_the_window_closes() -> None:
    facts = [fact(1, "arrest.not_made", 0, reason="goa")]
    assert share("gone_arrested_72h", facts, as_of=T0 + timedelta(hours=71)) == (0, 0)
    assert share("gone_arrested_72h", facts, as_of=T0 + timedelta(hours=72)) == (0, 1)


def test_what_was_retracted_or_recorded_later_does_not_count() -> None:
    facts = [
        fact(1, "arrest.made", 0, refs=inc("A")),
        fact(2, "event.retracted", 1, corrects=1, late=10),
        fact(3, "arrest.made", 2, refs=inc("B"), late=5),
    ]
    assert share("arrest_rate", facts, as_of=T0 + timedelta(hours=3)) == (1, 1)
    assert share("arrest_rate", facts, as_of=T0 + timedelta(hours=8)) == (2, 2)
    assert share("arrest_rate", facts) == (1, 1)


def test_the_window_asks_when_it_happened() -> None:
    facts = [fact(1, "arrest.made", 0, refs=inc("A")), fact(2, "arrest.made", 30, refs=inc("B"))]
    assert share("arrest_rate", facts, since=T0 + timedelta(hours=1)) == (1, 1)
    assert share("arrest_rate", facts, until=T0) == (0, 0)


def test_an_arrest_reaches_the_advocate_by_referral_or_alert() -> None:
    arrest = fact(1, "arrest.made", 0, refs=inc("A"))
    assert share("arrest_advocacy_notified", [arrest]) == (0, 1)
    referred = [arrest, fact(2, "referral.advocacy_sent", 3, urgency="scene", refs=inc("A"))]
    assert hours("arrest_to_advocacy", referred) == [3]
    alerted = a_link(agency="adv", trigger=1, notified=2)
    assert [s / 3600 for s in tally(referred, [alerted]).spreads["arrest_to_advocacy", ""].counts] == [2]
    other = [arrest, fact(2, "referral.advocacy_sent", 3, urgency="scene", refs=inc("B"))]
    assert share("arrest_advocacy_notified", other) == (0, 1)


def test_a_notice_counts_for_its_own_release_and_only_before_it() -> None:
    first, second = (("booking_no", "1"),), (("booking_no", "2"),)
    facts = [
        fact(1, "victim.release_notified", 1, reached=True, refs=first),
        fact(2, "custody.released", 2, refs=first),
        fact(3, "custody.released", 5, refs=second),
        fact(4, "victim.release_notified", 6, reached=True, refs=second),
        fact(5, "victim.release_notified", 7, reached=False),
        fact(6, "custody.released", 8),
    ]
    assert share("release_notice_before", facts) == (2, 3)
    assert share("release_victim_reached", facts[:4]) == (1, 2)


def test_orders_from_petition_to_service() -> None:
    order, other = (("order_no", "O1"),), (("order_no", "O2"),)
    facts = [
        fact(1, "ofp.ex_parte_granted", 0, refs=order),
        fact(2, "ofp.denied", 1, ex_parte=True),
        fact(3, "ofp.denied", 2),
        fact(4, "ofp.served", 30, served_at=(T0 + timedelta(hours=26)).isoformat(), refs=order),
        fact(5, "ofp.granted", 200, refs=order),
        fact(6, "ofp.granted", 300, refs=other),
    ]
    assert share("ex_parte_granted", facts) == (1, 2)
    assert hours("issue_to_served", facts) == [26]
    assert share("served_24h", facts) == (0, 2)
    assert share("served_72h", facts) == (1, 2)
    assert share("never_served", facts) == (1, 2)
    young = T0 + timedelta(hours=310)
    assert share("served_24h", facts, as_of=young) == (0, 1)
    assert share("never_served", facts, as_of=young) == (0, 0)


def test_a_violation_is_followed_by_an_arrest_or_not() -> None:
    facts = [
        fact(1, "order.violation_reported", 0, refs=inc("A")),
        fact(2, "arrest.made", 100, refs=inc("A")),
        fact(3, "order.violation_reported", 300),
        fact(4, "order.violation_reported", 400, in_custody=True),
        fact(5, "order.violation_reported", 500),
        fact(6, "arrest.made", 502),
    ]
    assert share("violation_arrested", facts) == (3, 4)


def test_charges_filed_declined_dismissed() -> None:
    court = (("court_case_no", "27-1"), *inc("A"))
    facts = [
        fact(1, "charge.declined", 0, refs=inc("A")),
        fact(2, "charge.filed", 5, refs=court),
        fact(3, "charge.filed", 6, refs=court),
        fact(4, "charge.declined", 7, refs=inc("B")),
        fact(5, "charge.dismissed", 90, refs=court),
        fact(6, "charge.filed", 100, refs=(("court_case_no", "27-2"),)),
    ]
    assert share("charge_rate", facts) == (2, 3)
    assert share("dismissal_rate", facts) == (1, 2)


def test_what_follows_in_supervision() -> None:
    facts = [
        fact(1, "bip.referred", 0),
        fact(2, "bip.intake_completed", 240),
        fact(3, "bip.session_recorded", 300, present=False),
        fact(4, "bip.session_recorded", 310, present=False, excused=True),
        fact(5, "bip.status_changed", 320, status="active"),
        fact(6, "violation.alleged", 348, kind="bip"),
        fact(7, "violation.disposed", 400, outcome="sanction"),
        fact(8, "violation.alleged", 500, kind="technical"),
    ]
    assert hours("referral_to_intake", facts) == [240]
    assert hours("absence_to_consequence", facts) == [48]
    assert share("violation_consequence", facts) == (1, 2)
    assert hours("violation_swiftness", facts) == [52]


def test_another_incident_of_the_same_dyad() -> None:
    facts = [
        fact(1, "incident.reported", 0, refs=inc("A")),
        fact(2, "arrest.made", 50, refs=inc("A")),
        fact(3, "incident.reported", 24 * 200, refs=inc("B")),
    ]
    assert share("reincident_6m", facts) == (0, 1)
    assert share("reincident_12m", facts) == (1, 1)
    assert share("reincident_12m", facts, as_of=T0 + timedelta(days=364)) == (0, 0)


def a_link(number: int = 1, **given: Any) -> Link:
    due = T0 + timedelta(hours=given.get("due", 10))

    def at(name: str) -> datetime | None:
        return T0 + timedelta(hours=given[name]) if name in given else None

    reached = given.get("reached", ())
    return Link(
        id=f"link-{number}",
        case_id="case-1",
        rule="L06b",
        edition="e1",
        trigger_id=event_id(given.get("trigger", 99)),
        agency=given.get("agency", "le"),
        role="officer",
        urgency="immediate",
        opened_at=T0,
        due_at=due,
        lag_s=0,
        state=given.get("state", LinkState.SATISFIED if "ended" in given else LinkState.OPENED),
        overdue=0 in reached,
        steps=tuple(Step(n, due + timedelta(hours=n), "le", "sergeant", n in reached) for n in range(3)),
        notified_at=at("notified"),
        acknowledged_at=at("acknowledged"),
        ended_at=at("ended"),
    )


def test_links_are_judged_per_owing_agency() -> None:
    links = [
        a_link(1, acknowledged=5, ended=30, reached=(0, 1, 2)),
        a_link(2, ended=8),
        a_link(3, reached=(0, 1)),
        a_link(4, state=LinkState.WAIVED, ended=4),
        a_link(5, agency="adv", due=24 * 600),
    ]
    found = tally([fact(1, "call.closed")], links)
    assert (found.shares["acknowledged_on_time", "le"].count, found.shares["acknowledged_on_time", "le"].of) == (2, 3)
    assert (found.shares["overdue", "le"].count, found.shares["overdue", "le"].of) == (2, 4)
    assert (found.shares["escalations", "le"].count, found.shares["escalations", "le"].of) == (3, 1)
    assert ("overdue", "adv") not in found.shares
    assert sorted(found.spreads["overdue_for", "le"].counts) == [20 * 3600, 500 * 86400 - 10 * 3600]


def test_indicators_have_names_of_their_own_and_say_what_they_count() -> None:
    assert len({one.key for one in INDICATORS}) == len(INDICATORS)
    assert all(one.counts and one.source for one in INDICATORS)
    assert all(one.of for one in INDICATORS if one.unit is not Unit.COUNT)


def test_a_name_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownIndicator, match="did you mean arrest_rate"):
        named(["arest_rate"])


def test_the_document_tells_every_indicator_as_it_is() -> None:
    document = Path("docs/indicators.md").read_text(encoding="utf-8")
    for one in INDICATORS:
        assert f"| `{one.key}` | {one.title}" in document
        assert f"| {one.unit.value} | {one.counts} | {one.of or '–'} |" in document
