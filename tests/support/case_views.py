"""Views made by hand, with links and steps at chosen minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ccr_events.core.fold import arranged
from ccr_events.core.model import Fact, Link, LinkState, Step
from ccr_events.core.view import CaseView
from services.engine.deadlines import firing_order, pending
from services.engine.transaction import Deadline

T0 = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def minute(number: int) -> datetime:
    """So many minutes after T0."""
    return T0 + timedelta(minutes=number)


def fact_of_case(case_id: str, number: int, text: str = "") -> Fact:
    """The case's fact of that number."""
    at = minute(number)
    return Fact(f"{case_id} fact {number}", "arrest.made", "le", case_id, at, at, "e1", {"text": text})


def link_of_case(case_id: str, number: int, *steps: int, ended: bool = False) -> Link:
    """A link whose steps are at these minutes."""
    return Link(
        id=f"{case_id} link {number}",
        case_id=case_id,
        rule="rule",
        edition="e1",
        trigger_id=f"{case_id} fact {number}",
        agency="le",
        role="patrol",
        urgency="now",
        opened_at=T0,
        due_at=minute(steps[0]) if steps else None,
        lag_s=0,
        state=LinkState.SATISFIED if ended else LinkState.OPENED,
        overdue=False,
        steps=tuple(Step(each, minute(at), "le", "patrol") for each, at in enumerate(steps)),
        ended_at=T0 if ended else None,
    )


def view_with(case_id: str, facts: int, *links: Link, text: str = "") -> CaseView:
    """A view of so many facts and these links."""
    held = {fact.id: fact for fact in (fact_of_case(case_id, number, text) for number in range(facts))}
    return CaseView(case_id, held, {link.id: link for link in links}, *arranged(held))


def deadlines_of(*views: CaseView) -> list[Deadline]:
    """Everything pending in these views, in firing order."""
    return sorted((each for view in views for link in view.links.values() for each in pending(link)), key=firing_order)
