"""The log form of an event, and what the core reads from it.

The log form is the structured CloudEvent with the backbone's own attributes, and `data` split: open fields
as they are, confidential ones as `"sealed": {"<LABEL>": "<token>"}` (see `ccr_events.skeleton`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from msgspec import Struct
from msgspec.json import Decoder

from ccr_events.core.model import Fact, Link, Transition
from ccr_events.envelope.event import Event
from ccr_events.envelope.wire import instant_text, write_structured
from ccr_events.upcast import UPCASTERS

SEALED = "sealed"
"""Key in `data` that holds the sealed parts, by label."""
CASEBOOK_SOURCE = "/ccr/casebook"
"""CloudEvents `source` of link transitions."""


def recorded_form(
    event: Event,
    *,
    case_id: str,
    agency: str,
    recorded_at: datetime,
    edition: str,
    data: Mapping[str, Any],
    schema_version: int | None = None,
) -> dict[str, Any]:
    """The log form of `event`, without its `subject`: free text with no confidentiality label is not for the log.

    `data` is the open skeleton plus `"sealed"`; `schema_version` is its version when validation brought it up
    to date (default: the event's). `recorded_at` is aware UTC; `edition` the policy edition then in force.
    """
    form = write_structured(event)
    del form["data"]
    form.pop("subject", None)
    form["schemaver"] = event.schema_version if schema_version is None else schema_version
    form["caseid"] = case_id
    form["agency"] = agency
    form["recordedtime"] = instant_text(recorded_at)
    form["policyversion"] = edition
    form["data"] = data
    return form


def encode_record(record: Mapping[str, Any]) -> bytes:
    """The bytes the log stores: same content, same bytes, whatever the order of keys."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def decode_record(body: bytes) -> dict[str, Any]:
    """A stored record; inverse of `encode_record`."""
    record: dict[str, Any] = orjson.loads(body)
    return record


def fact_of(record: Mapping[str, Any]) -> Fact:
    """The open skeleton of a record: what the core folds. Trusts the log; an old version is upcast."""
    event_type: str = record["type"]
    data = {name: value for name, value in record["data"].items() if name != SEALED}
    version: int = record["schemaver"]
    if (event_type, version) in UPCASTERS:
        data = UPCASTERS.bring_up(event_type, version, data)
    return Fact(
        id=record["id"],
        type=event_type,
        agency=record["agency"],
        case_id=record["caseid"],
        occurred_at=datetime.fromisoformat(record["time"]),
        recorded_at=datetime.fromisoformat(record["recordedtime"]),
        edition=record["policyversion"],
        data=data,
        corrects=record.get("corrects"),
        source=record["source"],
    )


class _LogForm(
    Struct,
    rename={
        "case_id": "caseid",
        "occurred_at": "time",
        "recorded_at": "recordedtime",
        "edition": "policyversion",
        "schema_version": "schemaver",
    },
):
    id: str
    type: str
    agency: str
    case_id: str
    occurred_at: datetime
    recorded_at: datetime
    edition: str
    data: dict[str, Any]
    source: str
    schema_version: int
    corrects: str | None = None


_read = Decoder(_LogForm).decode


def read_fact(body: bytes) -> Fact:
    """`fact_of(decode_record(body))`, in a third of the time: nothing is made of the record but the fact."""
    form = _read(body)
    data, version = form.data, form.schema_version
    data.pop(SEALED, None)
    if (form.type, version) in UPCASTERS:
        data = dict(UPCASTERS.bring_up(form.type, version, data))
    return Fact(
        form.id, form.type, form.agency, form.case_id, form.occurred_at, form.recorded_at, form.edition, data,
        form.corrects, form.source,
    )  # fmt: skip


def transition_event(transition: Transition) -> dict[str, Any]:
    """A link transition as a CloudEvent of type `link.<kind>`, for the links topic and alert streams."""
    link = transition.link
    return {
        "specversion": "1.0",
        "id": transition.id,
        "source": CASEBOOK_SOURCE,
        "type": f"link.{transition.kind.value}",
        "time": instant_text(transition.at),
        "datacontenttype": "application/json",
        "subject": link.id,
        "caseid": link.case_id,
        "agency": "ccr",
        "policyversion": link.edition,
        "causationid": transition.cause,
        "data": {
            "to_agency": transition.to_agency,
            "to_role": transition.to_role,
            "step": transition.step,
            "link": _link_form(link),
        },
    }


def _link_form(link: Link) -> dict[str, Any]:
    form: dict[str, Any] = {
        "id": link.id,
        "rule": link.rule,
        "trigger_id": link.trigger_id,
        "agency": link.agency,
        "role": link.role,
        "urgency": link.urgency,
        "state": link.state.value,
        "overdue": link.overdue,
        "escalated_to": link.escalated_to,
        "opened_at": instant_text(link.opened_at),
        "lag_s": link.lag_s,
        "references": [{"kind": kind, "number": number} for kind, number in link.references],
    }
    instants = {
        "due_at": link.due_at,
        "notified_at": link.notified_at,
        "acknowledged_at": link.acknowledged_at,
        "ended_at": link.ended_at,
    }
    form.update((name, instant_text(at)) for name, at in instants.items() if at is not None)
    if link.ended_by is not None:
        form["ended_by"] = link.ended_by
    return form
