from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ccr_events import upcast
from ccr_events.envelope import fact_of
from ccr_events.upcast import UnsupportedVersion, Upcasters
from ccr_events.validation import InvalidPayload, validate_as
from tests.support.contract import SAMPLE, Sample

THIRD = replace(SAMPLE, version=3)


def _two_steps() -> Upcasters:
    steps = Upcasters()
    steps.add("sample.made", 1, lambda data: {"color": data["tint"]})
    steps.add("sample.made", 2, lambda data: {"colour": data["color"]})
    return steps


@pytest.mark.parametrize(("version", "name"), [(1, "tint"), (2, "color"), (3, "colour")])
def test_every_known_version_becomes_the_current_payload(version: int, name: str) -> None:
    payload = validate_as(THIRD, version, {name: "green"}, upcasters=_two_steps())
    assert isinstance(payload, Sample)
    assert payload.colour == "green"


def test_upcasting_leaves_what_was_submitted_alone() -> None:
    steps = Upcasters()

    def forget(data: dict[str, Any]) -> dict[str, Any]:
        data.clear()
        return data

    steps.add("sample.made", 1, forget)
    submitted = {"colour": "green"}
    steps.bring_up("sample.made", 1, submitted)
    assert submitted == {"colour": "green"}


@pytest.mark.parametrize(("version", "hint"), [(4, "known up to version 3"), (0, "publish version 3")])
def test_an_unknown_version_is_refused_with_what_to_do(version: int, hint: str) -> None:
    with pytest.raises(InvalidPayload, match=hint) as caught:
        validate_as(THIRD, version, {}, upcasters=_two_steps())
    assert caught.value.problems[0][0] == "/schemaver"


def test_a_version_with_no_way_up_is_refused() -> None:
    steps = Upcasters()
    steps.add("sample.made", 2, dict)
    with pytest.raises(UnsupportedVersion, match="publish version 3"):
        steps.to_current(THIRD, 1, {})
    assert steps.gaps(THIRD) == [1]


def test_old_data_that_does_not_fit_its_version_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidPayload) as caught:
        validate_as(THIRD, 1, {"PLANTED": "PLANTED"}, upcasters=_two_steps())
    assert "PLANTED" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_two_upcasters_of_one_version_are_refused() -> None:
    steps = _two_steps()
    with pytest.raises(ValueError, match="two upcasters from version 2"):
        steps.add("sample.made", 2, dict)


def test_an_old_record_is_folded_as_the_current_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upcast.UPCASTERS, "_steps", {})
    upcast.upcaster("sample.made", from_version=1)(lambda data: {**data, "colour": data["tint"]})
    record = {
        "id": "019a0000-0000-7000-8000-000000000001",
        "source": "/sample",
        "type": "sample.made",
        "agency": "le",
        "caseid": "c",
        "time": "2026-03-01T22:15:00Z",
        "recordedtime": "2026-03-01T22:16:00Z",
        "policyversion": "e",
        "schemaver": 1,
        "data": {"tint": "green", "sealed": {"VID": "token"}},
    }
    assert fact_of(record).data == {"tint": "green", "colour": "green"}
    assert fact_of({**record, "schemaver": 2}).data == {"tint": "green"}
