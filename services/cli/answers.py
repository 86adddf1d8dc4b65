"""What the backbone answers when it refuses, and what it means when it does not answer: errors in plain words.

Source: RFC 9457, problem details for HTTP APIs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from services.cli.patience import asked_wait_s
from services.cli.refused import Refused
from services.engine.ports import FieldProblem, Receipt

MAX_SHOWN = 10
"""Most field problems one message lists."""
_LONGEST = 500
"""Characters taken from one text of an answer."""
_KEY_REFUSED = "the API key was not accepted: it is malformed, unknown or revoked (see ccr keys list)"
STATUSES = frozenset({"accepted", "duplicate", "quarantined", "conflict", "forbidden"})
"""What can become of an event (`Receipt.status`)."""
_DEFAULT_WORDS = {
    403: "this key's agency may not do that",
    404: "there is no such thing here, or this agency may not see it",
    413: "what was sent is too large",
    429: "the backbone asks to slow down",
    503: "the backbone is not ready",
}


class ServerRefused(Refused):
    """The backbone answered, and refused."""

    def __init__(self, status: int, words: str, wait_s: float = 0.0) -> None:
        super().__init__(words)
        self.status = status
        """HTTP status."""
        self.wait_s = wait_s
        """How long the backbone asks to wait before the next try."""


class Unreachable(Refused):
    """Nothing answers at the address, or the answer broke off."""


def checked(response: httpx.Response) -> httpx.Response:
    """The response of a request that was granted; raises `ServerRefused`. The body must have been read."""
    if response.is_success:
        return response
    words = problem_words(response.status_code, _problem(response))
    raise ServerRefused(response.status_code, words, asked_wait_s(response))


def problem_words(status: int, problem: Mapping[str, Any]) -> str:
    """A problem document as one message: title, detail, and the fields it names."""
    if status == httpx.codes.UNAUTHORIZED:
        return _KEY_REFUSED
    title = _text(problem.get("title")) or _DEFAULT_WORDS.get(status, f"the backbone answered {status}")
    detail = _text(problem.get("detail"))
    words = title if not detail or detail == title else f"{title}: {detail}"
    fields = field_problems(problem.get("errors"))
    shown = [f"\n  {p.pointer or '/'} {p.message}" for p in fields[:MAX_SHOWN]]
    if len(fields) > MAX_SHOWN:
        shown.append(f"\n  and {len(fields) - MAX_SHOWN} more")
    return words + "".join(shown)


def receipts_in(response: httpx.Response, sent: int) -> list[Receipt]:
    """The receipts of a batch answer, one for each event sent; raises `Unreachable` as `object_in` does."""
    found = objects_in(response, "receipts")
    if len(found) != sent or any(body.get("status") not in STATUSES for body in found):
        raise _stranger(response)
    return [_receipt(body) for body in found]


def _receipt(body: Mapping[str, Any]) -> Receipt:
    return Receipt(
        event_id=_text(body.get("event_id")),
        status=body["status"],
        case_id=body.get("case_id"),
        position=body.get("position"),
        quarantine_id=body.get("quarantine_id"),
        title=_text(body.get("title")),
        problems=field_problems(body.get("errors")),
    )


def field_problems(errors: Any) -> tuple[FieldProblem, ...]:
    """The fields a problem document or a receipt names."""
    if not isinstance(errors, Sequence) or isinstance(errors, str):
        return ()
    return tuple(
        FieldProblem(_text(e.get("pointer")), _text(e.get("message"))) for e in errors if isinstance(e, Mapping)
    )


def object_in(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of a granted answer; raises `Unreachable` when something else than the backbone answered."""
    try:
        found = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise _stranger(response)
    return found


def objects_in(response: httpx.Response, name: str) -> list[dict[str, Any]]:
    """The list of objects called `name` in a granted answer; raises `Unreachable` as `object_in` does."""
    found = object_in(response).get(name)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise _stranger(response)
    return found


def _stranger(response: httpx.Response) -> Unreachable:
    return Unreachable(f"{response.url.copy_with(query=None)} answers, but not as a backbone does")


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, Mapping) else {}


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
