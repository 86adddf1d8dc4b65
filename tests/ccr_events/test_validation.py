from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.problems import MAX_PROBLEMS
from ccr_events.validation import InvalidPayload, UnknownEventType, validate, validate_as
from tests.support.contract import SAMPLE, Sample

FULL: dict[str, Any] = {
    "references": [{"kind": "incident_no", "number": "26-0101", "issuer": "X1"}],
    "parties": [{"role": "victim", "name": {"surname": "Placeholder"}, "birth_date": "1990-01-31"}],
    "dv": "yes",
    "colour": "green",
    "count": 3,
    "at": "2026-03-01T22:15:00Z",
    "armed": False,
    "first_note": {"kind": "red", "text": "a"},
    "notes": [{"kind": "blue or grey", "where": "b"}],
    "hidden_notes": ["c"],
    "narrative": "d",
}


def _problems(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidPayload) as caught:
        validate_as(SAMPLE, 1, data)
    assert caught.value.__context__ is None, "nothing carries the submitted values along"
    return dict(caught.value.problems)


def test_a_payload_that_fits_is_read() -> None:
    payload = validate_as(SAMPLE, 1, FULL)
    assert isinstance(payload, Sample)
    assert payload.notes[0].where == "b"


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        ({"count": 10}, "/data/count", "must be at most 9"),
        ({"count": "3"}, "/data/count", "must be a whole number"),
        ({"count": 3.5}, "/data/count", "must be a whole number"),
        ({"armed": "no"}, "/data/armed", "must be true or false"),
        ({"at": "2026-03-01T22:15:00"}, "/data/at", "must state its offset from UTC, such as 2026-03-01T22:15:00Z"),
        ({"at": 5}, "/data/at", "must be a time with an offset, such as 2026-03-01T22:15:00Z"),
        ({"colour": "gren"}, "/data/colour", "must be one of: red, green, blue or grey; did you mean green?"),
        ({"colour": "?"}, "/data/colour", "must be one of: red, green, blue or grey"),
        ({"colour": 7}, "/data/colour", "must be one of: red, green, blue or grey"),
        ({"narrative": ""}, "/data/narrative", "must be at least 1 characters"),
        ({"narrative": "x" * 50_001}, "/data/narrative", "must be at most 50000 characters"),
        ({"narrative": "empty words"}, "/data/narrative", "must say something"),
        ({"narrative": "quote me"}, "/data/narrative", "breaks a rule of this event type; see its schema"),
        ({"notes": {}}, "/data/notes", "must be a list"),
        ({"notes": [{"kind": "red"}] * 65}, "/data/notes", "must have at most 64 items"),
        ({"notes": [{"kind": "red"}, {}]}, "/data/notes/1/kind", "is required"),
        ({"notes": ["x"]}, "/data/notes/0", "must be a JSON object"),
        ({"notes": [{"kind": "red", "number": "a&b"}]}, "/data/notes/0/number", r"must match the pattern ^[\w.:/ -]+$"),
        ({"first_note": {"kind": "red", "txt": "a"}}, "/data/first_note",
         "has a field that this event type does not know; did you mean text?"),
        ({"zzz": 1}, "/data", "has a field that this event type does not know"),
        ({"has_notes": True}, "/data", "has a field that this event type does not know; did you mean notes?"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_told_with_its_rule(change: dict[str, Any], pointer: str, message: str) -> None:
    assert _problems({**FULL, **change}) == {pointer: message}


def test_every_wrong_field_is_told() -> None:
    assert set(_problems({"colour": "x", "count": -1, "notes": [{}, {}]})) == {
        "/data/colour",
        "/data/count",
        "/data/notes/0/kind",
        "/data/notes/1/kind",
    }


def test_problems_are_bounded_and_counted() -> None:
    problems = _problems({"notes": [{}] * 60, "count": 10})
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems["/data"] == "and 11 more problems"


def test_an_unknown_type_is_refused_without_repeating_it() -> None:
    with pytest.raises(UnknownEventType) as caught:
        validate("PLANTED.made", 1, {})
    assert "PLANTED" not in repr(caught.value)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document, and of every key (path ending in None)."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        if isinstance(value, dict):
            yield (*path, name, None)
        yield from _places(item, (*path, name))


def _planted(secret: Any, path: tuple[Any, ...]) -> dict[str, Any]:
    document = deepcopy(FULL)
    place: Any = document
    *way, last = path if path[-1] is not None else path[:-1]
    for step in way:
        place = place[step]
    if path[-1] is None:
        place[secret if isinstance(secret, str) else str(secret)] = place.pop(last)
    else:
        place[last] = secret
    return document


_secrets = st.sampled_from(["PLANTED", "quote me PLANTED", "PLANTED&/~", "PLANTED" * 9000, "grePLANTED"])


@given(
    _secrets | _secrets.map(lambda s: [s]) | _secrets.map(lambda s: {s: s}) | _secrets.map(lambda s: {"kind": s}),
    st.sampled_from(list(_places(FULL))),
)
def test_a_refusal_never_repeats_what_was_submitted(secret: Any, path: tuple[Any, ...]) -> None:
    try:
        validate_as(SAMPLE, 1, _planted(secret, path))
    except InvalidPayload as error:
        shown = [str(error), repr(error), *map(str, error.problems), "".join(traceback.format_exception(error))]
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "refused", (), (type(error), error, error.__traceback__))
        shown.append(logging.Formatter().format(record))
        assert not [text for text in shown if "PLANTED" in text]
