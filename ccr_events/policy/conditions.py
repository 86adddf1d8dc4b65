"""Conditions as a policy writer writes them, checked against the contract and compiled to closures.

    when:
      relationship: [SE, CS]            # one of these
      dual_arrest: true                 # all lines of a group are needed
      not: {probable_cause: false}      # holds too where the field is absent
      any:
        - notices: {any_of: [hearing]}  # of a list
        - agency: civ                   # who published it
        - case_has: {type: nco.issued, when: {…}, same: [order_no], before: trigger}
        - case_has: {latest_of: [jail.booked, custody.released], is: jail.booked}

`before: trigger` means not after it, `after: trigger` later than it; `latest_of` looks at what had happened by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ccr_events.agencies import Agency
from ccr_events.core.model import Fact
from ccr_events.core.rules import Condition, Facts
from ccr_events.payload import ReferenceKind
from ccr_events.policy.condition_values import Asked, Check, asked
from ccr_events.policy.problems import Report, listed, nearest
from ccr_events.policy.vocabulary import Field, Vocabulary, may_publish

MAX_DEPTH = 12
"""Deepest nesting of a condition."""

_WORDS = ("any", "all", "not", "agency", "case_has")
_CASE_WORDS = ("type", "when", "same", "before", "after", "latest_of", "is")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition that can be asked, said in words and taken apart."""

    test: Condition
    words: str
    form: Literal["all", "any", "not", "one"] = "one"
    parts: tuple[Compiled, ...] = ()
    mentions: frozenset[str] = frozenset()
    """Event types other than the fact's own that the answer depends on."""
    ensures: frozenset[str] = frozenset()
    """Fields that are surely there when it holds."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a condition stands: which facts it is asked of, and whether these are triggers."""

    vocabulary: Vocabulary
    types: tuple[str, ...]
    is_trigger: bool
    depth: int = 0

    def inside(self) -> Place:
        """One level deeper."""
        return Place(self.vocabulary, self.types, self.is_trigger, self.depth + 1)


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
    if word == "case_has":
        return _case_has(value, place, report)
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
        return all(test(fact, facts) for test in tests)

    return Compiled(
        both if len(tests) == 2 else every,
        " and ".join(_grouped(p, "any") for p in parts),
        "all",
        tuple(parts),
        frozenset().union(*(p.mentions for p in parts)),
        frozenset().union(*(p.ensures for p in parts)),
    )


def _any_of(parts: Sequence[Compiled]) -> Compiled:
    if len(parts) == 1:
        return parts[0]
    tests = tuple(p.test for p in parts)

    def some(fact: Fact, facts: Facts) -> bool:
        return any(test(fact, facts) for test in tests)

    return Compiled(
        some,
        " or ".join(_grouped(p, "all") for p in parts),
        "any",
        tuple(parts),
        frozenset().union(*(p.mentions for p in parts)),
        frozenset.intersection(*(p.ensures for p in parts)),
    )


def _not(inner: Compiled) -> Compiled:
    test = inner.test
    words = f"not ({inner.words})"
    return Compiled(lambda fact, facts: not test(fact, facts), words, "not", (inner,), inner.mentions)


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


def _case_has(raw: Any, place: Place, report: Report) -> Compiled | None:
    if not isinstance(raw, Mapping):
        report.say("case_has needs a group of lines", "write  case_has: {type: EVENT TYPE}")
        return None
    good = True
    for word in raw:
        if word not in _CASE_WORDS:
            report.at(word).say(f"{word} is nothing case_has knows", nearest(str(word), _CASE_WORDS))
            good = False
    for word in ("before", "after"):
        if word in raw and raw[word] != "trigger":
            report.at(word).say(f"{word} must say trigger", f"write  {word}: trigger")
            good = False
        elif word in raw and not place.is_trigger:
            report.at(word).say(
                f"{word}: trigger can only be asked where the trigger is judged", "ask it under trigger"
            )
            good = False
    same = _same(raw.get("same", []), report.at("same"))
    if same is None or not good:
        return None
    if "latest_of" in raw or "is" in raw:
        return _latest(raw, place, report, same)
    return _some(raw, place, report, same)


