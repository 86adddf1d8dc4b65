"""What policies can speak of: the event types of the contract, their open fields, and who publishes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ccr_events.agencies import Agency
from ccr_events.labels import Mark
from ccr_events.policy.problems import Report, listed, nearest
from ccr_events.registry import EventType

ANSWERS = frozenset({"link.acknowledged", "link.completed"})
"""What the owing agency may say of a link itself; they speak to their own link only."""


class Kind(StrEnum):
    """What values a field takes, as far as a condition can ask."""

    CHOICE = "one of a list of words"
    FLAG = "true or false"
    NUMBER = "a number"
    INSTANT = "an instant"
    TEXT = "text"
    GROUP = "a group of fields"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an event type."""

    path: tuple[str, ...]
    kind: Kind
    choices: tuple[str, ...]
    many: tuple[bool, ...]
    """For each step of the path, whether it is a list."""
    sealed: bool
    required: bool


@dataclass(frozen=True)
class Vocabulary:
    """The event types policies may name."""

    types: Mapping[str, EventType]

    def known(self, name: str, report: Report) -> EventType | None:
        """The type, or None with the reason in the report."""
        found = self.types.get(name)
        if found is None:
            report.say(f"no event type is called {name}", nearest(name, self.types) or "see schemas/ for all types")
        elif not found.logged:
            report.say(f"{name} never stands on the log, so nothing can follow from it", "name the act behind it")
            return None
        return found

    def field(self, types: Iterable[str], name: str, report: Report) -> Field | None:
        """The open field `name` (dots lead into groups) of any of the types; None with the reason in the report."""
        known = [self.types[t] for t in types if t in self.types]
        found = [field for t in known if (field := self._fields.get((t.name, name))) is not None]
        if not found:
            names = {
                path for t in known for (owner, path), f in self._fields.items() if owner == t.name and not f.sealed
            }
            where = " or ".join(t.name for t in known)
            report.say(f"{where} has no field {name}", nearest(name, names) or f"its fields: {listed(names)}")
            return None
        opened = [f for f in found if not f.sealed]
        if not opened:
            report.say(
                f"{name} is sealed: no policy can decide on it",
                f"decide on a flag instead; open fields: {listed(self._open(known))}",
            )
            return None
        if len({(f.kind, f.many) for f in opened}) > 1:
            report.say(
                f"{name} means different things in {listed(t.name for t in known)}", "write a rule for each type"
            )
            return None
        choices = tuple(dict.fromkeys(c for f in opened for c in f.choices))
        required = all(f.required for f in opened) and len(opened) == len(known)
        first = opened[0]
        return Field(first.path, first.kind, choices, first.many, False, required)

    def _open(self, known: Iterable[EventType]) -> set[str]:
        names = {t.name for t in known}
        shared = {"references", "parties"}
        return {
            path
            for (owner, path), f in self._fields.items()
            if owner in names and not f.sealed and path.partition(".")[0] not in shared
        }

    @cached_property
    def _fields(self) -> Mapping[tuple[str, str], Field]:
        """(type, dotted path) → field, for every field that exists."""
        return {
            (name, ".".join(field.path)): field
            for name, event_type in self.types.items()
            for field in _fields_of(event_type.model, (), (), False, True)
        }


def may_publish(event_type: EventType, agency: Agency | str) -> bool:
    """Whether events of the type can come from the agency; the backbone's own count as the tracking entity's."""
    return agency in event_type.publishers or (not event_type.publishers and agency == Agency.CCR)


def _fields_of(
    model: type[BaseModel], above: tuple[str, ...], many: tuple[bool, ...], sealed: bool, required: bool
) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        needed = required and info.is_required()
        yield from _field(name, info.annotation, _is_sealed(info, sealed), above, many, needed)
    for name, computed in model.model_computed_fields.items():
        marks = [m for m in get_args(computed.return_type)[1:] if isinstance(m, Mark)]
        hidden = sealed or any(m.sealed for m in marks)
        yield from _field(name, computed.return_type, hidden, above, many, required)


def _field(
    name: str, annotation: Any, sealed: bool, above: tuple[str, ...], many: tuple[bool, ...], required: bool
) -> Iterator[Field]:
    inner, is_list = _stripped(annotation)
    path, lists = (*above, name), (*many, is_list)
    kind, choices = _kind(inner)
    yield Field(path, kind, choices, lists, sealed, required)
    if kind is Kind.GROUP and isinstance(inner, type) and len(path) < 4:
        yield from _fields_of(inner, path, lists, sealed, required)


def _is_sealed(info: FieldInfo, above: bool) -> bool:
    return above or any(isinstance(m, Mark) and m.sealed for m in info.metadata)


def _stripped(annotation: Any) -> tuple[Any, bool]:
    """The type inside `Annotated`, `| None` and a list, and whether there was a list."""
    is_list = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            inner = [a for a in get_args(annotation) if a is not type(None)]
            if len(inner) != 1:
                return object, is_list
            annotation = inner[0]
        elif origin in (tuple, list, frozenset, set):
            is_list, annotation = True, get_args(annotation)[0]
        else:
            return annotation, is_list


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    if not isinstance(annotation, type):
        return Kind.TEXT, ()
    if issubclass(annotation, Enum):
        return Kind.CHOICE, tuple(str(member.value) for member in annotation)
    if issubclass(annotation, BaseModel):
        return Kind.GROUP, ()
    if issubclass(annotation, bool):
        return Kind.FLAG, ()
    if issubclass(annotation, (int, float)):
        return Kind.NUMBER, ()
    if issubclass(annotation, (datetime, date)) or annotation.__name__ == "AwareDatetime":
        return Kind.INSTANT, ()
    return Kind.TEXT, ()
