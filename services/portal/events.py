"""`POST /v1/events`: where agencies publish. Answered 202 only once what was accepted is durable.

Nothing is dropped: an event that cannot be read is kept in quarantine, and the answer says under which id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import orjson
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from ccr_events.envelope import BATCH, MAX_BATCH_BYTES, MAX_EVENT_BYTES, STRUCTURED, EnvelopeError, read_http
from services.engine.ports import AuthenticatedKey, Receipt
from services.intake.arrivals import Arrivals
from services.portal.access import Call, spend
from services.portal.backbone import Backbone
from services.portal.bodies import read_body
from services.portal.problems import Problem
from services.portal.rate import Buckets

PATH = "/v1/events"
JSON = "application/json"
FAMILY = "application/cloudevents"
"""How the media types of CloudEvents begin, in whatever format."""
STATUS = {"accepted": 202, "duplicate": 200, "conflict": 409, "forbidden": 403, "quarantined": 422}
"""HTTP status of what became of one event."""


class Publishing:
    """What a request to publish is answered, whichever way it came: by the route here, or `services.portal.front`."""

    def __init__(self, backbone: Backbone, buckets: Buckets) -> None:
        self._arrivals = Arrivals(backbone.publisher, backbone.quarantine, backbone.metrics)
        self._buckets = buckets

    async def answer(
        self,
        caller: AuthenticatedKey,
        headers: Mapping[str, str],
        read: Callable[[int], Awaitable[bytes]],
        query: bytes,
    ) -> Response[bytes]:
        """The answer to a caller known and within its rate. `headers`: lower-case names; `read`: the body, within a
        limit. Raises `Problem`, and whatever `services.portal.problems.HANDLERS` answers.
        """
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        _check_media(media, headers)
        body = await read(MAX_BATCH_BYTES if media == BATCH else MAX_EVENT_BYTES)
        alerting = _alerting(query)
        try:
            found = read_http(headers, body)
        except EnvelopeError as error:
            whole = EnvelopeError(error.pointer, error.message, body=body)
            hint = headers.get("ce-type", "")
            raise one_problem(await self._arrivals.held(whole, caller, alerting=alerting, type_hint=hint)) from None
        if len(found) > 1:
            spend(self._buckets, caller.key_id, len(found) - 1)
        receipts = await self._arrivals.taken_in(found, caller, alerting=alerting)
        return _batch_answer(receipts) if media == BATCH else one_answer(receipts[0])


def event_routes(publishing: Publishing) -> list[HTTPRouteHandler]:
    """The routes."""

    @post(PATH, status_code=202, include_in_schema=False)
    async def publish_events(request: Call) -> Response[bytes]:
        """Publish one event (structured or binary mode) or a batch of at most 1,000."""
        read = partial(read_body, request)
        return await publishing.answer(request.auth, dict(request.headers), read, request.scope["query_string"])

    return [publish_events]


def receipt_form(receipt: Receipt) -> dict[str, Any]:
    """A receipt as JSON; absent members are left out."""
    form: dict[str, Any] = {"event_id": receipt.event_id, "status": receipt.status}
    if receipt.case_id is not None:
        form["case_id"] = receipt.case_id
    if receipt.position is not None:
        form["position"] = receipt.position
    if receipt.quarantine_id is not None:
        form["quarantine_id"] = receipt.quarantine_id
    if receipt.title:
        form["title"] = receipt.title
    if receipt.problems:
        form["errors"] = [{"pointer": p.pointer, "message": p.message} for p in receipt.problems]
    return form


def one_answer(receipt: Receipt) -> Response[bytes]:
    """The answer for one event; raises a problem when it was not accepted."""
    status = STATUS[receipt.status]
    if status >= 400:
        raise one_problem(receipt)
    return Response(orjson.dumps(receipt_form(receipt)), status_code=status, media_type=JSON)


def one_problem(receipt: Receipt) -> Problem:
    """The problem of an event that was not accepted."""
    return Problem(
        STATUS[receipt.status],
        receipt.title or f"The event is {receipt.status}",
        errors=[(p.pointer, p.message) for p in receipt.problems],
        event_id=receipt.event_id or None,
        quarantine_id=receipt.quarantine_id,
        outcome=receipt.status,
    )


def _batch_answer(receipts: Sequence[Receipt]) -> Response[bytes]:
    whole = all(STATUS[receipt.status] < 400 for receipt in receipts)
    body = orjson.dumps({"receipts": [receipt_form(receipt) for receipt in receipts]})
    return Response(body, status_code=202 if whole else 207, media_type=JSON)


def _alerting(query: bytes) -> bool:
    """False for `alerting=false`: history, which alerts nobody."""
    return not query or parse_qs(query.decode("latin-1")).get("alerting", ["true"])[0] != "false"


def _check_media(media: str, headers: Mapping[str, str]) -> None:
    if media not in (STRUCTURED, BATCH) and (media.startswith(FAMILY) or "ce-specversion" not in headers):
        raise Problem(
            415,
            "Not a CloudEvent in JSON",
            f"Send content type {STRUCTURED} or {BATCH}, or ce- headers with a JSON body.",
            headers={"accept": f"{STRUCTURED}, {BATCH}"},
        )
