"""What a condition asks of one field: compiled against the field's kind, checked against what it can ever hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from ccr_events.core.model import Fact
from ccr_events.policy.problems import Report, listed, nearest
from ccr_events.policy.spans import parse_span
from ccr_events.policy.vocabulary import Field, Kind

Check = Callable[[Any, Fact], bool]
"""(value of the field, the fact it is of) → holds. The value is never None."""

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2999, 12, 1, tzinfo=UTC)
"""Bounds on instants that policies reckon with."""

_RANGES: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "at_least": ("is at least", lambda value, bound: value >= bound),
    "at_most": ("is at most", lambda value, bound: value <= bound),
    "more_than": ("is more than", lambda value, bound: value > bound),
    "less_than": ("is less than", lambda value, bound: value < bound),
}
_SETS = ("any_of", "all_of", "none_of")
_AHEAD = ("ahead_at_least", "ahead_less_than")
OPERATORS = ("present", *_SETS, *_RANGES, *_AHEAD)
"""What may stand under a field instead of a value."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to one field."""

    check: Check | None
    """None: it only asks whether the field is there at all."""
    wanted: bool
    """What `present` asks for; True with a check, which an absent field never passes."""
    words: str


def asked(value: Any, field: Field, report: Report) -> list[Asked]:
    """What a policy asks of a field, or nothing with the reason in the report."""
    name = ".".join(field.path)
    if isinstance(value, Mapping):
        return [q for word, operand in value.items() if (q := _operator(word, operand, field, name, report.at(word)))]
    if any(field.many):
        report.say(f"{name} is a list, so no value is equal to it", f"write  {name}: {{any_of: [...]}}")
        return []
    if isinstance(value, list):
        wanted = frozenset(_values(value, field, name, report))
        return [Asked(lambda v, _: v in wanted, True, f"{name} is {' or '.join(map(_shown, value))}")] if wanted else []
    fitting = list(_values([value], field, name, report))
    if not fitting:
        return []
    only = fitting[0]
    return [Asked(lambda v, _: v == only, True, f"{name} is {_shown(value)}")]


def _operator(word: str, operand: Any, field: Field, name: str, report: Report) -> Asked | None:
    if word == "present":
        if not isinstance(operand, bool):
            report.say("present must be true or false")
            return None
        return Asked(None, operand, f"{name} is {'' if operand else 'not '}known")
    if word in _SETS:
        return _set(word, operand, field, name, report)
    if word in _RANGES:
        return _range(word, operand, field, name, report)
    if word in _AHEAD:
        return _ahead(word, operand, field, name, report)
    report.say(
        f"{word} is nothing one can ask of a field", nearest(word, OPERATORS) or f"one can ask {listed(OPERATORS)}"
    )
    return None


def _set(word: str, operand: Any, field: Field, name: str, report: Report) -> Asked | None:
    if not any(field.many):
        report.say(f"{word} asks of a list, but {name} has one value", f"write  {name}: [...]")
        return None
    if not isinstance(operand, list) or not operand:
        report.say(f"{word} needs a list of values", f"write  {word}: [...]")
        return None
    wanted = frozenset(_values(operand, field, name, report))
    if len(wanted) < len(set(map(repr, operand))):
        return None
    values = ", ".join(map(_shown, operand))
    if word == "any_of":
        return Asked(lambda v, _: not wanted.isdisjoint(v), True, f"{name} has any of {values}")
    if word == "all_of":
        return Asked(lambda v, _: wanted.issubset(v), True, f"{name} has all of {values}")
    return Asked(lambda v, _: wanted.isdisjoint(v), True, f"{name} has none of {values}")


def _range(word: str, operand: Any, field: Field, name: str, report: Report) -> Asked | None:
    if field.kind is not Kind.NUMBER or any(field.many):
        report.say(f"{word} compares numbers, but {name} is {field.kind.value}")
        return None
    if isinstance(operand, bool) or not isinstance(operand, (int, float)):
        report.say(f"{word} needs a number")
        return None
    words, holds = _RANGES[word]
    return Asked(lambda v, _: holds(v, operand), True, f"{name} {words} {operand}")


def _ahead(word: str, operand: Any, field: Field, name: str, report: Report) -> Asked | None:
    if field.kind is not Kind.INSTANT or any(field.many):
        report.say(f"{word} asks how far ahead an instant is, but {name} is {field.kind.value}")
        return None
    try:
        span = parse_span(operand)
    except ValueError as error:
        report.say(f"{word} {error}")
        return None
    ahead = span.elapsed
    if word == "ahead_at_least":
        return Asked(lambda v, f: instant_of(v) - f.occurred_at >= ahead, True, f"{name} is at least {span} ahead")
    return Asked(lambda v, f: instant_of(v) - f.occurred_at < ahead, True, f"{name} is less than {span} ahead")


def instant_of(value: str) -> datetime:
    """The instant of a field of a fact; of a date, its last minute in UTC.

    "Never" is often written as the last day of year 9999: what lies outside `EARLIEST` to `LATEST` counts as those,
    so that reckoning with it cannot overflow.
    """
    if len(value) == len("2026-01-01"):
        at = datetime.combine(date.fromisoformat(value), time(23, 59), UTC)
    else:
        at = datetime.fromisoformat(value)
    if at.year < EARLIEST.year:
        return EARLIEST
    return LATEST if at.year > LATEST.year else at.astimezone(UTC)


def _values(values: list[Any], field: Field, name: str, report: Report) -> Iterator[Any]:
    """The values that the field can take; what it never can goes to the report."""
    for position, value in enumerate(values):
        place = report.at(position) if len(values) > 1 else report
        fault = _fault(value, field, name)
        if fault is None:
            yield value
        else:
            place.say(*fault)


def _fault(value: Any, field: Field, name: str) -> tuple[str, str] | None:
    if field.kind is Kind.CHOICE:
        if isinstance(value, bool) and not {"yes", "no"}.isdisjoint(field.choices):
            return f"{name} is text and not true or false", f'write "{"yes" if value else "no"}", in quotes'
        if not isinstance(value, str):
            return f"{name} is text, and {value!r} is not", f'write it in quotes: "{value}"'
        if value not in field.choices:
            return f"{name} is never {value}", nearest(value, field.choices) or f"it is one of {listed(field.choices)}"
    if field.kind is Kind.FLAG and not isinstance(value, bool):
        return f"{name} is true or false", ""
    if field.kind is Kind.NUMBER and (isinstance(value, bool) or not isinstance(value, (int, float))):
        return f"{name} is a number", ""
    if field.kind is Kind.TEXT and not isinstance(value, str):
        return f"{name} is text", f'write it in quotes: "{value}"'
    if field.kind is Kind.INSTANT:
        return f"{name} is an instant: ask whether it is present or how far ahead it is", f"use {listed(_AHEAD)}"
    if field.kind is Kind.GROUP:
        return f"{name} is a group of fields", f"name one of them: {name}.FIELD"
    return None


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
