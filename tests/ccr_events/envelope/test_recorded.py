from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ccr_events.core.model import Fact, LinkState, TransitionKind
from ccr_events.envelope import (
    decode_record,
    encode_record,
    fact_of,
    read_fact,
    recorded_form,
    transition_event,
)
from tests.support.envelopes import DATA, EVENT, GOLDEN, LINK, RECORDED_AT, TRANSITION, record


def test_log_form_is_the_golden_one() -> None:
    assert encode_record(record()) + b"\n" == (GOLDEN / "record.json").read_bytes()


def test_log_form_leaves_out_the_subject() -> None:
    assert EVENT.subject is not None
    assert "subject" not in record()


def test_log_form_carries_the_version_the_data_was_brought_up_to() -> None:
    newer = recorded_form(
        EVENT,
        case_id="c",
        agency="le",
        recorded_at=RECORDED_AT,
        edition="e",
        data=DATA,
        schema_version=3,
    )
    assert newer["schemaver"] == 3


def test_fact_is_the_open_part_of_therecord() -> None:
    assert fact_of(decode_record(encode_record(record()))) == Fact(
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
    whole = record()
    fact_of(whole)
    assert whole["data"] == DATA


@given(st.permutations(list(record())))
def test_order_of_keys_does_not_change_the_bytes(names: list[str]) -> None:
    whole = record()
    assert encode_record({name: whole[name] for name in names}) == encode_record(whole)


def test_decoding_undoes_encoding() -> None:
    assert decode_record(encode_record(record())) == record()


def test_transition_event_is_the_golden_one() -> None:
    text = orjson.dumps(transition_event(TRANSITION), option=orjson.OPT_INDENT_2) + b"\n"
    assert text == (GOLDEN / "transition.json").read_bytes()


def test_transition_of_an_ended_link_names_what_ended_it() -> None:
    ended = replace(LINK, state=LinkState.SATISFIED, ended_at=RECORDED_AT, ended_by=EVENT.id)
    form = transition_event(replace(TRANSITION, kind=TransitionKind.SATISFIED, link=ended))
    assert form["type"] == "link.satisfied"
    assert form["data"]["link"]["ended_by"] == EVENT.id
    assert form["data"]["link"]["ended_at"] == "2026-03-01T22:40:00Z"


def test_a_record_is_read_to_the_fact_in_one_pass() -> None:
    body = encode_record(record())
    assert read_fact(body) == fact_of(decode_record(body))
    corrected = encode_record({**record(), "corrects": EVENT.id, "time": "2026-03-01T22:14:00.123456Z"})
    assert read_fact(corrected) == fact_of(decode_record(corrected))
