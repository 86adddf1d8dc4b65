"""Request bodies: read within a limit, and small ones parsed strictly, with problems that name the field."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import orjson
from litestar.exceptions import HTTPException
from pydantic import BaseModel, ConfigDict, ValidationError

from ccr_events.envelope.bounded_json import load_json
from ccr_events.envelope.event import EnvelopeError
from ccr_events.problems import problems_of
from services.portal.access import Call
from services.portal.problems import Problem

MAX_SMALL = 65_536
"""Largest body of everything but events, in bytes."""


class Body(BaseModel):
    """Base of the small request bodies; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


B = TypeVar("B", bound=Body)


async def read_body(call: Call, limit: int) -> bytes:
    """The body; raises a 413 problem as soon as it is known to exceed `limit` bytes, and keeps no more than that."""
    announced = call.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in _stream(call):
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
            chunks.append(chunk)
    except HTTPException as error:
        raise broken_off() from error
    return b"".join(chunks)


def _stream(call: Call) -> AsyncIterator[bytes]:
    return call.stream()


def broken_off() -> Problem:
    """The 400 problem of a body that does not come whole."""
    return Problem(400, "The request broke off before its end", "Nothing was accepted.")


def too_large(limit: int) -> Problem:
    """The 413 problem."""
    return Problem(413, "Too large", f"At most {limit:,} bytes are taken here. Nothing was accepted.")


async def parse(call: Call, model: type[B]) -> B:
    """The body as `model`; raises a 413 or 400 problem that names the fields. An empty body is an empty object."""
    raw = await read_body(call, MAX_SMALL)
    try:
        data: Any = load_json(raw, limit_bytes=MAX_SMALL) if raw else {}
    except EnvelopeError as error:
        raise Problem(400, "The body cannot be read", errors=[(error.pointer, error.message)]) from None
    if not isinstance(data, dict):
        raise Problem(400, "The body cannot be read", errors=[("", "must be a JSON object")])
    problems: tuple[tuple[str, str], ...]
    try:
        return model.model_validate_json(orjson.dumps(data), strict=True)
    except ValidationError as error:
        problems = problems_of(error, model, data)
    raise Problem(
        400,
        "A field of the body is not as the API describes it",
        errors=[(pointer.removeprefix("/data"), message) for pointer, message in problems],
    )
