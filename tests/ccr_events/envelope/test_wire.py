from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.envelope import (
    BATCH,
    MAX_BATCH_EVENTS,
    MAX_DEPTH,
    MAX_EVENT_BYTES,
    STRUCTURED,
    EnvelopeError,
    Event,
    read_http,
    read_structured,
    write_structured,
)
from ccr_events.envelope.wire import OrjsonFormat
from tests.support.envelopes import EVENT, GOLDEN, MINIMAL

JSON_HEADERS = {"Content-Type": STRUCTURED}


def _refusal(value: Any) -> EnvelopeError:
    with pytest.raises(EnvelopeError) as caught:
        read_structured(value if isinstance(value, bytes) else orjson.dumps(value))
    assert caught.value.__context__ is None, "nothing carries the submitted document along"
    return caught.value


def test_structured_form_is_the_golden_one() -> None:
    assert (
        orjson.dumps(write_structured(EVENT), option=orjson.OPT_INDENT_2) + b"\n"
        == (GOLDEN / "structured.json").read_bytes()
    )


def test_structured_request_is_read() -> None:
    body = (GOLDEN / "structured.json").read_bytes()
    assert read_http({"Content-Type": "Application/CloudEvents+JSON; charset=UTF-8"}, body) == [EVENT]


def test_binary_request_is_read() -> None:
    head, _, body = (GOLDEN / "binary.http").read_bytes().partition(b"\n\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    assert read_http(headers, body) == [EVENT]


def test_batch_request_keeps_order_and_returns_the_bytes_of_what_it_cannot_read() -> None:
    good, bad = write_structured(EVENT), {**MINIMAL, "id": "17"}
    first, second, third = read_http({"content-type": BATCH}, orjson.dumps([good, bad, MINIMAL]))
    assert first == EVENT
    assert isinstance(second, EnvelopeError)
    assert second.pointer == "/id"
    assert orjson.loads(second.body or b"") == bad
    assert isinstance(third, Event)


@pytest.mark.parametrize("write", [to_binary, to_structured])
def test_what_the_official_package_writes_is_read(write: Any) -> None:
    attributes = {k: v for k, v in write_structured(EVENT).items() if k != "data"}
    attributes["time"] = EVENT.occurred_at
    for format_ in (JSONFormat(), OrjsonFormat()):
        message = write(CloudEvent(dict(attributes), dict(EVENT.data)), format_)
        assert read_http(message.headers, message.body) == [EVENT]


_events = st.builds(
    Event,
    id=st.uuids().map(str),
    source=st.just("/sample"),
    type=st.sampled_from(["arrest.made", "a.b_c.d"]),
    occurred_at=st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    data=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-99, 99) | st.text()),
    schema_version=st.integers(1, 9999),
    subject=st.none() | st.text("abc -é", min_size=1, max_size=20),
    corrects=st.none() | st.uuids().map(str),
)


@given(_events)
def test_what_is_written_is_read_back(event: Event) -> None:
    assert read_structured(orjson.dumps(write_structured(event))) == event
    assert read_structured(write_structured(event)) == event


@pytest.mark.parametrize("name", ["id", "source", "type", "time", "specversion", "data"])
@pytest.mark.parametrize("absent", [True, False])
def test_a_missing_or_null_attribute_is_named(name: str, absent: bool) -> None:
    event = {k: v for k, v in MINIMAL.items() if k != name}
    error = _refusal(event if absent else {**event, name: None})
    assert error.pointer == f"/{name}"
    assert "is required" in error.message


@pytest.mark.parametrize("name", ["agency", "recordedtime", "policyversion"])
def test_an_adapter_may_not_set_what_the_backbone_sets(name: str) -> None:
    error = _refusal({**MINIMAL, name: "le"})
    assert (error.pointer, error.message) == (f"/{name}", "is set by the backbone; leave it out")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "17"),
        ("id", "{019a0000-0000-7000-8000-000000000004}"),
        ("id", 17),
        ("id", ""),
        ("specversion", "0.3"),
        ("source", "has space"),
        ("source", ""),
        ("source", ["x"]),
        ("type", "Arrest Made"),
        ("type", "booking"),
        ("time", "2026-04-04T22:15:00"),
        ("time", "2026-04-04"),
        ("time", "2026-02-30T00:00:00Z"),
        ("time", "1000-01-01T00:00:00Z"),
        ("time", "0001-01-01T00:00:00+23:59"),
        ("time", 1_772_403_300),
        ("corrects", "the-other-one"),
        ("causationid", 5),
        ("caseid", "a b"),
        ("subject", "two\nlines"),
        ("subject", ""),
        ("schemaver", 0),
        ("schemaver", True),
        ("schemaver", "two"),
        ("schemaver", 1.0),
        ("schemaver", 10_000),
        ("data", []),
        ("data", "text"),
        ("datacontenttype", "application/xml"),
        ("datacontenttype", 5),
        ("data_base64", base64.b64encode(b"{}").decode()),
    ],
)
def test_an_attribute_that_does_not_fit_is_named_and_not_repeated(name: str, value: Any) -> None:
    error = _refusal({**MINIMAL, name: value})
    assert error.pointer == f"/{name}"
    if isinstance(value, str) and len(value) > 3:
        assert value not in str(error)
        assert value not in repr(error)


