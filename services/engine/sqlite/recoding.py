"""Links and transitions as files of version 5 and older hold them, with the names of their fields, written anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from ccr_events.core.codec import decode_link, decode_transition, encode_link, encode_transition
from ccr_events.core.model import Link, Step, Transition


def recoded_link(body: bytes) -> bytes:
    """One link."""
    return encode_link(decode_link(orjson.dumps(_link(orjson.loads(body)))))


def recoded_transition(body: bytes) -> bytes:
    """One transition."""
    stored = orjson.loads(body)
    stored["link"] = _link(stored["link"])
    return encode_transition(decode_transition(orjson.dumps(_in_order(stored, Transition.__struct_fields__))))


def _link(stored: Mapping[str, Any]) -> list[Any]:
    steps = [_in_order(step, Step.__struct_fields__) for step in stored["steps"]]
    return _in_order({**stored, "steps": steps}, Link.__struct_fields__)


def _in_order(stored: Mapping[str, Any], fields: tuple[str, ...]) -> list[Any]:
    return [stored[name] for name in fields if name in stored]
