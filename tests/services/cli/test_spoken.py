"""How alerts and links read: what is owed, by whom, due when, how overdue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ccr_events.envelope import transition_event
from services.cli.link_rows import link_details, link_row
from services.cli.spoken import agency_name, alert_text, due_words, local_time, span_text
from tests.support.envelopes import TRANSITION

DUE = datetime(2026, 3, 1, 23, tzinfo=UTC)
LINK = {
    "id": "3f2a91c0-0000-5000-8000-000000000001",
    "case_id": "case-18",
    "rule": "L17",
    "rule_title": "Notice before release",
    "action": "Reach the victim before the door opens.",
    "agency": "jail",
    "role": "release desk",
    "urgency": "immediate",
    "state": "opened",
    "opened_at": "2026-03-01T22:15:00Z",
    "due_at": "2026-03-01T23:00:00Z",
    "references": [{"kind": "booking_no", "number": "B-17"}],
    "steps": [
        {"number": 1, "at": "2026-03-01T23:30:00Z", "agency": "jail", "role": "watch commander", "reached": True}
    ],
}


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=9), "9 s"),
        (timedelta(minutes=25, seconds=59), "25 min"),
        (timedelta(hours=3, minutes=5), "3 h 5 min"),
        (timedelta(hours=-2), "2 h"),
        (timedelta(days=2, hours=4, minutes=9), "2 d 4 h"),
        (timedelta(0), "0 s"),
    ],
)
def test_spans(span: timedelta, words: str) -> None:
    assert span_text(span) == words


def test_a_time_of_another_year_names_it() -> None:
    assert " 2013 " in local_time(datetime(2013, 12, 17, 15, 30, tzinfo=UTC))
    assert str(datetime.now(UTC).year) not in local_time(datetime.now(UTC))


def test_what_is_due_says_how_far_off() -> None:
    words = due_words(LINK, DUE - timedelta(minutes=95)).plain
    assert words == f"due {local_time(DUE)}, in 1 h 35 min"


def test_what_is_overdue_says_by_how_much() -> None:
    assert due_words(LINK, DUE + timedelta(minutes=25)).plain == f"was due {local_time(DUE)}, overdue by 25 min"


def test_what_was_done_late_says_so() -> None:
    done = {**LINK, "state": "satisfied", "ended_at": "2026-03-02T00:10:00Z"}
    assert due_words(done, DUE).plain.endswith(", 1 h 10 min late")
    waived = {**done, "state": "waived"}
    assert "late" not in due_words(waived, DUE).plain


def test_what_has_no_deadline_says_so() -> None:
    assert due_words({"state": "opened"}, DUE).plain == "no deadline"


def test_an_escalated_alert_names_who_hears_and_who_owes() -> None:
    event = transition_event(TRANSITION)
    event["data"] = {**event["data"], "rule_title": "Notice before release", "action": "Reach the victim."}
    text = alert_text(event, DUE + timedelta(minutes=30)).plain
    assert "jail · watch_commander is told (step 1): jail · release_desk owes: Notice before release" in text
    assert "owed: Reach the victim." in text
    assert "overdue by 30 min" in text
    assert "booking_no B-17" in text


def test_a_receipt_does_not_repeat_what_is_to_be_done() -> None:
    event = {**transition_event(TRANSITION), "type": "link.notified"}
    event["data"] = {**event["data"], "action": "Reach the victim."}
    assert "Reach the victim." not in alert_text(event, DUE).plain


@pytest.mark.parametrize(
    "kind",
    [
        "opened",
        "notified",
        "acknowledged",
        "satisfied",
        "waived",
        "overdue",
        "escalated",
        "cancelled",
        "reopened",
        "rescheduled",
        "another",
    ],
)
def test_every_kind_reads_as_a_sentence(kind: str) -> None:
    event = {**transition_event(TRANSITION), "type": f"link.{kind}"}
    first, *_ = alert_text(event, DUE).plain.splitlines()
    assert kind.upper() in first
    assert "release-notice" in first


def test_a_row_and_a_full_link_show_the_same_link() -> None:
    row = [str(cell) for cell in link_row(LINK, DUE)]
    assert row[0] == "3f2a91c0"
    assert "jail · release desk" in row
    details = {name: str(value) for name, value in link_details(LINK, DUE)}
    assert details["action"] == LINK["action"]
    assert details["step 1"].endswith("jail · watch commander  (reached)")


def test_an_agency_of_another_county_keeps_its_id() -> None:
    assert agency_name("adv") == "advocacy"
    assert agency_name("tribal") == "tribal"
