"""Raw `data` to a payload, with errors that name the field and the rule, never the value.

A message is built here from the kind of the error and the limits of the schema. What pydantic or a validator
says is not passed on: it may quote the submitted value, and refusals are logged, counted and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import orjson
from pydantic import ValidationError

from ccr_events.catalogue import UnknownEventType, event_types
from ccr_events.payload import Payload
from ccr_events.problems import problems_of
from ccr_events.registry import EventType
from ccr_events.upcast import UPCASTERS, UnsupportedVersion, Upcasters

__all__ = ["InvalidPayload", "UnknownEventType", "validate", "validate_as"]

Problem = tuple[str, str]
"""(JSON pointer into the event, message)."""


class InvalidPayload(ValueError):
    """`data` does not fit its event type. Text and repr hold pointers and rules, no values."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{pointer} {message}" for pointer, message in problems))
        self.problems = problems
        """At most 51 of (pointer under `/data`, message)."""


def validate(event_type_name: str, schema_version: int, data: Mapping[str, Any]) -> Payload:
    """The payload of an event, at its type's current version.

    Raises `UnknownEventType` (with near names, not the one given) or `InvalidPayload`.
    """
    types = event_types()
    event_type = types.get(event_type_name)
    if event_type is None:
        near = get_close_matches(event_type_name, types, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownEventType(f"unknown event type{hint}")
    return validate_as(event_type, schema_version, data)


def validate_as(
    event_type: EventType,
    schema_version: int,
    data: Mapping[str, Any],
    *,
    upcasters: Upcasters = UPCASTERS,
) -> Payload:
    """Like `validate`, for a type at hand."""
    current = _current(event_type, schema_version, data, upcasters)
    try:
        # strict JSON mode takes what the published schema takes: no "5" for 5, but text for times and enums
        return event_type.model.model_validate_json(orjson.dumps(current), strict=True)
    except ValidationError as error:
        problems = problems_of(error, event_type.model, current)
    raise InvalidPayload(problems)  # outside the handler: it must not carry the values along as its context


def _current(event_type: EventType, version: int, data: Mapping[str, Any], upcasters: Upcasters) -> Mapping[str, Any]:
    if version == event_type.version:
        return data
    try:
        return upcasters.to_current(event_type, version, data)
    except UnsupportedVersion as error:
        problem = ("/schemaver", str(error))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        problem = (
            "/data",
            f"does not fit the version of {event_type.name} it claims to be: "
            f"correct it, or publish version {event_type.version}",
        )
    raise InvalidPayload((problem,))
