"""The usual event read in one pass is the event the careful reader reads; whatever is not usual is left to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.envelope import EnvelopeError, Event, write_structured
from ccr_events.envelope.attributes import EXTENSIONS, cloud_event, event_of
from ccr_events.envelope.plain import plain_event
from tests.support.envelopes import EVENT, MINIMAL

_NAMES = sorted({*EXTENSIONS, *MINIMAL, "subject", "datacontenttype", "dataschema", "agency", "corects", "data_base64"})
_VALUES = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            "1",
            "1.0",
            "019A0000-0000-7000-8000-00000000000A",
            "2026-03-01t22:15:00.123456789z",
            "2026-03-01T22:15:00+05:30",
            "2026-02-30T00:00:00Z",
            "1899-12-31T23:59:59Z",
            "2200-01-01T00:30:00+01:00",
            "0001-01-01T00:00:00+12:00",
            "text/json; charset=utf-8",
            "a" * 129,
            "arrest.made",
            "é",
            "line\nbreak",
            "x\n",
            EVENT.traceparent,
        ]
    ),
    st.text(max_size=20),
    st.integers(-1, 10_000),
    st.booleans(),
    st.just({"colour": "green"}),
    st.just([]),
)


def _careful(form: dict[str, Any]) -> Event | EnvelopeError:
    attributes = dict(form)
    data = attributes.pop("data", None)
    try:
        return event_of(cloud_event(attributes, data))
    except EnvelopeError as error:
        return error


@pytest.mark.parametrize("form", [write_structured(EVENT), MINIMAL], ids=["every attribute", "the least"])
def test_the_usual_event_is_read_in_one_pass(form: dict[str, Any]) -> None:
    assert plain_event(form) == _careful(form)


@given(
    st.sampled_from([write_structured(EVENT), MINIMAL]),
    st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=3),
    st.sets(st.sampled_from(_NAMES), max_size=2),
)
def test_what_is_read_in_one_pass_is_what_the_careful_reader_reads(
    form: dict[str, Any], changed: dict[str, Any], left_out: set[str]
) -> None:
    changed_form = {name: value for name, value in {**form, **changed}.items() if name not in left_out}
    plain = plain_event(changed_form)
    assert plain is None or plain == _careful(changed_form)
