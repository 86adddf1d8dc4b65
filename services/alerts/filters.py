"""What a subscriber wants to hear: plain query filters, and the CloudEvents Subscriptions filter dialects.

A filter is checked when the subscription opens, then compiled to closures over the alert's CloudEvent.
Source: CloudEvents Subscriptions API 1.0-wip, section 3.2.4 (exact, prefix, suffix, all, any, not). The `sql`
dialect is refused: no maintained implementation of CloudEvents SQL exists on PyPI.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import orjson

from ccr_events.agencies import Agency
from ccr_events.core.model import Transition, TransitionKind
from services.alerts.frame import ATTRIBUTES

MAX_BYTES = 8_192
"""Longest filter expression, as JSON text."""
MAX_DEPTH = 8
"""Deepest nesting of `all`, `any` and `not`."""
MAX_NODES = 128
"""Most filters in one expression, and most attributes named in it."""
MAX_VALUES = 64
"""Most values of one query parameter."""
MAX_TEXT = 256
"""Longest value compared with, in characters."""

Event = Mapping[str, Any]
Matches = Callable[[Event], bool]
"""Alert as a CloudEvent → wanted."""


class FilterRefused(ValueError):
    """A filter that cannot be compiled. The text names the place and the rule, never the submitted value."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer} {message}")
        self.pointer = pointer
        """Query parameter, and JSON pointer into it: for example `filter/0/any/1/exact`."""
        self.message = message


@dataclass(frozen=True, slots=True)
class Wanted:
    """Query filters: empty means any; within one, any value; between them, all."""

    agencies: frozenset[str] = frozenset()
    """Alerts to or owed by these."""
    roles: frozenset[str] = frozenset()
    """Alerts to or owed by these."""
    urgencies: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    """`TransitionKind` values."""

    def takes(self, transition: Transition) -> bool:
        """Whether the transition is wanted."""
        link = transition.link
        return (
            (not self.kinds or transition.kind.value in self.kinds)
            and (not self.urgencies or link.urgency in self.urgencies)
            and (not self.rules or link.rule in self.rules)
            and (not self.agencies or not self.agencies.isdisjoint((transition.to_agency, link.agency)))
            and (not self.roles or not self.roles.isdisjoint((transition.to_role, link.role)))
        )


def wanted(
    agency: Collection[str] = (),
    role: Collection[str] = (),
    urgency: Collection[str] = (),
    rule: Collection[str] = (),
    kind: Collection[str] = (),
) -> Wanted:
    """Checked query filters; raises `FilterRefused` naming the parameter."""
    return Wanted(
        agencies=_known("agency", agency, [a.value for a in Agency]),
        roles=_bounded("role", role),
        urgencies=_bounded("urgency", urgency),
        rules=_bounded("rule", rule),
        kinds=_known("kind", kind, [k.value for k in TransitionKind]),
    )


def parse(text: str) -> Matches:
    """Compile a filter given as JSON text: one filter, or a list of which all must match."""
    if len(text.encode()) > MAX_BYTES:
        raise FilterRefused("filter", f"must be at most {MAX_BYTES:,} bytes of JSON")
    try:
        expression = orjson.loads(text)
    except orjson.JSONDecodeError:
        expression = None
    if not isinstance(expression, dict | list):
        raise FilterRefused(
            "filter", 'must be JSON: one filter, such as {"exact": {"type": "link.overdue"}}, or a list'
        )
    return compile_filter(expression)


def compile_filter(expression: Any) -> Matches:
    """Compile a filter, or a list of which all must match; raises `FilterRefused`."""
    budget = _Budget()
    if isinstance(expression, list):
        return _every([_one(item, f"filter/{i}", 1, budget) for i, item in enumerate(budget.bounded(expression))])
    return _one(expression, "filter", 1, budget)


