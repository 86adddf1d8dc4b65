"""Who may see which link and which transition. `ccr`, the tracking entity, sees all of them."""

from __future__ import annotations

from ccr_events.agencies import Agency
from ccr_events.core.model import Link, Transition


def may_see(agency: str, transition: Transition) -> bool:
    """An agency sees what is addressed to it and what becomes of the acts it owes."""
    return agency in (Agency.CCR, transition.to_agency, transition.link.agency)


def may_see_link(agency: str, link: Link) -> bool:
    """An agency sees the links it owes and those whose escalation has reached it."""
    return agency in (Agency.CCR, link.agency) or any(s.agency == agency for s in link.steps if s.reached)
