"""Which transition of a link is its newest, and what its row says then.

Transitions of one case come in the order in which they were told; they count by their offset. A link that a merge or a
split took to another case is told of there, on another partition, and what the two partitions bring may come in any
order: between them the instant counts at which the causing event was recorded. So it does between what a repartition
copied and what came after it: a copy counts where it was told first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from msgspec.json import Decoder
from sqlalchemy import Connection, select

from ccr_events.core import moves
from ccr_events.core.handover import LINKS as HANDED_ON
from ccr_events.core.model import Fact, Link, LinkState, Transition, TransitionKind
from services.engine.sql.database import inserting
from services.engine.sql.links import link_row
from services.engine.sql.tables import LINKS

AT_ONCE = 500
"""Links looked up by one statement."""
_PLACE = ("origin", "next_offset", "told_at", "held_by", "held_at", "gone")
_read_links = Decoder(list[Link]).decode


@dataclass(frozen=True, slots=True)
class Told:
    """One transition as it came from `ccr.links`."""

    offset: int
    case_id: str
    """The record's key: the case whose view tells it."""
    transition: Transition
    recorded_at: datetime
    """Of the causing event."""
    alerting: bool
    """False when it comes from backfilled history."""
    cause: int = 0
    """Offset of the causing event in its partition of `ccr.events`: what is said of a link is newer by it, also when a
    worker says it again."""
    origin: str = ""
    """Topic and partition where it was told first, when a repartition copied it: `cause` counts there."""

    @property
    def link(self) -> Link:
        """As it is afterwards."""
        return self.transition.link


@dataclass(frozen=True, slots=True)
class Untold:
    """A link that changed without a transition, as it came from `ccr.links`."""

    offset: int
    case_id: str
    """The case whose view holds it."""
    link: Link
    recorded_at: datetime
    cause: int = 0
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A link that its case holds no more and said nothing of, as it came from `ccr.links`: another case has it."""

    offset: int
    case_id: str
    link_id: str
    recorded_at: datetime
    cause: int = 0
    origin: str = ""


Said = Told | Untold | Dropped
"""One record of `ccr.links`."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A link that a move took to another case, as it was told last."""

    link: Link
    case_id: str
    """The case that holds it from now on."""
    recorded_at: datetime
    """When the move was recorded."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What is known of a link besides what it says."""

    origin: str
    """Topic and partition of the transition that left it so."""
    next_offset: int
    told_at: datetime
    held_by: str
    held_at: datetime
    gone: bool
    link: Link | None = None
    """None: as it is stored."""


def put_said(connection: Connection, said: Sequence[Said], origin: str) -> None:
    """Bring the rows of these links up to date. `said`: in the order of their offsets, no transition known before."""
    before = _rows(connection, {_link_id(one) for one in said})
    after = dict(before)
    for one in said:
        link_id, place = _link_id(one), one.origin or origin
        row = (
            _dropped(after.get(link_id), one, place)
            if isinstance(one, Dropped)
            else _told(after.get(link_id), one, place)
        )
        if row is not None:
            after[link_id] = row
    _store(connection, before, after)


def put_handed(connection: Connection, handed: Sequence[Handed], origin: str) -> None:
    """Note where these links are held now."""
    before = _rows(connection, {one.link.id for one in handed})
    after = dict(before)
    for one in handed:
        after[one.link.id] = _handed(after.get(one.link.id), one, origin)
    _store(connection, before, after)


def handed_by(facts: Iterable[Fact]) -> list[Handed]:
    """The links that moved with these facts: a case that is merged or split sends them along, and gets them back when
    that is undone."""
    found: list[Handed] = []
    for fact in facts:
        if fact.type not in (moves.ABSORBED, moves.ABSORPTION_ENDED) or HANDED_ON not in fact.data:
            continue
        holder = fact.case_id if fact.type == moves.ABSORBED else fact.data["origin_case"]
        found += [Handed(link, holder, fact.recorded_at) for link in _read_links(fact.data[HANDED_ON])]
    return found


def _link_id(one: Said) -> str:
    return one.link_id if isinstance(one, Dropped) else one.link.id


def _told(row: _Row | None, one: Told | Untold, origin: str) -> _Row:
    link, at = one.link, one.recorded_at
    gone = link.state is LinkState.CANCELLED
    if row is None:
        return _Row(origin, one.cause + 1, at, one.case_id, at, gone, link)
    if row.origin == origin:
        newer = one.cause + 1 >= row.next_offset
    else:
        newer = at > row.told_at or (at == row.told_at and one.case_id != link.case_id)
    held_by, held_at = row.held_by, row.held_at
    if _is_held(one) and at >= held_at and (newer or row.origin != origin):
        newer = newer or row.gone
        held_by, held_at = one.case_id, at
    if newer:
        return _Row(origin, one.cause + 1, max(at, row.told_at), held_by, held_at, gone, link)
    return replace(row, held_by=held_by, held_at=held_at)


def _dropped(row: _Row | None, one: Dropped, origin: str) -> _Row | None:
    """The row where the case holds it, as far as known."""
    if row is None or row.held_by != one.case_id or one.recorded_at < row.held_at:
        return row
    if row.origin == origin and one.cause + 1 < row.next_offset:
        return row
    return replace(row, held_at=one.recorded_at, gone=True)


def _is_held(one: Told | Untold) -> bool:
    """Whether the case says that it holds the link: told anew, or changed unheard."""
    return isinstance(one, Untold) or one.transition.kind is TransitionKind.OPENED


def _handed(row: _Row | None, one: Handed, origin: str) -> _Row:
    at = one.recorded_at
    if row is None:  # what was told of it before has not come yet
        return _Row(origin, 0, at, one.case_id, at, one.link.state is LinkState.CANCELLED, one.link)
    if at < row.held_at:
        return row
    return replace(row, held_by=one.case_id, held_at=at)


def _rows(connection: Connection, link_ids: Collection[str]) -> dict[str, _Row]:
    wanted, found = sorted(link_ids), dict[str, _Row]()
    columns = [LINKS.c[name] for name in _PLACE]
    for first in range(0, len(wanted), AT_ONCE):
        query = select(LINKS.c.link_id, *columns).where(LINKS.c.link_id.in_(wanted[first : first + AT_ONCE]))
        found |= {link_id: _Row(*place) for link_id, *place in connection.execute(query)}
    return found


def _store(connection: Connection, before: Mapping[str, _Row], after: Mapping[str, _Row]) -> None:
    changed = {link_id: row for link_id, row in after.items() if row != before.get(link_id)}
    said = [link_row(row.link) | _place(row) for row in changed.values() if row.link is not None]
    moved = [_place(row) | {"link_id": link_id} for link_id, row in changed.items() if row.link is None]
    if said:
        statement = inserting(connection.dialect.name, LINKS)
        others = {c.name: statement.excluded[c.name] for c in LINKS.columns if not c.primary_key}
        connection.execute(statement.on_conflict_do_update(index_elements=["link_id"], set_=others), said)
    for row in moved:
        over = {"open": False, "pending": 0, "next_at": None} if row["gone"] else {}
        connection.execute(LINKS.update().where(LINKS.c.link_id == row.pop("link_id")).values(row | over))


def _place(row: _Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _PLACE}
