from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, computed_field

from ccr_events.catalogue import event_types
from ccr_events.labels import OPS, Label, sealed
from ccr_events.payload import Model, Party, PartyRole, Payload, PersonName, ShortText
from ccr_events.skeleton import MarkingError, check_marks, dump, join, split
from tests.support.contract import Colour, Note, Sample

_planted = st.from_regex(r"PLANTED-[a-z]{8}", fullmatch=True)
_notes = st.builds(
    Note, kind=st.sampled_from(Colour), text=st.none() | _planted, where=st.none() | _planted, number=st.just("17")
)
_parties = st.builds(
    Party,
    role=st.sampled_from(PartyRole),
    name=st.none() | st.builds(PersonName, given=st.none() | _planted, surname=_planted),
    address=st.none() | _planted,
    phone=st.none() | _planted,
    state_id=st.none() | _planted,
)
_samples = st.builds(
    Sample,
    parties=st.lists(_parties, max_size=4).map(tuple),
    first_note=st.none() | _notes,
    notes=st.lists(_notes, max_size=4).map(tuple),
    hidden_notes=st.lists(_planted, max_size=3).map(tuple),
    narrative=st.none() | _planted,
    armed=st.none() | st.booleans(),
)


@given(_samples)
def test_joining_all_parts_gives_back_the_payload(payload: Sample) -> None:
    parts = split(payload)
    assert join(parts.open, parts.sealed) == dump(payload)


@given(_samples)
def test_no_sealed_value_stays_in_the_open_skeleton(payload: Sample) -> None:
    parts = split(payload)
    assert b"PLANTED" not in orjson.dumps(parts.open)
    assert "PLANTED" not in repr(parts)


@given(_samples, st.sets(st.sampled_from(Label)))
def test_labels_that_are_not_opened_stay_absent(payload: Sample, opened: set[Label]) -> None:
    parts = split(payload)
    before = orjson.dumps(parts.open)
    joined = orjson.dumps(join(parts.open, {k: v for k, v in parts.sealed.items() if k in opened})).decode()
    for label, values in parts.sealed.items():
        if label not in opened:
            kept = [v for k, vs in parts.sealed.items() if k in opened for v in _texts(vs)]
            assert not [text for text in _texts(values) if text in joined and text not in kept]
    assert orjson.dumps(parts.open) == before, "join leaves the skeleton alone"


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []


def test_open_skeleton_keeps_codes_flags_and_computed_flags() -> None:
    payload = Sample(colour=Colour.GREEN, notes=(Note(kind=Colour.RED, text="Testa was afraid", number="4"),))
    parts = split(payload)
    assert parts.open == {
        "references": [],
        "parties": [],
        "dv": "unknown",
        "colour": "green",
        "notes": [{"kind": "red", "number": "4"}],
        "has_notes": True,
    }
    assert parts.sealed == {
        Label.RISK: {"/notes/0/text": "Testa was afraid"},
        Label.CHILD: {"/hidden_notes": []},
    }


def test_absent_values_leave_no_trace() -> None:
    assert "null" not in orjson.dumps(split(Sample(first_note=Note(kind=Colour.RED))).open).decode()


@pytest.mark.parametrize("name", sorted(event_types()) or [None])
def test_every_declared_type_can_be_split(name: str | None) -> None:
    check_marks(event_types()[name].model if name else Payload)


def test_a_field_without_a_mark_is_refused() -> None:
    class Unmarked(Payload):
        loose: str

    with pytest.raises(MarkingError, match=r"Unmarked\.loose: needs exactly one confidentiality mark, has 0"):
        check_marks(Unmarked)


def test_a_field_named_sealed_is_refused() -> None:
    class Clash(Payload):
        sealed: Annotated[str, OPS]

    with pytest.raises(MarkingError, match=r"Clash\.sealed: the name is reserved"):
        check_marks(Clash)


def test_a_label_hidden_inside_another_label_is_refused() -> None:
    class Mixed(Payload):
        note: Annotated[Note, sealed(Label.RISK)]

    with pytest.raises(MarkingError, match=r"Mixed\.note is sealed as RISK but contains Note\.where"):
        check_marks(Mixed)


def test_an_unsplittable_model_deep_inside_is_found() -> None:
    class Loose(Model):
        text: str

    class Middle(Model):
        inner: Annotated[Loose, OPS]

    class Outer(Payload):
        middles: Annotated[tuple[Middle, ...], OPS] = Field(default=())

    with pytest.raises(MarkingError, match=r"Loose\.text"):
        check_marks(Outer)


@pytest.mark.parametrize("shape", [dict[str, Note], tuple[tuple[Note, ...], ...], tuple[dict[str, Note], ...]])
def test_models_in_maps_and_lists_of_lists_are_refused(shape: Any) -> None:
    class Odd(Payload):
        notes: Annotated[shape, OPS]  # type: ignore[valid-type]

    with pytest.raises(MarkingError, match="may stand alone or in one list"):
        check_marks(Odd)


def test_a_computed_model_is_refused_and_a_computed_sealed_value_is_sealed() -> None:
    class Computed(Payload):
        @computed_field
        @property
        def whole(self) -> Note:
            return Note(kind=Colour.RED)

    class Marked(Payload):
        @computed_field
        @property
        def secret(self) -> Annotated[ShortText, sealed(Label.RISK)]:
            return "afraid"

    with pytest.raises(MarkingError, match="a computed field holds a plain value"):
        check_marks(Computed)
    assert split(Marked()).sealed == {Label.RISK: {"/secret": "afraid"}}


def test_a_field_with_an_alias_is_refused() -> None:
    class Aliased(BaseModel):
        kind: Annotated[str, OPS] = Field(alias="type")

    with pytest.raises(MarkingError, match="no alias"):
        check_marks(Aliased)
