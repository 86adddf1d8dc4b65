from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.core.model import Fact, Link, LinkState, Step, Transition, TransitionKind
from ccr_events.envelope import (
    decode_record,
    encode_record,
    fact_of,
    recorded_form,
    transition_event,
)
from tests.support.envelopes import EVENT, GOLDEN

RECORDED_AT = datetime(2026, 3, 1, 22, 40, tzinfo=UTC)
DATA: dict[str, Any] = {"colour": "green", "sealed": {"VID": "PLANTED-token"}}


def _record() -> dict[str, Any]:
    return recorded_form(EVENT, case_id="case-18", agency="le", recorded_at=RECORDED_AT, edition="2026-02", data=DATA)


def test_log_form_is_the_golden_one() -> None:
    assert encode_record(_record()) + b"\n" == (GOLDEN / "record.json").read_bytes()


def test_log_form_carries_the_version_the_data_was_brought_up_to() -> None:
    record = recorded_form(
        EVENT,
        case_id="c",
        agency="le",
        recorded_at=RECORDED_AT,
        edition="e",
        data=DATA,
        schema_version=3,
    )
    assert record["schemaver"] == 3


def test_fact_is_the_open_part_of_the_record() -> None:
    assert fact_of(decode_record(encode_record(_record()))) == Fact(
        id=EVENT.id,
        type="sample.made",
        agency="le",
        case_id="case-18",
        occurred_at=EVENT.occurred_at,
        recorded_at=RECORDED_AT,
        edition="2026-02",
        data={"colour": "green"},
        corrects=EVENT.corrects,
        source=EVENT.source,
    )


def test_reading_a_fact_leaves_the_record_whole() -> None:
    record = _record()
    fact_of(record)
    assert record["data"] == DATA


@given(st.permutations(list(_record())))
def test_order_of_keys_does_not_change_the_bytes(names: list[str]) -> None:
    record = _record()
    assert encode_record({name: record[name] for name in names}) == encode_record(record)


def test_decoding_undoes_encoding() -> None:
    assert decode_record(encode_record(_record())) == _record()


LINK = Link(
    id="019a0000-0000-5000-8000-00000000000a",
    case_id="case-18",
    rule="release-notice",
    edition="2026-02",
    trigger_id=EVENT.id,
    agency="jail",
    role="release_desk",
    urgency="immediate",
    opened_at=EVENT.occurred_at,
    due_at=datetime(2026, 3, 1, 23, tzinfo=UTC),
    lag_s=1500,
    state=LinkState.OPENED,
    overdue=True,
    steps=(Step(1, datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "jail", "watch_commander", reached=True),),
    references=(("booking_no", "B-17"),),
)
TRANSITION = Transition(
    id="019a0000-0000-5000-8000-00000000000b",
    kind=TransitionKind.ESCALATED,
    step=1,
    cause="019a0000-0000-5000-8000-00000000000c",
    at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
    link=LINK,
    to_agency="jail",
    to_role="watch_commander",
)


def test_transition_event_is_the_golden_one() -> None:
    text = orjson.dumps(transition_event(TRANSITION), option=orjson.OPT_INDENT_2) + b"\n"
    assert text == (GOLDEN / "transition.json").read_bytes()


def test_transition_of_an_ended_link_names_what_ended_it() -> None:
    ended = replace(LINK, state=LinkState.SATISFIED, ended_at=RECORDED_AT, ended_by=EVENT.id)
    form = transition_event(replace(TRANSITION, kind=TransitionKind.SATISFIED, link=ended))
    assert form["type"] == "link.satisfied"
    assert form["data"]["link"]["ended_by"] == EVENT.id
    assert form["data"]["link"]["ended_at"] == "2026-03-01T22:40:00Z"
