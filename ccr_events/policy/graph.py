"""Agencies as nodes, protocol links as edges: from who acts to who then owes, in Mermaid's flowchart notation.

Source: Mermaid, flowchart syntax (mermaid.js.org).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ccr_events.agencies import Agency
from ccr_events.policy.book import CompiledEdition
from ccr_events.policy.written_link import NoLadder, WrittenLink
from ccr_events.registry import EventType

NAMES: Mapping[Agency, str] = {
    Agency.PSAP: "911 and dispatch",
    Agency.LE: "Police and sheriff",
    Agency.JAIL: "Jail",
    Agency.PROS: "Prosecution",
    Agency.CRIM: "Criminal court",
    Agency.CIV: "Civil court",
    Agency.PROB: "Probation",
    Agency.BIP: "Men's program",
    Agency.ADV: "Advocacy",
    Agency.CPS: "Child protection",
    Agency.VISIT: "Visitation",
    Agency.REG: "State registry",
    Agency.CCR: "Tracking entity",
}
"""What people call the agencies."""


@dataclass(frozen=True, slots=True)
class Edge:
    """All links by which what one agency does obliges another, or its silence is heard by another."""

    start: Agency
    end: Agency
    links: tuple[str, ...]
    """Rule keys, sorted."""
    escalation: bool
    """True when `end` hears of the silence of `start`."""


def edges(edition: CompiledEdition, types: Mapping[str, EventType]) -> tuple[Edge, ...]:
    """The edges of an edition, by agencies."""
    found: dict[tuple[Agency, Agency, bool], set[str]] = {}
    for key, link in edition.links.items():
        for start, end, escalation in _of_link(link.written, types):
            found.setdefault((start, end, escalation), set()).add(key)
    order = list(Agency)
    by_agency = sorted(found.items(), key=lambda item: (item[0][2], order.index(item[0][0]), order.index(item[0][1])))
    return tuple(Edge(start, end, tuple(sorted(keys)), escalation) for (start, end, escalation), keys in by_agency)


def mermaid(edition: CompiledEdition, types: Mapping[str, EventType], *, escalation: bool = False) -> str:
    """The edition as a Mermaid flowchart; with `escalation`, dotted edges to who hears outside the owing agency."""
    drawn = [edge for edge in edges(edition, types) if escalation or not edge.escalation]
    present = {agency for edge in drawn for agency in (edge.start, edge.end)}
    lines = [f"%% Protocol links of policy edition {edition.id}", "flowchart LR"]
    lines += [f'    {agency.value}["{NAMES[agency]}"]' for agency in Agency if agency in present]
    for edge in drawn:
        arrow = "-.->" if edge.escalation else "-->"
        lines.append(f'    {edge.start.value} {arrow}|"{_label(edge.links)}"| {edge.end.value}')
    return "\n".join(lines) + "\n"


def _of_link(link: WrittenLink, types: Mapping[str, EventType]) -> Iterator[tuple[Agency, Agency, bool]]:
    owing = {role.agency for role in link.owed_by}
    for start in _publishers(link, types):
        for end in owing:
            yield start, end, False
    if not isinstance(link.escalate, NoLadder):
        for rung in link.escalate:
            for start in owing - {rung.to.agency}:
                yield start, rung.to.agency, True


def _publishers(link: WrittenLink, types: Mapping[str, EventType]) -> set[Agency]:
    """Who can publish the trigger; the rule's own condition on the agency counts."""
    when = link.trigger.when or {}
    named = when.get("agency")
    wanted = set(named if isinstance(named, list) else [named]) if named else set(Agency)
    return {agency for name in link.trigger.type for agency in types[name].publishers if agency in wanted}


def _label(keys: tuple[str, ...], per_line: int = 6) -> str:
    rows = [" ".join(keys[n : n + per_line]) for n in range(0, len(keys), per_line)]
    return "<br/>".join(rows)
