"""Facts, views, links and transitions as bytes: canonical, so equal values are equal bytes.

Facts are written in canonical order, the keys of their data sorted, and links by id; times are RFC 3339 in UTC.
`decode_*` undoes `encode_*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from ccr_events.core.fold import arranged
from ccr_events.core.model import Fact, Link, LinkState, Step, Transition, TransitionKind
from ccr_events.core.view import CaseView


def encode_view(view: CaseView) -> bytes:
    """A case view: its facts and links."""
    return orjson.dumps(
        {
            "case_id": view.case_id,
            "facts": sorted(view.facts.values(), key=lambda f: f.order),
            "links": [link for _, link in sorted(view.links.items())],
        },
        option=orjson.OPT_SORT_KEYS,
    )


def decode_view(raw: bytes) -> CaseView:
    """The view `encode_view` wrote."""
    stored = orjson.loads(raw)
    facts = {f["id"]: _fact(f) for f in stored["facts"]}
    links = {link["id"]: _link(link) for link in stored["links"]}
    index, corrected = arranged(facts)
    return CaseView(stored["case_id"], facts, links, index, corrected)


def encode_link(link: Link) -> bytes:
    """One link."""
    return orjson.dumps(link)


def decode_link(raw: bytes) -> Link:
    """The link `encode_link` wrote."""
    return _link(orjson.loads(raw))


def encode_transition(transition: Transition, link: bytes | None = None) -> bytes:
    """One transition, with the link after it; `link` where that is already encoded."""
    return orjson.dumps(
        {
            "id": transition.id,
            "kind": transition.kind,
            "step": transition.step,
            "cause": transition.cause,
            "at": transition.at,
            "link": transition.link if link is None else orjson.Fragment(link),
            "to_agency": transition.to_agency,
            "to_role": transition.to_role,
        }
    )


def decode_transition(raw: bytes) -> Transition:
    """The transition `encode_transition` wrote."""
    stored = orjson.loads(raw)
    return Transition(
        **{
            **stored,
            "kind": TransitionKind(stored["kind"]),
            "at": _time(stored["at"]),
            "link": _link(stored["link"]),
        }
    )


def encode_fact(fact: Fact) -> bytes:
    """One fact."""
    return orjson.dumps(fact, option=orjson.OPT_SORT_KEYS)  # of a payload: it arrives in its publisher's order


def decode_fact(raw: bytes) -> Fact:
    """The fact `encode_fact` wrote."""
    return _fact(orjson.loads(raw))


_time = datetime.fromisoformat


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else _time(text)


def _fact(stored: Mapping[str, Any]) -> Fact:
    return Fact(
        **{
            **stored,
            "occurred_at": _time(stored["occurred_at"]),
            "recorded_at": _time(stored["recorded_at"]),
        }
    )


def _link(stored: Mapping[str, Any]) -> Link:
    return Link(
        **{
            **stored,
            "opened_at": _time(stored["opened_at"]),
            "due_at": _time_or_none(stored["due_at"]),
            "state": LinkState(stored["state"]),
            "steps": tuple(Step(**{**s, "at": _time(s["at"])}) for s in stored["steps"]),
            "notified_at": _time_or_none(stored["notified_at"]),
            "acknowledged_at": _time_or_none(stored["acknowledged_at"]),
            "ended_at": _time_or_none(stored["ended_at"]),
            "references": tuple((kind, number) for kind, number in stored["references"]),
        }
    )
