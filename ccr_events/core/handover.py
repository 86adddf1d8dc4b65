"""Links that change hands when facts move between cases: told once, by the case that has them afterwards.

The case that loses a link says nothing of it and sends along the link as it told it last. The case that gets it waits
until all of the move is there, and tells how the link differs from that. So nobody hears again what they know already,
and nobody misses that a link ended, came back or is no more because the other case's facts count for it now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.json import Decoder, Encoder
from msgspec.structs import replace

from ccr_events.core import ids, moves
from ccr_events.core.model import Fact, Link, Outbound
from ccr_events.core.view import CaseView

MAX_HANDED_ON = 1_000
"""Links that one move sends along, open ones first: about 600 KB. The others are told anew, as if nobody knew them."""
LINKS = "links_json"
"""Field of the last event of a move, and of the event that undoes it: the links as they were told last."""
TOLD_WITH = "told_with"
"""Field of every other event of the move: the id of the last one, with which its links are told."""

Pictures = Mapping[str, tuple[Link | None, Link | None]]
"""Link id → the link as it was told last, and as it is now."""

_write = Encoder(order="deterministic").encode
_read = Decoder(list[Link]).decode


def handed_on(
    before: CaseView, fact: Fact, outbound: Sequence[Outbound], pictures: Pictures
) -> tuple[tuple[Outbound, ...], Pictures]:
    """What is sent to other cases, with the links that go along; and what is left to tell here."""
    groups: dict[tuple[str, str, str], list[Outbound]] = {}
    for sent in outbound:
        origin = sent.data["origin_case"] if sent.type == moves.ABSORPTION_ENDED else ""
        groups.setdefault((sent.type, sent.data["rule_id"], origin), []).append(sent)
    left, complete = dict(pictures), list[Outbound]()
    for (kind, _, origin), group in groups.items():
        if kind == moves.ABSORPTION_ENDED:
            complete += _back(group, left, origin, fact)
        else:
            complete += _along(group, left, before)
    return tuple(complete), left


def _along(
    group: Sequence[Outbound], left: dict[str, tuple[Link | None, Link | None]], before: CaseView
) -> list[Outbound]:
    """The events of a move; its links are taken out of `left`."""
    moved = {sent.data["fact_id"] for sent in group}
    if moved.isdisjoint(moves.unfolded(before.facts)):  # a late report on its way through: told where it ends
        return list(group)
    lost = [was for was, now in left.values() if was is not None and now is None]
    links = _most([link for link in lost if not moved.isdisjoint(_triggers(link, before))])
    for link in links:
        del left[link.id]
    last = group[-1]
    return [*(_with(sent, TOLD_WITH, last.id) for sent in group[:-1]), _with(last, LINKS, _text(links))]


def _back(
    group: Sequence[Outbound], left: dict[str, tuple[Link | None, Link | None]], origin: str, fact: Fact
) -> list[Outbound]:
    """The event that undoes a move; the links that come back are taken out of `left`."""
    if fact.type == moves.ABSORPTION_ENDED and fact.data["origin_case"] == origin:  # on its way through this case
        found = fact.data.get(LINKS)
        return list(group) if found is None else [_with(sent, LINKS, found) for sent in group]
    links = _most([now for was, now in left.values() if was is None and now is not None and now.case_id == origin])
    if not links:
        return list(group)
    for link in links:
        del left[link.id]
    return [_with(sent, LINKS, _text(links)) for sent in group]


def received(
    before: CaseView, after: CaseView, fact: Fact, outbound: Sequence[Outbound], pictures: Pictures
) -> Pictures:
    """What is left to tell here when `fact` brings facts of another case or takes them back."""
    if fact.type == moves.ABSORBED and (TOLD_WITH in fact.data or LINKS in fact.data):
        if fact.data.get(TOLD_WITH) in after.facts:
            return pictures
        others = {
            i: pair for i, pair in pictures.items() if not any(_came_with(fact, each, before, after) for each in pair)
        }
        return {**others, **_arrived(before, after, fact)} if LINKS in fact.data else others
    if fact.type == moves.ABSORPTION_ENDED and LINKS in fact.data:
        if any(sent.data["origin_case"] == fact.data["origin_case"] for sent in outbound):
            return pictures
        back = {link.id: link for link in _read(fact.data[LINKS])}
        return {**pictures, **{i: (pictures.get(i, (None, None))[0], link) for i, link in back.items()}}
    return pictures


def _arrived(before: CaseView, after: CaseView, fact: Fact) -> Pictures:
    """All of the move is here: its links, as the other case told them last and as they are now."""
    known = {link.id: link for link in _read(fact.data[LINKS])}
    here = {i: link for i, link in after.links.items() if i in known or _came_with(fact, link, before, after)}
    whole = moves.unfolded(after.facts)
    gone = {i for move in moves.moves_of(whole) for i in move.covers(whole)}  # this case was itself merged or split
    return {
        i: (known.get(i), here.get(i))
        for i in known.keys() | here.keys()
        if i in here or known[i].trigger_id not in gone
    }


def _came_with(fact: Fact, link: Link | None, before: CaseView, after: CaseView) -> bool:
    """Whether the link's trigger came with the same move as the fact."""
    if link is None or link.case_id == after.case_id:
        return False
    return any(
        ids.absorbed_event_id(fact.data["rule_id"], trigger) in after.facts
        for trigger in {*_triggers(link, before), *_triggers(link, after)}
    )


def _triggers(link: Link, view: CaseView) -> tuple[str, ...]:
    """Ids under which the link's trigger may be known: the first of its chain, and the one that counts."""
    counts = view.index.replaced.get(link.trigger_id)
    return (link.trigger_id,) if counts is None else (link.trigger_id, counts.id)


def _most(links: Iterable[Link]) -> list[Link]:
    return sorted(links, key=lambda link: (link.state.ended, link.id))[:MAX_HANDED_ON]


def _text(links: Sequence[Link]) -> str:
    return _write(sorted(links, key=lambda link: link.id)).decode()


def _with(sent: Outbound, name: str, value: str) -> Outbound:
    return replace(sent, data={**sent.data, name: value})
