"""Whatever bytes lie on an inbound topic, they are read as events or kept with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.envelope import BATCH, STRUCTURED, EnvelopeError, Event, write_structured
from services.intake.inbound import Source, agencies_topics, arrived
from tests.support.doors import an_event

ONE = an_event(1)
FORM = orjson.dumps(write_structured(ONE))
ANYTHING = agencies_topics()["ccr.inbound.le"]


@dataclass
class Given:
    value: bytes | None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)
    offset: int = 7


def typed(media: str) -> list[tuple[str, bytes | None]]:
    return [("content-type", media.encode())]


@pytest.mark.parametrize(
    "headers", [[], typed(STRUCTURED), [("Content-Type", f"{STRUCTURED}; charset=utf-8".encode())]]
)
def test_a_structured_event(headers: list[tuple[str, bytes | None]]) -> None:
    read = arrived(Given(FORM, headers), ANYTHING)
    assert read.found == (ONE,)
    assert (read.offset, read.alerting, read.raw) == (7, True, FORM)


@pytest.mark.parametrize("headers", [[], typed(BATCH)])
def test_a_batch_with_something_unreadable_in_it(headers: list[tuple[str, bytes | None]]) -> None:
    one, other = arrived(Given(b" [" + FORM + b', {"type": 3}]', headers), ANYTHING).found
    assert one == ONE
    assert isinstance(other, EnvelopeError)
    assert other.body == b'{"type":3}'


@pytest.mark.parametrize(
    ("headers", "alerting"), [([("alerting", b"0")], False), ([("alerting", b"1")], True), ([("alerting", None)], True)]
)
def test_history_says_so_in_a_header(headers: list[tuple[str, bytes | None]], alerting: bool) -> None:
    assert arrived(Given(FORM, headers), ANYTHING).alerting is alerting


def test_a_trace_is_taken_over() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    (event,) = arrived(Given(FORM, [("traceparent", trace.encode())]), ANYTHING).found
    assert isinstance(event, Event)
    assert event.traceparent == trace


@pytest.mark.parametrize(
    ("value", "headers", "said"),
    [
        (None, [], "is not valid UTF-8 JSON"),
        (b"\xff\x00", [], "is not valid UTF-8 JSON"),
        (b"[" + FORM, [], "is not valid UTF-8 JSON"),
        (FORM, typed("application/json"), "only structured CloudEvents"),
        (FORM, typed("application/cloudevents+avro"), "only structured CloudEvents"),
        (FORM, typed(f"{STRUCTURED}; charset=latin-1"), "UTF-8"),
        (FORM, typed(BATCH), "must be a JSON array"),
    ],
)
def test_what_is_no_event_is_kept_whole_with_the_reason(
    value: bytes | None, headers: list[tuple[str, bytes | None]], said: str
) -> None:
    (error,) = arrived(Given(value, headers), ANYTHING).found
    assert isinstance(error, EnvelopeError)
    assert said in error.message
    assert error.body == (value or b"")


@given(st.one_of(st.none(), st.binary(max_size=200)), st.dictionaries(st.text(max_size=20), st.binary(max_size=30)))
def test_no_bytes_make_it_raise(value: bytes | None, headers: dict[str, bytes]) -> None:
    for item in arrived(Given(value, list(headers.items())), ANYTHING).found:
        assert isinstance(item, Event) or item.body is not None


def test_nothing_of_the_record_is_shown() -> None:
    assert "arrest" not in repr(arrived(Given(FORM), ANYTHING))


def test_a_topic_for_one_type_brings_no_other() -> None:
    one_type = Source(ANYTHING.caller, frozenset({"link.notified"}))
    told = an_event(2, "link.notified")
    item = orjson.dumps([write_structured(told), write_structured(ONE)])
    first, other = arrived(Given(item), one_type).found
    assert first == told
    assert isinstance(other, EnvelopeError)
    assert (other.pointer, other.body) == ("/type", item)
