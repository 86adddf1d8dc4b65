"""One case: what happened, as open skeletons, and what is owed. Sealed fields are opened one event at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import ReadPurpose
from ccr_events.core.model import Link
from ccr_events.core.moves import ABSORBED
from ccr_events.envelope import decode_record
from ccr_events.envelope.recorded import SEALED
from ccr_events.labels import Label
from services.alerts.audience import may_see_link
from services.engine.ports import Log, LogRecord
from services.portal.access import Call
from services.portal.backbone import Backbone, Reading
from services.portal.bodies import Body, parse
from services.portal.forms import CaseForm, EntryForm, OpenedForm, answer, link_form
from services.portal.links import MAX_LINKS
from services.portal.problems import not_found
from services.sealing.shown import shown

MAX_TIMELINE = 5_000
"""Newest events of a case that one answer shows."""


_RELEASED = "advocate.information_shared"
"""That it happened tells that the person is in touch with an advocate (28 CFR 94.115)."""


class OpenBody(Body):
    """Which sealed fields are needed, and what for: both are written to the audit log."""

    labels: tuple[Label, ...] = Field(min_length=1, max_length=len(Label))
    purpose: ReadPurpose


def case_routes(reading: Reading) -> list[HTTPRouteHandler]:
    """The route that shows a case, without what is sealed."""

    @get("/v1/cases/{case_id:str}")
    async def show_case(request: Call, case_id: FromPath[str]) -> Response[bytes]:
        """Timeline and links of a case this agency published into, owes something in or was told of."""
        records = await reading.log.of_case(case_id)
        links = await reading.links.links(case_id=case_id, open_only=False, limit=MAX_LINKS)
        entries = [_entry(record) for record in await _with_absorbed(reading.log, records)]
        agency = request.auth.agency
        if not _knows(agency, entries, links):
            raise not_found("case")
        visible = [link for link in links if may_see_link(agency, link)]
        hidden = {link.id for link in links} - {link.id for link in visible}
        timeline = [_shown_to(agency, entry) for entry in entries if _may_see_entry(agency, entry, hidden)]
        forms = [link_form(link, reading.policies) for link in visible]
        return answer(CaseForm(case_id=case_id, timeline=timeline[-MAX_TIMELINE:], links=forms))

    return [show_case]


def opening_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The route that opens what is sealed."""

    @post("/v1/events/{event_id:str}/open", status_code=200)
    async def open_event(request: Call, event_id: FromPath[str]) -> Response[bytes]:
        """Read sealed fields of one event; the read is audited, also when it is refused."""
        body = await parse(request, OpenBody)
        labels = [label.value for label in body.labels]
        opened = await backbone.opener.open(event_id, labels, purpose=body.purpose.value, by=request.auth)
        if opened is None:
            raise not_found("event")
        return answer(OpenedForm(event_id=event_id, fields=opened.fields, denied=opened.denied))

    return [open_event]


async def _with_absorbed(log: Log, records: Sequence[LogRecord]) -> list[LogRecord]:
    """The records of a case; in place of the word that a merge or split carried an event here, the event itself."""
    carried = {r.position: decode_record(r.body)["data"] for r in records if f'"{ABSORBED}"'.encode() in r.body}
    origins = {data["origin_case"] for data in carried.values() if "fact_id" in data}
    originals = {record.event_id: record for case_id in sorted(origins) for record in await log.of_case(case_id)}
    return [originals.get(carried.get(r.position, {}).get("fact_id", ""), r) for r in records]


def _knows(agency: str, entries: list[EntryForm], links: list[Link]) -> bool:
    if not entries and not links:
        return False
    published = any(entry.agency == agency for entry in entries)
    return agency == Agency.CCR or published or any(may_see_link(agency, link) for link in links)


def _may_see_entry(agency: str, entry: EntryForm, hidden: set[str]) -> bool:
    """What is said of a link is shown with the link; what an advocate shared, to those it was released to alone."""
    if entry.agency == agency:
        return True
    if entry.type == _RELEASED:
        return agency in entry.data.get("recipients", ())
    return entry.data.get("link_id") not in hidden


def _shown_to(agency: str, entry: EntryForm) -> EntryForm:
    """The entry with the open fields that the visibility matrix shows this agency."""
    return entry.model_copy(update={"data": shown(entry.type, entry.agency, entry.data, agency)})


def _entry(record: LogRecord) -> EntryForm:
    body = decode_record(record.body)
    data = body["data"]
    return EntryForm(
        position=record.position,
        id=record.event_id,
        type=body["type"],
        agency=body["agency"],
        occurred_at=datetime.fromisoformat(body["time"]),
        recorded_at=datetime.fromisoformat(body["recordedtime"]),
        policyversion=body["policyversion"],
        corrects=body.get("corrects"),
        data={name: value for name, value in data.items() if name != SEALED},
        sealed=sorted(data.get(SEALED, ())),
    )
