"""Links as their newest transitions left them. Implements `services.engine.transaction.LinkStore` for reading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from ccr_events.core.codec import decode_link, encode_link
from ccr_events.core.model import Link, LinkState
from services.engine.deadlines import pending_steps
from services.engine.sql.absent import no_link_is_changed
from services.engine.sql.session import Executing
from services.engine.sql.tables import LINKS


class SqlLinks:
    """Links of one transaction; `services.engine.sql.link_rows` changes them."""

    def __init__(self, reading: Executing) -> None:
        self._reading = reading

    def get(self, link_id: str) -> Link | None:
        """One link."""
        body = self._reading.execute(bodies().where(LINKS.c.link_id == link_id)).scalar_one_or_none()
        return None if body is None else decode_link(body)

    def held_by(self, case_id: str) -> dict[str, Link]:
        """The links the case holds now, by link id."""
        links = [decode_link(body) for (body,) in self._reading.execute(bodies().where(LINKS.c.held_by == case_id))]
        return {link.id: link for link in links}

    def put(self, case_id: str, links: Iterable[Link]) -> None:
        """Refused."""
        no_link_is_changed(case_id, links)

    def remove(self, case_id: str, link_ids: Iterable[str]) -> None:
        """Refused."""
        no_link_is_changed(case_id, link_ids)


def bodies() -> Select[bytes]:
    """Of the links that there are."""
    return select(LINKS.c.body).where(~LINKS.c.gone)


def link_row(link: Link) -> dict[str, Any]:
    """What a row of `store_links` says of the link itself."""
    steps = pending_steps(link)
    return {
        "link_id": link.id,
        "agency": link.agency,
        "rule": link.rule,
        "open": not link.state.ended,
        "gone": link.state is LinkState.CANCELLED,
        "due_at": link.due_at,
        "overdue": link.overdue,
        "escalated": link.escalated_to > 0,
        "pending": len(steps),
        "next_at": min((step.at for step in steps), default=None),
        "body": encode_link(link),
    }