class _Budget:
    """How many filters and attributes may still come."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def spend(self, pointer: str) -> None:
        self._left -= 1
        if self._left < 0:
            raise FilterRefused(pointer, f"is one too many: an expression holds at most {MAX_NODES} filters")

    def bounded(self, items: list[Any]) -> list[Any]:
        return items[: MAX_NODES + 1]


def _one(expression: Any, pointer: str, depth: int, budget: _Budget) -> Matches:
    budget.spend(pointer)
    if depth > MAX_DEPTH:
        raise FilterRefused(pointer, f"nests deeper than {MAX_DEPTH} filters")
    if not isinstance(expression, dict) or len(expression) != 1:
        raise FilterRefused(pointer, f"must be an object with exactly one of: {', '.join(_DIALECTS)}")
    dialect, argument = next(iter(expression.items()))
    if dialect == "sql":
        raise FilterRefused(pointer, f"the sql dialect is not supported; use {', '.join(_DIALECTS)}")
    if dialect not in _DIALECTS:
        raise FilterRefused(pointer, f"must be one of: {', '.join(_DIALECTS)}{_near(dialect, _DIALECTS)}")
    return _DIALECTS[dialect](argument, f"{pointer}/{dialect}", depth, budget)


def _compares(test: Callable[[str, str], bool]) -> Callable[[Any, str, int, _Budget], Matches]:
    def compiled(argument: Any, pointer: str, _: int, budget: _Budget) -> Matches:
        if not isinstance(argument, dict) or not argument:
            raise FilterRefused(pointer, "must be an object of attribute names and texts, with at least one")
        pairs = []
        for name, value in argument.items():
            budget.spend(pointer)
            if name not in ATTRIBUTES:
                raise FilterRefused(
                    pointer,
                    f"names an attribute that alerts do not carry{_near(name, ATTRIBUTES)}; "
                    f"they carry: {', '.join(sorted(ATTRIBUTES))}",
                )
            if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
                raise FilterRefused(f"{pointer}/{name}", f"must be a text of 1 to {MAX_TEXT} characters")
            pairs.append((name, value))
        return _pairs_match(test, tuple(pairs))

    return compiled


def _pairs_match(test: Callable[[str, str], bool], pairs: tuple[tuple[str, str], ...]) -> Matches:
    if len(pairs) == 1:
        ((name, value),) = pairs
        return lambda event: test(event[name], value)
    return lambda event: all(test(event[name], value) for name, value in pairs)


def _all(argument: Any, pointer: str, depth: int, budget: _Budget) -> Matches:
    return _every(_several(argument, pointer, depth, budget))


def _any(argument: Any, pointer: str, depth: int, budget: _Budget) -> Matches:
    parts = tuple(_several(argument, pointer, depth, budget))
    return lambda event: any(part(event) for part in parts)


def _not(argument: Any, pointer: str, depth: int, budget: _Budget) -> Matches:
    inner = _one(argument, pointer, depth + 1, budget)
    return lambda event: not inner(event)


def _several(argument: Any, pointer: str, depth: int, budget: _Budget) -> list[Matches]:
    if not isinstance(argument, list) or not argument:
        raise FilterRefused(pointer, "must be a list of at least one filter")
    return [_one(item, f"{pointer}/{i}", depth + 1, budget) for i, item in enumerate(budget.bounded(argument))]


def _every(parts: Iterable[Matches]) -> Matches:
    tests = tuple(parts)
    return lambda event: all(test(event) for test in tests)


_DIALECTS: Mapping[str, Callable[[Any, str, int, _Budget], Matches]] = {
    "exact": _compares(str.__eq__),
    "prefix": _compares(str.startswith),
    "suffix": _compares(str.endswith),
    "all": _all,
    "any": _any,
    "not": _not,
}


def _known(name: str, values: Collection[str], allowed: list[str]) -> frozenset[str]:
    for value in _bounded(name, values):
        if value not in allowed:
            raise FilterRefused(name, f"must be one of: {', '.join(allowed)}{_near(value, allowed)}")
    return frozenset(values)


def _bounded(name: str, values: Collection[str]) -> frozenset[str]:
    if len(values) > MAX_VALUES:
        raise FilterRefused(name, f"may be given at most {MAX_VALUES} times")
    if any(not 1 <= len(value) <= MAX_TEXT for value in values):
        raise FilterRefused(name, f"must be a text of 1 to {MAX_TEXT} characters")
    return frozenset(values)


def _near(word: str, allowed: Iterable[str]) -> str:
    found = get_close_matches(word[:MAX_TEXT], sorted(allowed), n=1)
    return f"; did you mean {found[0]}?" if found else ""
