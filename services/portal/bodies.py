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
    """The body of a route's request; see `collected`."""
    try:
        return await collected(call.stream(), call.headers.get("content-length", ""), limit)
    except HTTPException as error:
        raise broken_off() from error


async def collected(chunks: AsyncIterator[bytes], announced: str, limit: int) -> bytes:
    """A body that comes in chunks; `announced` is its content-length, empty when it has none.

    Raises a 413 problem as soon as it is known to exceed `limit` bytes, and keeps no more than that.
    """
    if announced.isdecimal() and int(announced) > limit:
        raise too_large(limit)
    kept: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        kept.append(chunk)
    return b"".join(kept)


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