@pytest.mark.parametrize("name", ["corects", "causationId", "policy_ref", "recordedtimes"])
def test_a_misspelt_attribute_is_refused_rather_than_lost(name: str) -> None:
    assert name not in str(_refusal({**MINIMAL, name: "019a0000-0000-7000-8000-000000000004"}))


def test_foreign_extension_attributes_are_allowed_and_not_carried() -> None:
    assert read_structured({**MINIMAL, "knativearrivaltime": "x", "tracestate": "y"}) == read_structured(MINIMAL)


def test_time_is_brought_to_utc_and_id_to_lower_case() -> None:
    event = read_structured({**MINIMAL, "id": MINIMAL["id"].upper(), "time": "2026-03-01t16:15:00.5-06:00"})
    assert event.occurred_at.isoformat() == "2026-03-01T22:15:00.500000+00:00"
    assert event.id == MINIMAL["id"]


def test_a_malformed_trace_does_not_hold_an_event_back() -> None:
    assert read_structured({**MINIMAL, "traceparent": "garbage"}).traceparent is None


def test_the_trace_of_the_request_is_taken_when_the_event_has_none() -> None:
    headers = {**JSON_HEADERS, "traceparent": EVENT.traceparent or ""}
    (event,) = read_http(headers, orjson.dumps(MINIMAL))
    assert isinstance(event, Event)
    assert event.traceparent == EVENT.traceparent


def test_too_large_an_event_is_refused_alone_or_in_a_batch() -> None:
    large = {**MINIMAL, "data": {"narrative": "x" * MAX_EVENT_BYTES}}
    assert "larger than 1,500,000 bytes" in _refusal(large).message
    first, second = read_http({"Content-Type": BATCH}, orjson.dumps([large, MINIMAL]))
    assert isinstance(first, EnvelopeError)
    assert "larger than" in first.message
    assert isinstance(second, Event)


def test_too_many_events_are_refused() -> None:
    body = orjson.dumps([MINIMAL] * (MAX_BATCH_EVENTS + 1))
    with pytest.raises(EnvelopeError, match="at most 1,000 events"):
        read_http({"Content-Type": BATCH}, body)


@pytest.mark.parametrize(("levels", "accepted"), [(MAX_DEPTH - 1, True), (MAX_DEPTH, False), (5_000, False)])
def test_nesting_is_bounded(levels: int, accepted: bool) -> None:
    # the event is the first level, `data` the second
    nested = b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)
    body = orjson.dumps({**MINIMAL, "data": 0}).replace(b'"data":0', b'"data":' + nested)
    if accepted:
        assert read_structured(body).data
    else:
        assert _refusal(body).pointer == ""


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Content-Type": "application/json"}, "is no CloudEvent"),
        ({}, "is no CloudEvent"),
        ({"Content-Type": "application/cloudevents+avro"}, "only the JSON event format"),
        ({"Content-Type": STRUCTURED + "; charset=latin-1"}, "UTF-8"),
        ({"Content-Type": BATCH}, "must be a JSON array"),
    ],
)
def test_a_request_in_no_known_mode_is_told_what_to_send(headers: dict[str, str], message: str) -> None:
    with pytest.raises(EnvelopeError, match=message):
        read_http(headers, orjson.dumps(MINIMAL))


@pytest.mark.parametrize("body", [b"", b"[1]", b"not json", b"\xff", b'"text"'])
def test_a_binary_body_that_is_no_object_is_refused_at_data(body: bytes) -> None:
    headers = {f"ce-{k}": v for k, v in MINIMAL.items() if k != "data"}
    with pytest.raises(EnvelopeError) as caught:
        read_http(headers, body)
    assert caught.value.pointer == "/data"


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_media = st.sampled_from([STRUCTURED, BATCH, "application/json", "application/cloudevents", ""]) | st.text()
_headers = st.dictionaries(
    st.sampled_from(["ce-specversion", "ce-id", "ce-time", "ce-type", "ce-source", "ce-x y", "traceparent"]),
    st.text() | st.sampled_from(["1.0", "2026-03-01T22:15:00Z", MINIMAL["id"], "%ff", "%00"]),
)


@given(_headers, _media, st.binary() | _json.map(orjson.dumps))
def test_no_bytes_raise_anything_but_an_envelope_error(headers: dict[str, str], media: str, body: bytes) -> None:
    with suppress(EnvelopeError):
        read_http({**headers, "content-type": media}, body)


@given(st.sampled_from([*MINIMAL, "subject", "corrects", "schemaver", "agency", "traceparent", "other"]), _json)
def test_no_attribute_value_raises_anything_but_an_envelope_error(name: str, value: Any) -> None:
    with suppress(EnvelopeError):
        read_http(JSON_HEADERS, orjson.dumps({**MINIMAL, name: value}))


@given(_json)
def test_a_number_beyond_json_is_refused_like_any_other(value: Any) -> None:
    with pytest.raises(EnvelopeError, match="/schemaver"):
        read_structured({**MINIMAL, "schemaver": 10**5000, "extra": value})
