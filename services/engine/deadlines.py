"""The deadlines of a link: its steps that have not been reached. Pure; an engine only has to store the link."""

from __future__ import annotations

from datetime import datetime

from ccr_events.core.model import Link
from services.engine.transaction import Deadline


def pending(link: Link) -> list[Deadline]:
    """One per step not yet reached, none once the link has ended."""
    if link.state.ended:
        return []
    return [Deadline(link.id, link.case_id, step.number, step.at) for step in link.steps if not step.reached]


def next_of(link: Link) -> datetime | None:
    """The earliest of them."""
    return min((deadline.at for deadline in pending(link)), default=None)


def firing_order(deadline: Deadline) -> tuple[datetime, str, int]:
    """In what order deadlines fire: by instant, then link id, then step."""
    return (deadline.at, deadline.link_id, deadline.step)
