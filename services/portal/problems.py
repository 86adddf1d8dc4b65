"""Refusals as RFC 9457 problem details. They name the field and the rule, and never repeat what was submitted.

What a library says of a bad request may quote it, so only the kind of its error is passed on, in our words.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from time import monotonic
from typing import Any, cast

import orjson
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandler, ExceptionHandlersMap

from ccr_events.policy import UnknownEdition
from services.casebook.replay_report import ReplayRefused
from services.engine.transaction import EngineClosed, StorageFailed
from services.identity.proposals import DecisionRefused
from services.intake.holding import QuarantineFull
from services.intake.quarantine import BodyNotKept, NotWaiting, UnknownEntry
from services.portal.backbone import NotOnThisEngine
from services.sealing.access import ReadRefused
from services.sealing.keys import KeyStoreError, KeyUnavailable

MEDIA_TYPE = "application/problem+json"
RETRY_S = "1"
"""`Retry-After` when the backbone cannot take anything now, in seconds."""

AGAIN_S = 10.0
"""How long the log does not say the same again: while a disk or Kafka refuses, every request is refused."""

_log = logging.getLogger(__name__)


class Problem(Exception):
    """A request that is refused."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """`errors` are (JSON pointer or parameter, message); `members` are further members of the problem."""
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members

    def document(self) -> dict[str, Any]:
        """The problem as JSON members."""
        found: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            found["detail"] = self.detail
        if self.errors:
            found["errors"] = [{"pointer": pointer, "message": message} for pointer, message in self.errors]
        found.update((name, value) for name, value in self.members.items() if value is not None)
        return found

    def response(self) -> Response[bytes]:
        """The problem as an HTTP response."""
        return Response(
            orjson.dumps(self.document()), status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers
        )


def not_found(what: str) -> Problem:
    """Also for what exists and is not this agency's to know of: the two answers are the same."""
    return Problem(404, f"No such {what}", "It does not exist, or it is not visible to this agency.")


_WORDS = {
    400: "The request cannot be read",
    404: "No such address",
    405: "This address does not answer to that method",
    413: "Too large",
    415: "Not a media type this address reads",
}


def _refused(_: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    return problem.response()


def http_refusal(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses, in our words."""
    title = _WORDS.get(error.status_code) or HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, title, headers=error.headers).response()


def _invalid(_: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    extra: list[Any] = error.extra if isinstance(error.extra, list) else []
    errors = [(str(item.get("key", "")), _rule(str(item.get("message", "")))) for item in extra]
    return Problem(400, "A parameter of the request is not as the API describes it", errors=errors).response()


def _rule(message: str) -> str:
    """msgspec's statements of what it expected hold the schema's words only; all others may quote the value."""
    return message if message.startswith("Expected ") else "is missing or has a value that is not allowed"


def _closed(_: Request[Any, Any, Any], __: Exception) -> Response[bytes]:
    return Problem(
        503, "The backbone is closing", "Nothing was accepted. Send it again.", headers={"retry-after": RETRY_S}
    ).response()


class _Told:
    """The log's last word on why nothing can be taken in."""

    def __init__(self) -> None:
        self._why = ""
        self._until_s = 0.0

    def tell(self, why: str) -> None:
        """Log it, unless that was done a moment ago."""
        if why != self._why or monotonic() >= self._until_s:
            self._why, self._until_s = why, monotonic() + AGAIN_S
            _log.error("nothing can be taken in now: %s", why)


_unable_told = _Told()


def _unable(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Of a group that was committed and not sent to Kafka the events are kept, so it may be accepted all the same."""
    _unable_told.tell(str(error))
    return Problem(
        503,
        "The backbone cannot store anything now",
        "Keep the event and send it again, unchanged: it counts once. The operator has been told.",
        headers={"retry-after": RETRY_S},
    ).response()


def _unjudged(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The policies here are older than those of another worker, or none is in force yet."""
    _unable_told.tell(str(error))
    return Problem(
        503,
        "The written policy that this is judged by is not loaded here",
        "Nothing was changed. Send it again: another portal may have it. The operator has been told.",
        headers={"retry-after": RETRY_S},
    ).response()


def _defect(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A defect of ours. The log gets where it happened and of what type, not its text, which may quote a payload."""
    where = "".join(traceback.format_tb(error.__traceback__)[-6:])
    route = getattr(request.scope.get("route_handler"), "handler_name", "unknown route")
    _log.error("%s failed with %s\n%s", route, type(error).__name__, where)
    return Problem(
        500, "The backbone failed on this request", "It may or may not have been stored: send it again, unchanged."
    ).response()


def _said(status: int, title: str) -> ExceptionHandler[Any]:
    """For errors of the services whose text is written for the caller and holds no submitted value."""

    def handler(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        return Problem(status, title, str(error)).response()

    return handler


HANDLERS: ExceptionHandlersMap = {
    Problem: _refused,
    ValidationException: _invalid,
    HTTPException: http_refusal,
    EngineClosed: _closed,
    StorageFailed: _unable,
    KeyStoreError: _unable,
    UnknownEdition: _unjudged,
    KeyUnavailable: _said(410, "It can no longer be opened"),
    ReadRefused: _said(400, "This read cannot be judged"),
    QuarantineFull: _said(503, "The quarantine is full"),
    BodyNotKept: _said(410, "The submitted bytes were not kept"),
    NotWaiting: _said(409, "It no longer waits"),
    UnknownEntry: _said(404, "No such quarantined event"),
    DecisionRefused: _said(403, "Not for this agency"),
    NotOnThisEngine: _said(501, "Not done by this engine here"),
    ReplayRefused: _said(409, "The log cannot be folded"),
    Exception: _defect,
}
"""What answers for each kind of error."""


def refusal(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """What the error is answered with."""
    handler = next(HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS)
    return cast(Response[bytes], handler(request, error))
