"""What adapter authors are told of each event type."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from ccr_events.catalogue import event_types
from ccr_events.envelope import read_structured
from ccr_events.registry import EventType
from ccr_events.validation import validate_as
from services.cli.main import run
from services.cli.schema_words import example_of, fields_of

AT = datetime(2026, 3, 1, 22, 15, tzinfo=UTC)


@pytest.mark.parametrize("event_type", event_types().values(), ids=lambda t: t.name)
def test_every_example_is_an_event_that_fits_its_type(event_type: EventType) -> None:
    event = read_structured(orjson.dumps(example_of(event_type, AT)))
    payload = validate_as(event_type, event.schema_version, event.data)
    assert isinstance(payload, event_type.model)


@pytest.mark.parametrize("event_type", event_types().values(), ids=lambda t: t.name)
def test_every_field_is_told_with_its_label(event_type: EventType) -> None:
    told = list(fields_of(event_type))
    assert {field.name for field in told} == set(event_type.model.model_fields)
    assert all(field.kind and field.label for field in told)


def test_show_names_fields_and_ends_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "show", "risk.screened"]) == 0
    shown = capsys.readouterr().out
    assert "RISK, sealed" in shown
    assert orjson.loads(shown[shown.index("{") :])["type"] == "risk.screened"


def test_show_json_is_the_published_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "show", "risk.screened", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["title"] == "risk.screened"


def test_list_of_one_agency(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "list", "--agency", "jail", "--json"]) == 0
    names = {t["type"] for t in orjson.loads(capsys.readouterr().out)["types"]}
    assert "jail.booked" in names
    assert "arrest.made" not in names


def test_an_unknown_type_is_refused_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "show", "arest.made"]) == 1
    assert "did you mean arrest.made" in capsys.readouterr().err
