"""Unique values in every sealed field of every type go through the door: no byte written, logged or shown holds one."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ccr_events.catalogue import event_types
from ccr_events.envelope import Event, decode_record, fact_of
from ccr_events.labels import Label
from ccr_events.registry import EventType
from ccr_events.schemas.payload import payload_schema
from ccr_events.skeleton import split
from ccr_events.validation import validate
from services.engine.ports import AuthenticatedKey, Submission
from services.sealing.access import Opener
from tests.support.doors import Doorway, an_event, doorway, event_id
from tests.support.planted import Planter

PUBLISHED = [t for t in event_types().values() if t.publishers and t.logged]
FIRST = 1


def _event(number: int, event_type: EventType, data: dict[str, Any], case_id: str) -> Event:
    """One that the door accepts: links and moves name a case, a retraction what it retracts."""
    if event_type.name.startswith("case."):
        data["into"] = "0-another-case"
    event = replace(an_event(number, event_type.name), data=data)
    if event_type.name.startswith(("link.", "case.")):
        return replace(event, case_id=case_id)
    return replace(event, corrects=event_id(9_000)) if event_type.name == "event.retracted" else event


def _publisher(event_type: EventType) -> str:
    order = sorted(a.value for a in event_type.publishers)
    return next((a for a in order if a != "adv"), order[0])


async def _everything_through(way: Doorway, planter: Planter) -> list[object]:
    """Accepted, in conflict, malformed and unknown; returns what a caller can see of it."""
    shown: list[object] = []
    [first] = await way.accept(an_event(FIRST))
    assert first.case_id is not None
    for number, event_type in enumerate(PUBLISHED, 100):
        if event_type.name in ("case.merged", "case.split"):  # nothing sealed; moving cases is tested elsewhere
            assert not any(f.get("x-ccr-sealed") for f in _own_fields(event_type))
            continue
        agency = _publisher(event_type)
        event = _event(number, event_type, planter.fullest(payload_schema(event_type)), first.case_id)
        submission = Submission(event, agency, "0" * 16)
        shown += [submission, way.door._prepared(submission, way.clock.now())]
        [receipt] = await way.accept(event, agency=agency)
        other = {**event.data, **_other_text(event.data, planter)}
        spoilt = {**event.data, "planted_field": _plant(planter), _plant(planter): 1}
        unknown = replace(event, type="planted.unknown", id=event_id(number + 2_000))
        if agency != "adv":
            [again] = await way.submit(replace(event, data=other), agency=agency)
            assert again.status == ("conflict" if other != event.data else "duplicate"), again
            refused = await way.submit(replace(event, data=spoilt, id=event_id(number + 1_000)), unknown, agency=agency)
            assert [r.status for r in refused] == ["quarantined", "quarantined"]
            shown += [again, *refused]
        shown.append(receipt)
    shown += await way.quarantine.waiting()
    return shown


def _own_fields(event_type: EventType) -> list[dict[str, Any]]:
    own = event_type.model.model_json_schema()["properties"]
    return [f for name, f in own.items() if name not in ("parties", "references", "source_document")]


def _plant(planter: Planter) -> str:
    return planter._text({}, sealed=True)


def _other_text(data: dict[str, Any], planter: Planter) -> dict[str, Any]:
    return {"source_document": _plant(planter)} if "source_document" in data else {}


async def test_no_planted_value_is_written_logged_or_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    planter = Planter()
    async with doorway(tmp_path, release_is_live=lambda release_id, at: True) as way:
        shown = await _everything_through(way, planter)
        raw, hint = b"not even JSON: " + _plant(planter).encode(), _plant(planter)
        shown.append(await way.quarantine.hold(raw, agency="le", key_id="k", type_hint=hint, title="unread",
                                               problems=()))  # fmt: skip
        shown += await way.engine.log.read(0, 1_000)
        shown += [way.door, way.keys, way.sealer, way.hashes]
        opened = await Opener(way.engine.writer, way.keys, way.clock, way.observer).open(
            event_id(100), [label.value for label in Label], purpose="safety", by=AuthenticatedKey("k", "psap")
        )
        shown.append(opened)
        _absent(planter, _files(tmp_path), "while it runs")
    _absent(planter, _files(tmp_path), "after it closed")
    _absent(planter, {"log output": caplog.text.encode()}, "logged")
    _absent(planter, {type(item).__name__: repr(item).encode() for item in shown}, "shown")
    assert len(planter.planted) > 10 * len(PUBLISHED)


def _files(directory: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert {"keys.db"} < set(found)
    return found


def _absent(planter: Planter, texts: dict[str, bytes], when: str) -> None:
    for name, text in texts.items():
        found = planter.planted & {match.decode() for match in _SHAPES.findall(text)}
        assert not found, f"{len(found)} planted values in {name} {when}, such as {sorted(found)[:3]}"
        assert not _ENCODED.search(text), f"a planted value is only encoded, in {name} {when}"


_SHAPES = re.compile(rb"PLANTED-\d{5}|19\d\d-\d\d-\d\d|987\d{6}")
"""Every planted value has one of these shapes."""
_ENCODED = re.compile(
    b"|".join([b"PLANTED-".hex().encode(), *(b64encode(b"PLANTED-"[skip : skip + 6]) for skip in range(3))])
)
"""Base64 at each alignment, and hex: an encoding is no sealing."""


def test_shapes_find_every_planted_value() -> None:
    planter = Planter()
    for event_type in PUBLISHED:
        planter.fullest(payload_schema(event_type))
    assert {match.decode() for match in _SHAPES.findall(" ".join(planter.planted).encode())} == planter.planted
    for padding in ("", "x", "xx"):
        assert _ENCODED.search(b64encode(f"{padding}PLANTED-00001".encode()))


@pytest.mark.parametrize("event_type", PUBLISHED, ids=lambda t: t.name)
def test_every_sealed_text_can_be_planted(event_type: EventType) -> None:
    """Or the test above would prove less than it says."""
    planter = Planter()
    payload = validate(event_type.name, event_type.version, planter.fullest(payload_schema(event_type)))
    skeleton = split(payload)
    assert bool(planter.planted) == bool(skeleton.sealed)
    assert all(text in repr(dict(skeleton.sealed)) for text in planter.planted)
    assert not any(text in repr(skeleton.open) for text in planter.planted)


async def test_fact_given_to_the_core_is_the_one_the_log_gives_back(tmp_path: Path) -> None:
    given = []

    async with doorway(tmp_path, release_is_live=lambda release_id, at: True) as way:
        append = way.door._append

        def remembering(tx: Any, record: Any) -> int:
            given.append(record.fact)
            return append(tx, record)

        way.door._append = remembering
        await _everything_through(way, Planter())
        stored = {r.event_id: fact_of(decode_record(r.body)) for r in await way.engine.log.read(0, 1_000)}
    assert len(given) > len(PUBLISHED) - 5
    for fact in given:
        assert fact == stored[fact.id]
