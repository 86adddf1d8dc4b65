"""What of an event decides where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ccr_events.core import moves
from ccr_events.envelope import Event
from services.engine.transaction import ReferenceKey
from services.identity.persons import Person

_MOVES = (moves.MERGED, moves.SPLIT)
_NAMING = ("referral", "order_event")
"""Payload fields that hold the id of another event of the same case."""


class Incoming(NamedTuple):
    """One event at the door, validated."""

    event_id: str
    type: str
    agency: str
    case_id: str | None
    """As the publisher gave it."""
    corrects: str | None
    named_events: tuple[str, ...]
    """Ids of events it answers or follows from."""
    references: tuple[ReferenceKey, ...]
    persons: tuple[Person, ...]
    link_id: str | None
    """The link a `link.*` event is about."""
    into: str | None
    """The other case, of a merge or split."""
    moved: frozenset[tuple[str, str]] = frozenset()
    """(kind, number) of the references that a split moves."""


def incoming(event: Event, agency: str, open_data: Mapping[str, Any], persons: tuple[Person, ...]) -> Incoming:
    """From a validated event and its open skeleton."""
    named = [open_data[name] for name in _NAMING if name in open_data]
    if event.causation_id is not None:
        named.append(event.causation_id)
    moving = event.type in _MOVES
    moved = open_data.get("moved")
    return Incoming(
        event_id=event.id,
        type=event.type,
        agency=agency,
        case_id=event.case_id,
        corrects=event.corrects,
        named_events=tuple(named),
        references=tuple(
            [ReferenceKey(r["kind"], r["number"], r.get("issuer", "")) for r in open_data.get("references", ())]
        ),
        persons=persons,
        link_id=open_data.get("link_id") if event.type.startswith("link.") else None,
        into=open_data.get("into") if moving else None,
        moved=frozenset([(r["kind"], r["number"]) for r in moved]) if moved else frozenset(),
    )
