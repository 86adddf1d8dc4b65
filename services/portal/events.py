"""`POST /v1/events`: where agencies publish. Answered 202 only once what was accepted is durable.

Nothing is dropped: an event that cannot be read is kept in quarantine, and the answer says under which id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from ccr_events.catalogue import event_types
from ccr_events.envelope import BATCH, MAX_BATCH_BYTES, MAX_EVENT_BYTES, EnvelopeError, Event, read_http
from services.engine.ports import AuthenticatedKey, FieldProblem, Receipt, Submission
from services.portal.access import Call, spend
from services.portal.backbone import Backbone
from services.portal.bodies import read_body
from services.portal.problems import Problem
from services.portal.rate import Buckets

JSON = "application/json"
STATUS = {"accepted": 202, "duplicate": 200, "conflict": 409, "forbidden": 403, "quarantined": 422}
"""HTTP status of what became of one event."""


def event_routes(backbone: Backbone, buckets: Buckets) -> list[HTTPRouteHandler]:
    """The routes."""

    @post("/v1/events", status_code=202, include_in_schema=False)
    async def publish_events(request: Call) -> Response[bytes]:
        """Publish one event (structured or binary mode) or a batch of at most 1,000."""
        caller = request.auth
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        batch = media == BATCH
        _check_media(media, request)
        body = await read_body(request, MAX_BATCH_BYTES if batch else MAX_EVENT_BYTES)
        alerting = request.query_params.get("alerting", "true") != "false"
        found = await _read(request, body, batch=batch, caller=caller)
        if len(found) > 1:
            spend(buckets, caller.key_id, len(found) - 1)
        receipts = await _submit(found, caller, alerting=alerting)
        return _batch_answer(receipts) if batch else one_answer(receipts[0])

    async def _read(
        request: Call, body: bytes, *, batch: bool, caller: AuthenticatedKey
    ) -> list[Event | EnvelopeError]:
        try:
            return read_http(request.headers, body)
        except EnvelopeError as error:
            whole = EnvelopeError(error.pointer, error.message, body=body)
        if not batch:
            return [whole]
        raise one_problem(await _hold(whole, caller, request.headers.get("ce-type", "")))

    async def _submit(
        found: Sequence[Event | EnvelopeError], caller: AuthenticatedKey, *, alerting: bool
    ) -> list[Receipt]:
        readable = [
            Submission(item, caller.agency, caller.key_id, alerting) for item in found if isinstance(item, Event)
        ]
        answers = iter(await backbone.publisher.submit(readable) if readable else ())
        return [next(answers) if isinstance(item, Event) else await _hold(item, caller) for item in found]

    async def _hold(error: EnvelopeError, caller: AuthenticatedKey, type_hint: str = "") -> Receipt:
        title = "The event cannot be read"
        problems = (FieldProblem(error.pointer, error.message),)
        raw = error.body or b""
        quarantine_id = await backbone.quarantine.hold(
            raw,
            agency=caller.agency,
            key_id=caller.key_id,
            type_hint=_known_type(type_hint, raw),
            title=title,
            problems=problems,
        )
        return Receipt("", "quarantined", quarantine_id=quarantine_id, title=title, problems=problems)

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


def _check_media(media: str, request: Call) -> None:
    if not media.startswith("application/cloudevents") and "ce-specversion" not in request.headers:
        raise Problem(
            415,
            "Not a CloudEvent",
            f"Send content type application/cloudevents+json or {BATCH}, or ce- headers with a JSON body.",
            headers={"accept": f"application/cloudevents+json, {BATCH}"},
        )


def _known_type(hint: str, raw: bytes) -> str:
    """The event type, as far as the bytes tell one that exists; anything else could be anybody's text."""
    return hint if hint in event_types() else next((t for t in _type_in(raw) if t in event_types()), "")


def _type_in(raw: bytes) -> list[str]:
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return []
    found: object = data.get("type") if isinstance(data, dict) else None
    return [found] if isinstance(found, str) else []
