"""Derived identifiers: the same act always gets the same id, wherever and however often it is computed.

Every id is a UUID version 5 (RFC 9562 section 5.5) of its parts under one namespace of ours. Ids of events are marked
as version 8 instead (section 5.8): whoever sees a link could compute the id of its deadline's event and publish
something else under it, and the deadline would never fire. The door keeps that version for the events meant.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("6f0c1a52-7d5e-5b6c-9d51-0c7a9b6d2e11")
_NAMESPACE = NAMESPACE.bytes
_SEPARATOR = "\x1f"
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The first digit of a UUID's fourth group, whose upper bits say its variant."""
RESERVED_VERSION = "8"
_VERSION = 14
"""Where a UUID's text says its version."""


def derived(*parts: str) -> str:
    """UUID5 text of the parts; parts are kept apart, so ("ab", "c") and ("a", "bc") differ."""
    return _uuid(_SEPARATOR.join(parts))


def _uuid(name: str) -> str:
    text = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def _event_id(*parts: str) -> str:
    text = derived(*parts)
    return f"{text[:_VERSION]}{RESERVED_VERSION}{text[_VERSION + 1 :]}"


def is_reserved(event_id: str) -> bool:
    """Whether an event id (canonical UUID text) is of the kind that only the events below have."""
    return event_id[_VERSION] == RESERVED_VERSION


def link_id(case_id: str, rule: str, trigger: str, agency: str, role: str) -> str:
    """Id of the link that `rule` opens for one owing role; `trigger` is the root id of the triggering event."""
    return _uuid(_SEPARATOR.join(("link", case_id, rule, trigger, agency, role)))


def transition_id(link: str, kind: str, step: int, cause: str) -> str:
    """Id of one change of a link by one event."""
    return _uuid(_SEPARATOR.join(("transition", link, kind, str(step), cause)))


def deadline_event_id(link: str, step: int, at: datetime) -> str:
    """Id of the `link.deadline_reached` event for one step at one instant."""
    return _event_id("deadline", link, str(step), at.isoformat())


def notified_event_id(link: str, agency: str, step: int) -> str:
    """Id of the first delivery receipt (`link.notified`) to an agency for a step of a link."""
    return _event_id("notified", link, agency, str(step))


def answer_event_id(kind: str, link: str, agency: str, role: str) -> str:
    """Id of a practitioner's answer (`acknowledged`, `completed`, `waived`): saying it twice is saying it once."""
    return _event_id("answer", kind, link, agency, role)


def restated_event_id(answer: str, withdrawal: str) -> str:
    """Id of an answer given again after it was withdrawn."""
    return _event_id("restated", answer, withdrawal)


def merge_event_id(proposal: str) -> str:
    """Id of the `case.merged` event that accepts a proposal."""
    return _event_id("merge", proposal)


def absorbed_event_id(move: str, fact: str) -> str:
    """Id of the `case.absorbed` event that carries one fact along one merge or split."""
    return _event_id("absorbed", move, fact)


def absorption_ended_event_id(move: str, origin_case: str, cause: str) -> str:
    """Id of the `case.absorption_ended` event that undoes one merge or split for one origin."""
    return _event_id("absorption-ended", move, origin_case, cause)
