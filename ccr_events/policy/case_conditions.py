"""Conditions on the other facts of a case: `case_has`, and which of some acts was the latest."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from ccr_events.core.model import Fact
from ccr_events.core.rules import Facts
from ccr_events.payload import ReferenceKind
from ccr_events.policy.compiled import Compiled, Place
from ccr_events.policy.problems import Report, listed, nearest
from ccr_events.policy.vocabulary import Vocabulary

Compile = Callable[[Any, Place, Report], Compiled | None]

_occurred_at = attrgetter("occurred_at")
_CASE_WORDS = ("type", "when", "same", "before", "after", "latest_of", "is")


def compile_case_has(raw: Any, place: Place, report: Report, compile_condition: Compile) -> Compiled | None:
    """What `case_has` asks; `compile_condition` compiles the `when` inside it."""
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
    return _some(raw, place, report, same, compile_condition)


def _some(
    raw: Mapping[str, Any], place: Place, report: Report, same: tuple[str, ...], compile_condition: Compile
) -> Compiled | None:
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
    numbers = numbers_of(same) if same else None

    def test(fact: Fact, facts: Facts) -> bool:
        at = fact.occurred_at
        mine = numbers(fact) if numbers is not None else None
        for name in types:
            for other in facts.of_type(name):
                if before and (other.occurred_at > at or other.id == fact.id):
                    continue
                if after and other.occurred_at <= at:
                    continue
                if mine and not share(mine, numbers(other)):  # type: ignore[misc]  # mine came from it
                    continue
                if when is None or when(other, facts):
                    return True
        return False

    named = types[0] if len(types) == 1 else f"any of ({', '.join(types)})"
    words = f"the case has {named}"
    words += f" where ({inner.words})" if inner else ""
    words += f" with the same {', '.join(same)}" if same else ""
    words += " by then" if before else " afterwards" if after else ""
    inside, inside_later = (inner.mentions, inner.later) if inner else (frozenset[str](), frozenset[str]())
    mentions = frozenset(types) | inside
    later = inside_later if before else mentions

    def stirred(fact: Fact, facts: Facts) -> bool:
        if fact.type in inside:
            return True
        if fact.type not in types or (when is not None and not when(fact, facts)):
            return False
        if before or after or same:
            return True
        # The answer is the same for every trigger: it was yes already where another fact does as well.
        others = (other for name in types for other in facts.of_type(name) if other is not fact)
        return not any(when is None or when(other, facts) for other in others)

    return Compiled(test, words, mentions=mentions, later=later, stirred=stirred)


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
    numbers = numbers_of(same) if same else None

    def test(fact: Fact, facts: Facts) -> bool:
        mine = numbers(fact) if numbers is not None else None
        latest: Fact | None = None
        for name in types:
            group = facts.of_type(name)
            for place in range(bisect_right(group, fact.occurred_at, key=_occurred_at) - 1, -1, -1):
                other = group[place]
                if latest is not None and other.order < latest.order:
                    break
                if not mine or share(mine, numbers(other)):  # type: ignore[misc]  # mine came from it
                    latest = other
                    break
        return latest is not None and latest.type in wanted

    def stirred(fact: Fact, _: Facts) -> bool:
        return fact.type in types

    words = f"the latest of ({', '.join(types)}) by then is {' or '.join(wanted)}"
    return Compiled(test, words, mentions=frozenset(types), stirred=stirred)


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


Numbers = Mapping[str, set[str]]
"""Kind of number → numbers."""


def numbers_of(kinds: tuple[str, ...]) -> Callable[[Fact], Numbers]:
    """The numbers of these kinds that a fact carries."""

    def numbers(fact: Fact) -> Numbers:
        found: dict[str, set[str]] = {}
        for reference in fact.data.get("references", ()):
            if reference["kind"] in kinds:
                found.setdefault(reference["kind"], set()).add(reference["number"])
        return found

    return numbers


def share(mine: Numbers, theirs: Numbers) -> bool:
    """Whether there is an equal number of each kind that both have (`Satisfier.same` means the same)."""
    return all(not theirs[kind].isdisjoint(found) for kind, found in mine.items() if kind in theirs)
