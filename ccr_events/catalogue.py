"""Every event type of the contract, found by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import ccr_events.types  # noqa: F401  # declares them all
from ccr_events.registry import EventType, declared


class UnknownEventType(LookupError):
    """No such event type; the message names the nearest known ones."""


def event_types() -> Mapping[str, EventType]:
    """All types by name."""
    return declared()


def event_type_named(name: str) -> EventType:
    """The type called `name`; raises `UnknownEventType` with suggestions."""
    types = declared()
    try:
        return types[name]
    except KeyError:
        near = get_close_matches(name, types, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownEventType(f"unknown event type {name!r}{hint}") from None
