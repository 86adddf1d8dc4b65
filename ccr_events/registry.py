"""How an event type is declared, once, beside its payload:

    @event_type("arrest.made", publishers=(Agency.LE,))
    class ArrestMade(Payload): ...

`ccr_events.catalogue` finds the declared types by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from ccr_events.agencies import Agency
from ccr_events.payload import Payload

P = TypeVar("P", bound=type[Payload])


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type of the contract."""

    name: str
    version: int
    """Schema version of the payload; raised with an upcaster, see `ccr_events.upcast`."""
    model: type[Payload]
    publishers: frozenset[Agency]
    """Agencies that may publish it; empty for types only the backbone itself writes."""
    victim_act: bool
    """True when the act is the victim's own; such a type never satisfies a protocol link."""
    summary: str
    """First line of the payload's docstring."""
    logged: bool = True
    """False for what the shared log never holds: transitions of links, and an advocacy program's own records."""


_declared: dict[str, EventType] = {}


def event_type(
    name: str,
    *,
    publishers: tuple[Agency, ...],
    version: int = 1,
    victim_act: bool = False,
    logged: bool = True,
) -> Callable[[P], P]:
    """Declare the payload class below as event type `name`."""

    def declare(model: P) -> P:
        if name in _declared:
            raise ValueError(f"event type {name} is declared twice")
        summary = (model.__doc__ or "").strip().partition("\n")[0]
        _declared[name] = EventType(name, version, model, frozenset(publishers), victim_act, summary, logged)
        return model

    return declare


def declared() -> Mapping[str, EventType]:
    """The types declared so far, by name; use `ccr_events.catalogue` for all of them."""
    return MappingProxyType(_declared)
