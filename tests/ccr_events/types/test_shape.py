"""Laws on the shape of every payload, read off its published schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ccr_events.catalogue import event_types
from ccr_events.labels import Label, sealed
from ccr_events.payload import Payload
from ccr_events.schemas.payload import payload_schema
from ccr_events.skeleton import mark_of

EACH = pytest.mark.parametrize("name", sorted(event_types()))
IN_TRANSIT = ("/case.absorbed/data_json", "/case.absorbed/links_json", "/case.absorption_ended/links_json")
"""The only open texts without a pattern: another fact's open skeleton, and links, which hold nothing else."""


def _nodes(schema: Any, at: str, *, hidden: bool = False) -> Iterator[tuple[str, bool, Mapping[str, Any]]]:
    """(place, sealed, schema) of every schema inside a schema."""
    if not isinstance(schema, dict):
        return
    hidden = hidden or schema.get("x-ccr-sealed") is True
    yield at, hidden, schema
    for key in ("properties", "$defs"):
        for name, inner in schema.get(key, {}).items():
            yield from _nodes(inner, f"{at}/{name}", hidden=hidden)
    for inner in schema.get("anyOf", ()):
        yield from _nodes(inner, at, hidden=hidden)
    yield from _nodes(schema.get("items"), f"{at}/*", hidden=hidden)


def _schema_nodes(name: str) -> list[tuple[str, bool, Mapping[str, Any]]]:
    return list(_nodes(payload_schema(event_types()[name]), f"/{name}"))


@EACH
def test_no_free_text_stays_open(name: str) -> None:
    free = [
        at
        for at, hidden, node in _schema_nodes(name)
        if node.get("type") == "string" and not hidden and not {"enum", "const", "pattern", "format"} & node.keys()
    ]
    assert [at for at in free if at not in IN_TRANSIT] == []


@EACH
def test_no_object_takes_whatever_it_is_given(name: str) -> None:
    loose = [at for at, _, n in _schema_nodes(name) if n.get("type") == "object" and n.get("additionalProperties", 1)]
    assert loose == []


@EACH
def test_every_list_text_and_number_has_a_bound(name: str) -> None:
    bounds = {"array": {"maxItems"}, "integer": {"minimum", "maximum"}, "string": {"maxLength", "enum", "format"}}
    for at, _, node in _schema_nodes(name):
        match node.get("type"):
            case "string":
                assert {"maxLength", "enum", "const", "format"} & node.keys(), at
            case "array" | "integer" as kind:
                assert bounds[kind] <= node.keys(), at
            case _:
                assert node.get("type") != "number", f"{at}: a number is whole and bounded"


SEALED = {
    ("call.received", "callback"): Label.VLOC,
    ("call.received", "address"): Label.VLOC,
    ("call.received", "caller_role"): Label.VID,
    ("call.received", "children_present"): Label.CHILD,
    ("incident.reported", "injury"): Label.HLTH,
    ("incident.reported", "weapon"): Label.HLTH,
    ("incident.reported", "strangulation"): Label.HLTH,
    ("incident.reported", "pattern"): Label.RISK,
    ("incident.reported", "child_impact"): Label.CHILD,
    ("incident.reported", "narrative"): Label.CJI,
    ("risk.screened", "answers"): Label.RISK,
    ("risk.screened", "result"): Label.RISK,
    ("risk.screened", "victim_spoke"): Label.ADV,
    ("suspect.sought", "danger"): Label.RISK,
    ("referral.advocacy_sent", "safe_contact"): Label.VLOC,
    ("referral.advocacy_sent", "legal_basis"): Label.VID,
    ("victim.notice_given", "channel"): Label.VLOC,
    ("victim.release_notified", "channel"): Label.VLOC,
    ("advocate.information_shared", "content"): Label.ADV,
    ("jail.booked", "in_custody_threat"): Label.RISK,
    ("jail.threat_recorded", "summary"): Label.RISK,
    ("bail.evaluated", "score"): Label.RISK,
    ("bail.evaluated", "victim_input_ref"): Label.RISK,
    ("charge.filed", "enhancement"): Label.CHRI,
    ("sentence.imposed", "restitution_cents"): Label.FIN,
    ("probation.opened", "risk"): Label.RISK,
    ("probation.contact_recorded", "source_protected"): Label.RISK,
    ("violation.alleged", "source_protected"): Label.RISK,
    ("bip.threat_reported", "summary"): Label.RISK,
    ("ofp.petitioned", "children"): Label.CHILD,
    ("arrest.made", "supervisor_id"): Label.OPS,
    ("ofp.served", "server"): Label.OPS,
    ("probation.opened", "officer"): Label.OPS,
}
"""What the domain sheet labels, and the names of workers."""


@pytest.mark.parametrize(("name", "field"), sorted(SEALED))
def test_what_the_domain_calls_confidential_is_sealed_under_its_label(name: str, field: str) -> None:
    info = event_types()[name].model.model_fields[field]
    assert mark_of(info, field) == sealed(SEALED[name, field])


def test_everything_in_a_release_of_information_is_advocacy_confidential() -> None:
    releases = [t for name, t in event_types().items() if name.startswith("release_of_info.")]
    marks = {
        mark_of(info, field)
        for t in releases
        for field, info in t.model.model_fields.items()
        if field not in Payload.model_fields
    }
    assert marks == {sealed(Label.ADV)}
