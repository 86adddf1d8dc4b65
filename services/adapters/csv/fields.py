"""What a dotted path names in an event type: `parties[0].name.surname`, `charges[*].nibrs`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from ccr_events.labels import Mark

EVERY = "*"
"""Step of a path: one entry of a list from each column or part of a cell."""
MAX_INDEX = 64
Step = str | int
_STEP = re.compile(r"([a-z][a-z0-9_]*)((?:\[(?:\d{1,2}|\*)\])*)")
_INDEX = re.compile(r"\[(\d{1,2}|\*)\]")


class UnknownField(LookupError):
    """A path that the event type does not have."""

    def __init__(self, message: str, known: frozenset[str] = frozenset(), word: str = "") -> None:
        super().__init__(message)
        self.known = known
        """Names that may stand where the path goes astray."""
        self.word = word
        """What stands there."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field that holds a value."""

    steps: tuple[Step, ...]
    kind: type
    """`str`, `int`, `bool`, `date`, `datetime` or an enumeration."""
    sealed: bool
    """Whether the contract seals it: its words are then never shown."""


def steps_of(path: str) -> tuple[Step, ...]:
    """A path taken apart; raises `UnknownField` when it is not written like one."""
    steps: list[Step] = []
    for part in path.split("."):
        found = _STEP.fullmatch(part)
        if found is None:
            raise UnknownField("is not written like a field: names parted by dots, lists with [0], [1] … or [*]")
        steps.append(found[1])
        steps += [index if index == EVERY else int(index) for index in _INDEX.findall(found[2])]
    if steps.count(EVERY) > 1:
        raise UnknownField("has more than one [*]")
    if any(isinstance(step, int) and step >= MAX_INDEX for step in steps):
        raise UnknownField(f"has an entry beyond the {MAX_INDEX} that a list may have")
    return tuple(steps)


def leaf_at(model: type[BaseModel], path: str) -> Leaf:
    """The field; raises `UnknownField`."""
    steps = steps_of(path)
    places: list[Any] = [model]
    sealed = False
    for step in steps:
        if isinstance(step, str) and step != EVERY:
            models = [place for place in places if _is_model(place)]
            infos = [m.model_fields[step] for m in models if step in m.model_fields]
            if not infos:
                known = frozenset(name for m in models for name in m.model_fields)
                raise UnknownField(
                    f"has no field {step}" if models else f"has nothing below, so no {step}", known, step
                )
            sealed = sealed or any(isinstance(m, Mark) and m.sealed for info in infos for m in info.metadata)
            places = [place for info in infos for place in _kinds(info.annotation)]
        else:
            places = [kind for place in places for kind in _entries(place)]
            if not places:
                raise UnknownField("has [ ] where there is no list")
    kinds = [
        place for place in places if isinstance(place, type) and not _is_model(place) and get_origin(place) is None
    ]
    if not kinds:
        several = any(get_origin(place) is tuple for place in places)
        raise UnknownField(
            "is a list: say which entry with [0], or [*]" if several else "has fields below it: name one"
        )
    return Leaf(steps, kinds[0], sealed)


def leaves(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Path of every field of an event type, lists with [0]."""
    for name, info in model.model_fields.items():
        for kind in _kinds(info.annotation):
            yield from _below(kind, f"{before}{name}")


def _below(kind: Any, path: str) -> Iterator[str]:
    entries = list(_entries(kind))
    if entries:
        for entry in entries:
            yield from _below(entry, f"{path}[0]")
    elif _is_model(kind):
        yield from leaves(kind, f"{path}.")
    elif isinstance(kind, type):
        yield path


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation, without None and what is only annotated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin is Literal:
        yield str
    elif origin is tuple or isinstance(annotation, type):
        if annotation is not type(None):
            yield annotation
    else:
        for inner in get_args(annotation):
            yield from _kinds(inner)


def _entries(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is tuple:
        yield from _kinds(get_args(kind)[0])
