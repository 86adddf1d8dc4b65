"""The published files against the official meta-schemas, and against the code that reads by them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource

from ccr_events.catalogue import event_types
from ccr_events.envelope import EnvelopeError, read_structured, transition_event, write_structured
from ccr_events.schemas.asyncapi import asyncapi_document
from ccr_events.schemas.checkin import inspect
from ccr_events.schemas.envelope import envelope_schema, record_schema
from ccr_events.schemas.payload import payload_schema
from ccr_events.validation import InvalidPayload, validate_as
from tests.support.contract import SAMPLE
from tests.support.envelopes import EVENT, MINIMAL, TRANSITION, record

ROOT = Path(__file__).resolve().parents[3]
TYPES = {**event_types(), "sample.made": SAMPLE}


@cache
def _asyncapi_validator() -> Draft7Validator:
    return Draft7Validator(json.loads((ROOT / "tests/official/asyncapi-3.0.0.schema.json").read_text()))


def test_checked_in_schemas_are_in_step_with_the_contract() -> None:
    findings = inspect(ROOT / "schemas", event_types())
    assert (findings.broken, findings.stale) == ((), ())


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_payload_schema_is_json_schema_2020_12(name: str) -> None:
    schema = payload_schema(TYPES[name])
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("schema", [envelope_schema(), record_schema()], ids=["envelope", "record"])
def test_an_envelope_schema_is_json_schema_2020_12(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


def test_the_asyncapi_document_is_valid() -> None:
    document = asyncapi_document(TYPES)
    errors = [f"{error.json_path}: {error.message[:200]}" for error in _asyncapi_validator().iter_errors(document)]
    assert errors == []


def test_the_asyncapi_meta_schema_refuses_what_it_should() -> None:
    document = asyncapi_document(TYPES)
    document["operations"]["record"]["action"] = "shout"
    assert list(_asyncapi_validator().iter_errors(document))


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi_document(event_types())
    for reference in _references(document):
        if reference.startswith("#/"):
            place: Any = document
            for step in reference[2:].split("/"):
                place = place[step]
        else:
            assert (ROOT / "schemas" / reference).is_file(), reference


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for inner in value.values() for found in _references(inner)]
    return [found for inner in value for found in _references(inner)] if isinstance(value, list) else []


def test_the_messages_of_the_asyncapi_document_fit_what_is_sent() -> None:
    document = asyncapi_document(TYPES)
    files = {
        "./envelope.json": envelope_schema(),
        "./record.json": record_schema(),
        "./json/sample.made/v1.json": payload_schema(SAMPLE),
    }
    registry: Registry[Any] = Registry().with_resources(
        [(f"urn:x:/{name[2:]}", Resource.from_contents(schema)) for name, schema in files.items()]
    )

    def errors(message: str, instance: Any) -> list[str]:
        schema = document["components"]["messages"][message]["payload"]
        if "$ref" in schema:
            schema = document["components"]["schemas"]["Transition"]
        text = json.dumps(schema["schema"]).replace('"./', '"urn:x:/')
        validator = Draft202012Validator(json.loads(text), registry=registry)
        return [error.message for error in validator.iter_errors(instance)]

    submitted = {**write_structured(EVENT), "schemaver": 1}
    assert errors("submitted.sample.made", submitted) == []
    assert errors("submitted.sample.made", {**submitted, "agency": "le"})
    assert errors("submitted.sample.made", {**submitted, "data": {"colour": "purple"}})
    assert errors("recorded.sample.made", {**record(), "schemaver": 1}) == []
    assert errors("recorded.sample.made", submitted)
    assert errors("transition.link.escalated", transition_event(TRANSITION)) == []


_value = st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(["a b", "0", "2026-03-01T22:15:00Z", {}])


@given(st.dictionaries(st.sampled_from([*MINIMAL, "subject", "corrects", "caseid", "agency", "policyref"]), _value))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_the_envelope_schema_refuses_is_refused(change: dict[str, Any]) -> None:
    event = {name: value for name, value in {**MINIMAL, **change}.items() if value is not None}
    fits = Draft202012Validator(envelope_schema()).is_valid(event)
    try:
        read_structured(event)
    except EnvelopeError:
        return
    assert fits


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_schema_promises_no_less_than_it_checks(name: str) -> None:
    schema = payload_schema(TYPES[name])
    validator = Draft202012Validator(schema)
    for instance in ({}, {"references": [], "dv": "yes"}, {"unknown": 1}, {"dv": "maybe"}, {"parties": [{}]}):
        try:
            validate_as(TYPES[name], TYPES[name].version, instance)
        except InvalidPayload:
            continue
        assert validator.is_valid(instance), f"{name} accepts what its schema refuses"