def _some(raw: Mapping[str, Any], place: Place, report: Report, same: tuple[str, ...]) -> Compiled | None:
    types = _types(raw.get("type"), place.vocabulary, report.at("type"))
    if types is None:
        return None
    inner: Compiled | None = None
    if "when" in raw:
        there = Place(place.vocabulary, types, False, place.depth + 1)
        inner = compile_condition(raw["when"], there, report.at("when"))
        if inner is None:
            return None
    before, after = "before" in raw, "after" in raw
    when = None if inner is None else inner.test
    related = related_by(same) if same else None

    def test(fact: Fact, facts: Facts) -> bool:
        at = fact.occurred_at
        for name in types:
            for other in facts.of_type(name):
                if before and (other.occurred_at > at or other.id == fact.id):
                    continue
                if after and other.occurred_at <= at:
                    continue
                if related is not None and not related(fact, other):
                    continue
                if when is None or when(other, facts):
                    return True
        return False

    words = f"the case has {' or '.join(types)}"
    words += f" where {inner.words}" if inner else ""
    words += f" with the same {', '.join(same)}" if same else ""
    words += " by then" if before else " afterwards" if after else ""
    mentions = frozenset(types) | (inner.mentions if inner else frozenset())
    return Compiled(test, words, mentions=mentions)


def _latest(raw: Mapping[str, Any], place: Place, report: Report, same: tuple[str, ...]) -> Compiled | None:
    types = _types(raw.get("latest_of"), place.vocabulary, report.at("latest_of"))
    wanted = _types(raw.get("is"), place.vocabulary, report.at("is"))
    for word in ("type", "when", "before", "after"):
        if word in raw:
            report.at(word).say(f"{word} does not go with latest_of", f"leave {word} out")
            return None
    if types is None or wanted is None:
        return None
    if not set(wanted) < set(types):
        report.at("is").say("`is` must name some, not all, of the types in latest_of", f"one of {listed(types)}")
        return None
    related = related_by(same) if same else None

    def test(fact: Fact, facts: Facts) -> bool:
        latest: Fact | None = None
        for name in types:
            for other in facts.of_type(name):
                if other.occurred_at > fact.occurred_at:
                    break
                if (related is None or related(fact, other)) and (latest is None or latest.order < other.order):
                    latest = other
        return latest is not None and latest.type in wanted

    words = f"the latest of {', '.join(types)} by then is {' or '.join(wanted)}"
    return Compiled(test, words, mentions=frozenset(types))


def _types(raw: Any, vocabulary: Vocabulary, report: Report) -> tuple[str, ...] | None:
    names = [raw] if isinstance(raw, str) else raw
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        report.say("an event type is missing", "name one, or a list of them")
        return None
    known = [vocabulary.known(name, report.at(n) if isinstance(raw, list) else report) for n, name in enumerate(names)]
    return tuple(t.name for t in known if t is not None) if None not in known else None


def _same(raw: Any, report: Report) -> tuple[str, ...] | None:
    kinds = {kind.value for kind in ReferenceKind}
    if not isinstance(raw, list):
        report.say("same needs a list of kinds of numbers", f"known kinds: {listed(kinds)}")
        return None
    for n, kind in enumerate(raw):
        if kind not in kinds:
            report.at(n).say(f"{kind} is no kind of number", nearest(str(kind), kinds) or f"one of {listed(kinds)}")
            return None
    return tuple(raw)


def related_by(kinds: tuple[str, ...]) -> Callable[[Fact, Fact], bool]:
    """Whether two facts carry an equal number of each kind that both carry (`Satisfier.same` means the same)."""

    def numbers(fact: Fact) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for reference in fact.data.get("references", ()):
            if reference["kind"] in kinds:
                found.setdefault(reference["kind"], set()).add(reference["number"])
        return found

    def related(one: Fact, other: Fact) -> bool:
        theirs = numbers(other)
        return all(theirs[kind] & mine for kind, mine in numbers(one).items() if kind in theirs)

    return related
