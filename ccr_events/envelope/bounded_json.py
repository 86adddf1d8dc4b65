"""Bytes from outside to JSON, within stated bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from ccr_events.envelope.event import EnvelopeError

MAX_EVENT_BYTES = 1_500_000
"""Largest event; room for one source document of a million characters."""
MAX_BATCH_EVENTS = 1_000
MAX_BATCH_BYTES = 16_000_000
"""Largest batch request."""
MAX_DEPTH = 32
"""Deepest nesting of arrays and objects, the event itself included."""


def load_json(raw: bytes, *, limit_bytes: int) -> Any:
    """Parse UTF-8 JSON; raises `EnvelopeError` on bad JSON, too many bytes, or nesting beyond `MAX_DEPTH`."""
    if len(raw) > limit_bytes:
        raise EnvelopeError("", f"is larger than {limit_bytes:,} bytes")
    at_byte: int | None = None
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        at_byte = error.pos
    if at_byte is not None:  # raised here, so that the error does not carry the document along as its context
        raise EnvelopeError("", f"is not valid UTF-8 JSON (at character {at_byte})")
    # Fewer opening brackets than the bound cannot nest beyond it: the usual event is never walked.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        check_depth(value)
    return value


def check_depth(value: Any) -> None:
    """Raise `EnvelopeError` when `value` nests deeper than `MAX_DEPTH`."""
    level, depth = _containers([value]), 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise EnvelopeError("", f"nests deeper than {MAX_DEPTH} levels")
        level = _containers(
            inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)
        )


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]
