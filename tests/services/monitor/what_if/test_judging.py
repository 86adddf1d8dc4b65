"""History under a draft: what would have been asked, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ccr_events.core.ids import derived
from ccr_events.core.model import Fact
from ccr_events.policy import load_policies
from ccr_events.policy.draft import DraftBook, read_drafts
from services.monitor.what_if.judging import Compared, compared
from services.monitor.what_if.report import Outcome
from services.monitor.what_if.words import length, sentences
from tests.support.drafts import newer

BOOK = load_policies()
T0 = datetime.fromisoformat("2026-03-02T18:00:00+00:00")
LATER = T0 + timedelta(days=30)


def book(old: str, new: str) -> DraftBook:
    assert old in newer()
    return DraftBook(BOOK, read_drafts([("draft.yaml", newer().replace(old, new, 1).encode())], BOOK))


SHORTER = book("within: 1 h", "within: 30 min")


def at(minutes: float, type_: str, number: int = 1, *, case: str = "case-1", late: float = 0, **data: object) -> Fact:
    when = T0 + timedelta(minutes=minutes)
    recorded = when + timedelta(minutes=late)
    agency = {"referral.advocacy_sent": "le", "arrest.made": "le"}.get(type_, "ccr")
    references = [{"kind": "incident_no", "number": "26-0101"}]
    return Fact(
        derived(case, str(number)),
        type_,
        agency,
        case,
        when,
        recorded,
        BOOK.edition_at(recorded).id,
        {"references": references, **data},
    )


def links(
    facts: Sequence[Fact], drafted: DraftBook, since: datetime | None = None, as_of: datetime = LATER
) -> list[Compared]:
    return list(compared("case-1", {f.id: f for f in facts}, drafted, since, as_of))


def of_rule(rule: str, found: list[Compared]) -> Compared:
    return next(link for link in found if link.rule == rule)


ARREST = at(0, "arrest.made", dv="yes")


def test_a_shorter_deadline_moves_the_due_time_and_makes_an_act_late() -> None:
    call = at(45, "referral.advocacy_sent", 2, urgency="scene", reason="arrest")
    link = of_rule("L06a", links([ARREST, call], SHORTER))
    assert link.kind == "deadline"
    assert link.before is not None and link.after is not None  # noqa: PT018
    assert (link.before.due_at, link.after.due_at) == (T0 + timedelta(hours=1), T0 + timedelta(minutes=30))
    assert (link.before.overdue, link.after.overdue) == (False, True)
    assert link.after.steps >= link.before.steps
    assert link.before.state == link.after.state == "satisfied"


def test_other_links_stay_as_they_are() -> None:
    found = links([ARREST], SHORTER)
    assert {link.kind for link in found if link.rule != "L06a"} == {"same"}


def test_nothing_is_late_before_its_time() -> None:
    link = of_rule("L06a", links([ARREST], SHORTER, as_of=T0 + timedelta(minutes=29)))
    assert link.after is not None
    assert not link.after.overdue


def test_an_open_link_is_judged_by_the_time_asked_about_not_by_the_log() -> None:
    before = of_rule("L06a", links([ARREST], SHORTER)).before
    assert before is not None
    assert before.overdue
    assert before.steps > 0


def test_the_draft_may_begin_later() -> None:
    again = at(60 * 48, "arrest.made", 3, dv="yes")
    found = [x for x in links([ARREST, again], SHORTER, since=T0 + timedelta(days=1)) if x.rule == "L06a"]
    assert sorted((link.opened_at, link.kind) for link in found) == [
        (T0, "same"),
        (T0 + timedelta(days=2), "deadline"),
    ]


def test_a_rule_taken_out_or_put_in_removes_and_adds_links() -> None:
    renamed = book("key: L06a", "key: L60a")
    kinds = {link.rule: link.kind for link in links([ARREST], renamed)}
    assert (kinds["L06a"], kinds["L60a"]) == ("removed", "added")
    outcome = Outcome()
    for _ in range(6):
        outcome.take(links([ARREST], renamed), 1)
    told = "\n".join(sentences(outcome, renamed, 6))
    assert "(not in the draft)" in told
    assert "(new in the draft)" in told


def test_an_answer_counts_for_the_link_that_keeps_its_id() -> None:
    link_id = of_rule("L06a", links([ARREST], SHORTER)).link_id
    said = at(10, "link.acknowledged", 5, link_id=link_id, role="arresting officer")
    said = Fact(said.id, said.type, "le", said.case_id, said.occurred_at, said.recorded_at, said.edition, said.data)
    link = of_rule("L06a", links([ARREST, said], SHORTER))
    assert link.before is not None and link.after is not None  # noqa: PT018
    assert link.before.state == link.after.state == "acknowledged"


def outcome_of(cases: int) -> Outcome:
    whole = Outcome()
    for n in range(cases):
        part = Outcome()
        facts = [
            at(0, "arrest.made", 1, case=f"case-{n}", dv="yes"),
            at(45 if n < 7 else 20, "referral.advocacy_sent", 2, case=f"case-{n}", urgency="scene", reason="arrest"),
        ]
        part.take(list(compared(f"case-{n}", {f.id: f for f in facts}, SHORTER, None, LATER)), len(facts))
        whole.merge(part)
    return whole


def test_the_summary_is_plain_and_hides_small_numbers() -> None:
    (head, line) = sentences(outcome_of(20), SHORTER, 6)
    assert head == "patrol 1.3.0, tried on 20 cases and 40 events: 20 cases would have gone otherwise."
    assert "20 of 20 would be due earlier, with 30 minutes to act instead of 60 minutes (median)." in line
    assert "Late: 7 of 20 would have been, <6 of 20 were." in line
    hidden = "\n".join(sentences(outcome_of(3), SHORTER, 6))
    assert "<6 cases would have gone otherwise" in hidden
    assert "median" not in hidden


def test_examples_are_few_and_name_cases_that_change() -> None:
    (_, _, row) = next(one for one in outcome_of(20).changed() if one[0] == "L06a")
    assert row.examples == ["case-0", "case-1", "case-2"]


def test_lengths_in_words() -> None:
    spans = [timedelta(minutes=30), timedelta(hours=1), timedelta(hours=36), timedelta(days=3)]
    assert [length(span) for span in spans] == ["30 minutes", "60 minutes", "36 hours", "3 days"]
