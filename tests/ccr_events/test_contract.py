"""Laws that hold for every event type of the contract."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ccr_events.catalogue import event_types
from ccr_events.payload import Payload
from ccr_events.registry import EventType
from ccr_events.schemas.payload import payload_schema
from ccr_events.skeleton import dump, join, split
from ccr_events.validation import InvalidPayload, validate_as
from tests.support.contract import SAMPLE
from tests.support.from_schema import documents

TYPES = {**event_types(), "sample.made": SAMPLE}
SCHEMAS = {name: payload_schema(event_type) for name, event_type in TYPES.items()}
EACH = pytest.mark.parametrize("name", sorted(TYPES))
BEYOND_SCHEMA = {"value_error", "assertion_error"}
QUICK = settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
"""Few examples of each of many types: the shapes they are made of are met hundreds of times in one run."""


def _payload(event_type: EventType, data: Any) -> Payload:
    """The payload; data that only a rule beyond JSON Schema refuses is no case for these laws."""
    kinds: set[str] = set()
    try:
        event_type.model.model_validate_json(orjson.dumps(data), strict=True)
    except ValidationError as error:
        kinds = {details["type"] for details in error.errors()}
    assume(not kinds or not kinds <= BEYOND_SCHEMA)
    return validate_as(event_type, event_type.version, data)


@EACH
def test_what_the_schema_allows_is_accepted_and_split_without_loss(name: str) -> None:
    @given(documents(SCHEMAS[name]))
    @QUICK
    def law(data: Any) -> None:
        payload = _payload(TYPES[name], data)
        parts = split(payload)
        assert join(parts.open, parts.sealed) == dump(payload)

    law()


@EACH
def test_no_sealed_value_stays_open(name: str) -> None:
    @given(documents(_planted(SCHEMAS[name])))
    @QUICK
    def law(data: Any) -> None:
        parts = split(_payload(TYPES[name], data))
        assert b"PLANTED" not in orjson.dumps(parts.open)

    law()


@EACH
def test_an_unknown_field_is_refused_without_repeating_it(name: str) -> None:
    @given(st.sampled_from(["PLANTED", "planted_note"]))
    @QUICK
    def law(field: str) -> None:
        with pytest.raises(InvalidPayload) as caught:
            validate_as(TYPES[name], TYPES[name].version, {field: "PLANTED"})
        assert "planted" not in str(caught.value).lower()

    law()


def _planted(schema: Any, *, sealed: bool = False) -> Any:
    """The schema with every free text under a sealed mark allowing only planted values."""
    if isinstance(schema, list):
        return [_planted(item, sealed=sealed) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inside = sealed or schema.get("x-ccr-sealed") is True
    free = schema.get("type") == "string" and not {"enum", "pattern", "format", "const"} & schema.keys()
    if inside and free:
        return {**schema, "enum": ["PLANTED value"]}
    return {key: _planted(value, sealed=inside) for key, value in schema.items()}
