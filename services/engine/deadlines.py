"""The deadlines of a link: its steps that have not been reached. Pure; an engine only has to store the link."""

from __future__ import annotations

from datetime import datetime

from ccr_events.core.model import Link, Step
from services.engine.transaction import Deadline


def pending(link: Link) -> list[Deadline]:
    """One per step not yet reached. Once the link has ended nobody is called any more, but an act that was done late
    is still owed the word that it was late, also when no timer ran at the time: then its due time is pending."""
    return [Deadline(link.id, link.case_id, step.number, step.at) for step in pending_steps(link)]


def pending_steps(link: Link) -> list[Step]:
    """The steps of `pending`."""
    if not link.state.ended:
        return [step for step in link.steps if not step.reached]
    ended_at = link.ended_at
    if ended_at is None:
        return []
    return [step for step in link.steps if step.number == 0 and not step.reached and step.at < ended_at]


def next_of(link: Link) -> datetime | None:
    """The earliest of them."""
    return min((step.at for step in pending_steps(link)), default=None)


def firing_order(deadline: Deadline) -> tuple[datetime, str, int]:
    """In what order deadlines fire: by instant, then link id, then step."""
    return (deadline.at, deadline.link_id, deadline.step)
