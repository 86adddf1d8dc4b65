"""One golden example of every type, in which every field is given: what stays open, what is sealed under what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ccr_events.catalogue import event_types
from ccr_events.payload import Payload
from ccr_events.skeleton import join, split
from ccr_events.validation import validate

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "types"
EACH = pytest.mark.parametrize("name", sorted(event_types()))


def _example(name: str) -> dict[str, Any]:
    example: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return example


def test_every_type_has_an_example_and_every_example_a_type() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(event_types())


@EACH
def test_the_example_gives_every_field_of_its_type(name: str) -> None:
    own = event_types()[name].model.model_fields.keys() - Payload.model_fields
    assert own <= _example(name)["data"].keys()


@EACH
def test_the_example_is_split_as_written_and_joined_without_loss(name: str) -> None:
    example = _example(name)
    parts = split(validate(name, 1, example["data"]))
    assert parts.open == example["open"]
    assert {label.value: dict(values) for label, values in parts.sealed.items()} == example["sealed"]
    whole = join(parts.open, parts.sealed)
    assert {field: whole[field] for field in example["data"]} == example["data"]


@EACH
def test_nothing_that_identifies_the_example_s_people_stays_open(name: str) -> None:
    text = json.dumps(_example(name)["open"])
    assert not [planted for planted in ("Testperson", "Nowhere", "555-01", "Invented", "badge-") if planted in text]
