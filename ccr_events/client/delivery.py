"""What an answer of the backbone means for the events that were sent. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ccr_events.client.spool import Refusal, RefusedAs, Waiting
from ccr_events.client.waits import asked_s

LONGEST = 500
"""Characters kept of one text of an answer."""
MOST_PROBLEMS = 60
"""Fields kept of one refusal."""
KEY_REFUSED = frozenset({401, 403})
TOO_LARGE = 413
UNREADABLE = frozenset({400, TOO_LARGE, 422})
"""The request cannot be read as it is: some event in it is at fault, and others may not be."""
_SETTLED = frozenset({"accepted", "duplicate"})
_REFUSED: Mapping[str, RefusedAs] = {
    "quarantined": "quarantined",
    "conflict": "conflict",
    "forbidden": "forbidden",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """Every event has its receipt."""

    done: tuple[int, ...] = ()
    """Numbers of those that are on the log now."""
    refused: Mapping[int, Refusal] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Divide:
    """Send half of it."""


@dataclass(frozen=True, slots=True)
class KeyWrong:
    """The key was refused: nothing is sent until it is accepted."""

    words: str


@dataclass(frozen=True, slots=True)
class Later:
    """The same again, later."""

    words: str
    wait_s: float = 0.0
    """How long the backbone asks to wait at least."""


Meaning = Answered | Divide | KeyWrong | Later


def meaning(status: int, retry_after: str, body: bytes, sent: Sequence[Waiting]) -> Meaning:
    """What an HTTP answer to a batch means. Nothing of the answer's own text goes into `words`."""
    if status in (200, 202, 207):
        return _answered(body, sent)
    if status in KEY_REFUSED:
        return KeyWrong(f"the API key was refused ({status}): it is malformed, unknown or revoked; issue another")
    if status in UNREADABLE and sent:
        if len(sent) > 1:
            return Divide()
        refusal = _unreadable(status, body)
        return Answered(refused={sent[0].seq: refusal}, statuses={"unreadable": 1})
    return Later(f"the backbone answered {status}", asked_s(retry_after))


def _answered(body: bytes, sent: Sequence[Waiting]) -> Meaning:
    receipts = _object(body).get("receipts")
    stranger = Later("something answered that is no backbone: check the address")
    if not isinstance(receipts, list) or len(receipts) != len(sent):
        return stranger
    done, refused, statuses = [], {}, Counter[str]()
    for waiting, receipt in zip(sent, receipts, strict=True):
        status = _text(receipt.get("status")) if isinstance(receipt, dict) else ""
        if status in _SETTLED:
            done.append(waiting.seq)
        elif status in _REFUSED:
            refused[waiting.seq] = Refusal(_REFUSED[status], *_reason(receipt))
        else:
            return stranger
        statuses[status] += 1
    return Answered(tuple(done), refused, statuses)


def _unreadable(status: int, body: bytes) -> Refusal:
    title, problems, quarantine_id = _reason(_object(body))
    return Refusal("unreadable", title or f"the backbone could not read it ({status})", problems, quarantine_id)


def _reason(told: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str], ...], str | None]:
    errors = told.get("errors")
    listed = errors[:MOST_PROBLEMS] if isinstance(errors, list) else []
    problems = tuple((_text(e.get("pointer")), _text(e.get("message"))) for e in listed if isinstance(e, dict))
    return _text(told.get("title")), problems, _text(told.get("quarantine_id")) or None


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""
