"""Conditions as a policy writer writes them, checked against the contract and compiled to closures.

    when:
      relationship: [SE, CS]            # one of these
      dual_arrest: true                 # all lines of a group are needed
      not: {probable_cause: false}      # holds too where the field is absent
      any:
        - notices: {any_of: [hearing]}  # of a list
        - agency: civ                   # who published it
        - type: nco.issued              # which of the trigger's types it is
        - case_has: {type: nco.issued, when: {…}, same: [order_no], before: trigger}
        - case_has: {latest_of: [jail.booked, custody.released], is: jail.booked}

`before: trigger` means not after it, `after: trigger` later than it; `latest_of` looks at what had happened by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ccr_events.agencies import Agency
from ccr_events.core.model import Fact
from ccr_events.core.rules import Condition, Facts
from ccr_events.policy.case_conditions import compile_case_has
from ccr_events.policy.compiled import Compiled, Place, any_stirred
from ccr_events.policy.condition_values import Asked, Check, asked
from ccr_events.policy.problems import Report, listed, nearest
from ccr_events.policy.vocabulary import Field, may_publish

MAX_DEPTH = 12
"""Deepest nesting of a condition."""


def compile_condition(raw: Any, place: Place, report: Report) -> Compiled | None:
    """The condition; None, with every reason in the report, when it cannot be asked."""
    if place.depth > MAX_DEPTH:
        report.say(f"a condition is nested deeper than {MAX_DEPTH} levels")
        return None
    if not isinstance(raw, Mapping) or not raw:
        report.say("a condition is a group of `field: value` lines")
        return None
    parts = [_line(str(word), value, place, report.at(word)) for word, value in raw.items()]
    return _all_of([p for p in parts if p is not None]) if None not in parts else None


def _line(word: str, value: Any, place: Place, report: Report) -> Compiled | None:
    if word in ("any", "all"):
        return _several(word, value, place, report)
    if word == "not":
        inner = compile_condition(value, place.inside(), report)
        return None if inner is None else _not(inner)
    if word == "agency":
        return _agency(value, place, report)
    if word == "type":
        return _type(value, place, report)
    if word == "case_has":
        return compile_case_has(value, place, report, compile_condition)
    field = place.vocabulary.field(place.types, word, report)
    if field is None:
        return None
    return _all_of([_ask(field, question) for question in asked(value, field, report)])


def _several(word: str, value: Any, place: Place, report: Report) -> Compiled | None:
    if not isinstance(value, list) or not value:
        report.say(f"`{word}` needs a list of conditions", "start each with a dash")
        return None
    parts = [compile_condition(raw, place.inside(), report.at(n)) for n, raw in enumerate(value)]
    compiled = [p for p in parts if p is not None]
    if len(compiled) < len(parts):
        return None
    return _all_of(compiled) if word == "all" else _any_of(compiled)


def _all_of(parts: Sequence[Compiled]) -> Compiled | None:
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    tests = tuple(p.test for p in parts)
    first, second = tests[0], tests[1]

    def both(fact: Fact, facts: Facts) -> bool:
        return first(fact, facts) and second(fact, facts)

    def every(fact: Fact, facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110  # a generator takes three times as long
            if not test(fact, facts):
                return False
        return True

    return Compiled(
        both if len(tests) == 2 else every,
        " and ".join(_grouped(p, "any") for p in parts),
        "all",
        tuple(parts),
        frozenset().union(*(p.mentions for p in parts)),
        frozenset().union(*(p.later for p in parts)),
        any_stirred(parts),
        frozenset().union(*(p.ensures for p in parts)),
    )


def _any_of(parts: Sequence[Compiled]) -> Compiled:
    if len(parts) == 1:
        return parts[0]
    tests = tuple(p.test for p in parts)

    def some(fact: Fact, facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110
            if test(fact, facts):
                return True
        return False

    return Compiled(
        some,
        " or ".join(_grouped(p, "all") for p in parts),
        "any",
        tuple(parts),
        frozenset().union(*(p.mentions for p in parts)),
        frozenset().union(*(p.later for p in parts)),
        any_stirred(parts),
        frozenset.intersection(*(p.ensures for p in parts)),
    )


def _not(inner: Compiled) -> Compiled:
    test = inner.test
    words = f"not ({inner.words})"
    opposite: Condition = lambda fact, facts: not test(fact, facts)  # noqa: E731
    return Compiled(opposite, words, "not", (inner,), inner.mentions, inner.later, inner.stirred)


def _grouped(part: Compiled, form: str) -> str:
    return f"({part.words})" if part.form == form else part.words


def _agency(value: Any, place: Place, report: Report) -> Compiled | None:
    agencies = value if isinstance(value, list) else [value]
    for agency in agencies:
        if agency not in {a.value for a in Agency}:
            report.say(f"there is no agency {agency}", nearest(str(agency), Agency) or f"one of {listed(Agency)}")
            return None
        if not any(may_publish(place.vocabulary.types[t], agency) for t in place.types if t in place.vocabulary.types):
            report.say(f"{agency} never publishes {' or '.join(place.types)}", "name an agency that does")
            return None
    wanted = frozenset(agencies)
    return Compiled(lambda fact, _: fact.agency in wanted, f"published by {' or '.join(map(str, agencies))}")


def _type(value: Any, place: Place, report: Report) -> Compiled | None:
    wanted = value if isinstance(value, list) else [value]
    for name in wanted:
        if name not in place.types:
            report.say(
                f"{name} is none of the types asked here", nearest(str(name), place.types) or listed(place.types)
            )
            return None
    names = frozenset(wanted)
    return Compiled(lambda fact, _: fact.type in names, f"it is {' or '.join(wanted)}")


def _ask(field: Field, question: Asked) -> Compiled:
    name, ensured = field.path[0], frozenset({field.path[0]}) if question.wanted else frozenset()
    check, wanted = question.check, question.wanted
    test = _ask_top(name, check, wanted) if len(field.path) == 1 else _ask_below(field, check, wanted)
    return Compiled(test, question.words, ensures=ensured)


def _ask_top(name: str, check: Check | None, wanted: bool) -> Condition:
    if check is None:
        return lambda fact, _: (fact.data.get(name) is not None) is wanted

    def test(fact: Fact, _: Facts) -> bool:
        value = fact.data.get(name)
        return value is not None and check(value, fact)

    return test


def _ask_below(field: Field, check: Check | None, wanted: bool) -> Condition:
    """For a field inside groups: with a list of groups, one value that fits is enough."""

    def test(fact: Fact, _: Facts) -> bool:
        found = _reached(fact.data, field.path)
        if field.many[-1] or not any(field.many):
            held = any(value is not None and (check is None or check(value, fact)) for value in found)
        elif check is None:
            held = any(value is not None for value in found)
        else:
            values = [value for value in found if value is not None]
            held = bool(values) and check(values, fact)
        return held is wanted

    return test


def _reached(value: Any, path: Iterable[str]) -> list[Any]:
    found = [value]
    for step in path:
        items = (item for place in found for item in (place if isinstance(place, list) else (place,)))
        found = [item[step] for item in items if isinstance(item, Mapping) and step in item]
    return found
