"""Events in files of one's own, read as the facts the core would see: validated, their sealed fields left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_type_named
from ccr_events.core.index import FactIndex, build
from ccr_events.core.model import Fact
from ccr_events.envelope import MAX_BATCH_BYTES, EnvelopeError, Event, read_structured
from ccr_events.policy.vocabulary import may_publish
from ccr_events.skeleton import split
from ccr_events.validation import InvalidPayload, UnknownEventType, validate
from services.cli.refused import Refused

CASE = "a case"
"""Case id of facts that only stand in a file."""


def read_facts(path: Path, given: Sequence[Path]) -> tuple[Fact, FactIndex]:
    """The event of a file, and it together with the events of the `given` files as the facts of one case."""
    events = _facts(path)
    if len(events) != 1:
        raise Refused(f"{path} holds {len(events)} events: name a file with one, and give the others with --given")
    facts = [*events, *(fact for other in given for fact in _facts(other))]
    return events[0], build({fact.id: fact for fact in facts})


def _facts(path: Path) -> list[Fact]:
    with path.open("rb") as file:
        raw = file.read(MAX_BATCH_BYTES + 1)
    if len(raw) > MAX_BATCH_BYTES:
        raise Refused(f"{path} is larger than {MAX_BATCH_BYTES:,} bytes")
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refused(f"{path} is not JSON") from None
    return [_fact(item, path) for item in (content if isinstance(content, list) else [content])]


def _fact(item: object, path: Path) -> Fact:
    try:
        event = read_structured(orjson.dumps(item))
        payload = validate(event.type, event.schema_version, event.data)
    except (EnvelopeError, InvalidPayload, UnknownEventType) as error:
        raise Refused(f"{path}: {error}") from None
    return Fact(
        id=event.id,
        type=event.type,
        agency=_agency(event),
        case_id=CASE,
        occurred_at=event.occurred_at,
        recorded_at=event.occurred_at,
        edition="",
        data=split(payload).open,
        corrects=event.corrects,
        source=event.source,
    )


def _agency(event: Event) -> str:
    """Who publishes it: the agency its source names, or the only one that may."""
    publishers = [a.value for a in Agency if may_publish(event_type_named(event.type), a)]
    named = [agency for agency in publishers if agency in event.source.replace("/", ":").replace("-", ":").split(":")]
    return (named or publishers or [Agency.CCR.value])[0]
