"""An alert as a subscriber receives it: the transition as a CloudEvent, and that in one SSE frame.

Source: Server-sent events, WHATWG HTML section 9.2; CloudEvents 1.0.2, JSON event format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ccr_events.core.model import Transition
from ccr_events.core.rules import Policies
from ccr_events.envelope import transition_event
from services.engine.ports import Alertable

ATTRIBUTES = frozenset(
    {
        "id",
        "source",
        "type",
        "time",
        "subject",
        "specversion",
        "datacontenttype",
        "caseid",
        "agency",
        "policyversion",
        "causationid",
        "toagency",
        "torole",
        "owingagency",
        "owingrole",
        "rule",
        "urgency",
    }
)
"""CloudEvents attributes every alert carries; the last six are extensions of the stream, for filters."""
HEARTBEAT = b": still here\n\n"


@dataclass(frozen=True, slots=True)
class Alert:
    """One transition, rendered once for all subscribers."""

    seq: int
    transition: Transition
    event: Mapping[str, Any]
    """The CloudEvent; holds no confidential field, since links and rules have none."""
    frame: bytes
    committed_s: float | None
    """Monotonic clock when it was committed; None for one read again later."""


def alert(alertable: Alertable, policies: Policies, committed_s: float | None = None) -> Alert:
    """Render a transition, with the title and the action of its rule."""
    transition = alertable.transition
    link = transition.link
    title, action = _rule_words(policies, link.edition, link.rule)
    event = transition_event(transition)
    event["toagency"] = transition.to_agency
    event["torole"] = transition.to_role
    event["owingagency"] = link.agency
    event["owingrole"] = link.role
    event["rule"] = link.rule
    event["urgency"] = link.urgency
    event["data"] = {**event["data"], "rule_title": title, "action": action}
    return Alert(alertable.seq, transition, event, frame(alertable.seq, event), committed_s)


def frame(seq: int, event: Mapping[str, Any]) -> bytes:
    """`id`, `event` and `data` lines; JSON text has no line breaks, so one `data` line is enough."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, event["type"].encode(), orjson.dumps(event))


def comment(text: str) -> bytes:
    """A line the subscriber's program ignores and its log keeps."""
    return b": %s\n\n" % text.encode()


def _rule_words(policies: Policies, edition: str, key: str) -> tuple[str, str]:
    """An alert goes out even when its policy is missing: who must act and by when is in the link."""
    try:
        rule = policies.edition(edition).rule(key)
    except LookupError:
        return key, ""
    return rule.title, rule.action
