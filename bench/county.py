"""Records to feed an engine: the case histories of the scripted week, over and over, as other people's cases."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import count
from zlib import crc32

from ccr_events.core.ids import derived
from ccr_events.envelope import Event, encode_record, fact_of, recorded_form
from ccr_events.policy import PolicyBook
from ccr_events.skeleton import split
from ccr_events.validation import validate
from services.demo.acts import Publish, acts
from services.demo.scenario import load_week
from services.engine.transaction import NewRecord

ACTIVE_CASES = 500
"""Cases that are under way at the same time; each event belongs to the next of them."""
ROUNDS = 5
"""Events of a case in `rounds`: histories that are shorter are left out."""
SEALED_TOKEN = "0" * 400
"""Stands for the encrypted fields of an event, in their usual size."""


@dataclass(frozen=True, slots=True)
class _Written:
    """One event of a history, its data split."""

    event: Event
    agency: str
    late: timedelta
    data: dict[str, object]


def records(policies: PolicyBook, era: str = "") -> Iterator[NewRecord]:
    """Records without end: histories are dealt to the active cases in turn, and a finished case makes way for a new
    one, so that a log of any length has cases of the same size. Another `era` has other cases."""
    histories = _histories()
    numbers = count()
    active = [_case(histories, f"{era}{next(numbers)}", policies) for _ in range(ACTIVE_CASES)]
    while True:
        for place, case in enumerate(active):
            record = next(case, None)
            while record is None:
                active[place] = case = _case(histories, f"{era}{next(numbers)}", policies)
                record = next(case, None)
            yield record


def rounds(policies: PolicyBook, cases: int, era: str = "") -> Iterator[Iterator[NewRecord]]:
    """The next event of each of `cases` cases, round after round; `ROUNDS` of them, each to be taken whole."""
    histories = [history for history in _histories() if len(history) >= ROUNDS]
    going = [_case(histories, f"{era}{number}", policies) for number in range(cases)]
    for _ in range(ROUNDS):
        yield (next(case) for case in going)


def _histories() -> list[list[_Written]]:
    found: dict[str, list[_Written]] = {}
    for act in acts(load_week()):
        if isinstance(act, Publish) and act.expected == "accepted":
            payload = validate(act.event.type, act.event.schema_version, act.event.data)
            written = _Written(act.event, act.agency, act.at - act.event.occurred_at, split(payload).open)
            found.setdefault(act.history, []).append(written)
    return list(found.values())


def _case(histories: list[list[_Written]], number: str, policies: PolicyBook) -> Iterator[NewRecord]:
    case_id = derived("bench case", number)
    for written in histories[crc32(number.encode()) % len(histories)]:
        event = written.event
        data = deepcopy(written.data)
        for reference in data.get("references", ()):  # type: ignore[attr-defined]
            reference["number"] = f"{reference['number']}-{number}"
        data["sealed"] = {"VID": SEALED_TOKEN}
        corrects = None if event.corrects is None else derived(event.corrects, case_id)
        own = Event(derived(event.id, case_id), event.source, event.type, event.occurred_at, data, corrects=corrects)
        recorded_at = event.occurred_at + written.late
        form = recorded_form(
            own,
            case_id=case_id,
            agency=written.agency,
            recorded_at=recorded_at,
            edition=policies.edition_at(recorded_at).id,
            data=data,
        )
        body = encode_record(form)
        yield NewRecord(fact_of(form), body, sha256(body).digest())
