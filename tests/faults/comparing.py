"""What was made of the events beside what was to be made of them: lost, twice, different, out of order. Pure.

A reader drops an id that it has seen. What such a reader is left with is compared; what it drops is only counted.
Whatever is told of it holds ids alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SHOWN = 20
"""Ids of a kind that are told of, at most."""


@dataclass(frozen=True, slots=True)
class Said:
    """One record, as a reader has it."""

    id: str
    case_id: str
    content: bytes = field(repr=False)
    tells: str
    """What it tells, whatever its id: told once more than it was to be, people hear of it twice."""


@dataclass(slots=True)
class Differences:
    """Each a list of ids with what they are ids of."""

    lost: list[str] = field(default_factory=list)
    """Was to be there and is not."""
    twice: list[str] = field(default_factory=list)
    """Stands there a second time once repeated ids are dropped: one id with two contents, or the same told under
    another id."""
    different: list[str] = field(default_factory=list)
    """There with another content, or never to be there at all."""
    disordered: list[str] = field(default_factory=list)
    """Cases of which things were said in another order."""
    repeated: int = 0
    """Written again under the same id and with the same content."""

    def __bool__(self) -> bool:
        return any((self.lost, self.twice, self.different, self.disordered))

    def add(self, other: Differences) -> None:
        """Count those of another comparison too."""
        self.lost += other.lost
        self.twice += other.twice
        self.different += other.different
        self.disordered += other.disordered
        self.repeated += other.repeated

    def told(self) -> str:
        """A line for each kind there is."""
        kinds = {
            "lost": self.lost,
            "twice": self.twice,
            "different": self.different,
            "out of order": self.disordered,
        }
        return "\n".join(f"{len(found)} {kind}: {_some(found)}" for kind, found in kinds.items() if found)


class Differs(AssertionError):
    """What was made of the events is not what was to be; says what differs."""


def compared(what: str, expected: Sequence[Said], found: Iterable[Said]) -> Differences:
    """Records of a topic, those of a case in the order in which they stand. `what`: what one of them is called."""
    found = list(found)
    first: dict[str, Said] = {}
    contents = Counter({(each.id, each.content) for each in found})
    for each in found:
        first.setdefault(each.id, each)
    wanted = {each.id: each for each in expected}
    two_contents = {id for id, count in Counter(id for id, _ in contents).items() if count > 1}
    foreign = [each for id, each in first.items() if id not in wanted]
    to_tell, told = Counter(e.tells for e in wanted.values()), Counter(each.tells for each in first.values())
    again = {each.id for each in foreign if told[each.tells] > to_tell[each.tells] > 0}
    other = {id for id, each in first.items() if id in wanted and each != wanted[id]} - two_contents
    differences = Differences(
        _named(what, wanted.keys() - first.keys()),
        _named(what, two_contents | again),
        _named(what, other | ({each.id for each in foreign} - again - two_contents)),
        repeated=len(found) - len(contents),
    )
    orders = _orders(each for id, each in wanted.items() if id in first)
    for case_id, ids in _orders(each for id, each in first.items() if id in wanted).items():
        if ids != orders.get(case_id):
            differences.disordered.append(f"{what}s of {case_id}")
    return differences


def compared_views(expected: Mapping[str, bytes], found: Mapping[str, bytes]) -> Differences:
    """Case → view, as they are encoded."""
    shared = expected.keys() & found.keys()
    return Differences(
        _named("view", expected.keys() - found.keys()),
        different=_named(
            "view", {each for each in shared if expected[each] != found[each]} | (found.keys() - expected.keys())
        ),
    )


def _orders(said: Iterable[Said]) -> Mapping[str, list[str]]:
    """Case → ids, in order."""
    orders: dict[str, list[str]] = defaultdict(list)
    for each in said:
        orders[each.case_id].append(each.id)
    return orders


def _named(what: str, ids: Iterable[str]) -> list[str]:
    return [f"{what} {id}" for id in sorted(ids)]


def _some(found: Sequence[str]) -> str:
    more = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")
