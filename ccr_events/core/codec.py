"""Facts, views, links and transitions as bytes: canonical, so equal values are equal bytes.

Facts are written in canonical order, the keys of their data sorted, and links by id; times are RFC 3339 in UTC.
`decode_*` undoes `encode_*`, and raises `msgspec.MsgspecError` for bytes it did not write.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.json import Decoder, Encoder

from ccr_events.core.fold import arranged
from ccr_events.core.model import Fact, Link, Transition
from ccr_events.core.view import CaseView


class _StoredView(Struct):
    case_id: str
    facts: list[Fact]
    links: list[Link]


_write = Encoder(order="deterministic").encode
_read_view = Decoder(_StoredView).decode
_read_link = Decoder(Link).decode
_read_transition = Decoder(Transition).decode
_read_fact = Decoder(Fact).decode


def encode_view(view: CaseView) -> bytes:
    """A case view: its facts and links."""
    facts = sorted(view.facts.values(), key=lambda f: f.order)
    return _write(_StoredView(view.case_id, facts, [link for _, link in sorted(view.links.items())]))


def decode_view(raw: bytes) -> CaseView:
    """The view `encode_view` wrote."""
    stored = _read_view(raw)
    facts = {fact.id: fact for fact in stored.facts}
    index, corrected = arranged(facts)
    return CaseView(stored.case_id, facts, {link.id: link for link in stored.links}, index, corrected)


def encode_link(link: Link) -> bytes:
    """One link."""
    return _write(link)


def decode_link(raw: bytes) -> Link:
    """The link `encode_link` wrote."""
    return _read_link(raw)


def encode_transition(transition: Transition) -> bytes:
    """One transition, with the link after it."""
    return _write(transition)


def decode_transition(raw: bytes) -> Transition:
    """The transition `encode_transition` wrote."""
    return _read_transition(raw)


def encode_fact(fact: Fact) -> bytes:
    """One fact."""
    return _write(fact)


def decode_fact(raw: bytes) -> Fact:
    """The fact `encode_fact` wrote."""
    return _read_fact(raw)
