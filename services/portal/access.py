"""Who is calling, and whether it is calling too often. Checked before a body is read.

Source: RFC 6750, bearer tokens in the `Authorization` header; never in a URL, which ends up in logs.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from ccr_events.agencies import Agency
from services.engine.ports import AuthenticatedKey, Authenticator
from services.portal.problems import Problem
from services.portal.rate import Buckets

MAX_KEY = 256
"""Longest API key looked at, in characters."""

Call = Request[None, AuthenticatedKey, State]
"""A request whose caller is known: `request.auth`."""
Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


def guard(keys: Authenticator, buckets: Buckets) -> Guard:
    """Refuses callers without a valid key, and those over their rate."""

    async def check(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        caller = await keys.authenticate(presented_key(connection.headers.get("authorization", "")))
        if caller is None:
            raise unauthenticated()
        spend(buckets, caller.key_id)
        connection.scope["auth"] = caller

    return check


def presented_key(authorization: str) -> str:
    """The key in an `Authorization` header; empty when there is none, or one that is no key of ours."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" and len(key) <= MAX_KEY else ""


def unauthenticated() -> Problem:
    """No key, or not a valid one: which of the two is not said."""
    return Problem(
        401,
        "A valid API key is needed",
        "Send the header Authorization: Bearer ccr_<key id>_<secret>. Keys are issued with `ccr keys issue`.",
        headers={"www-authenticate": "Bearer"},
    )


def spend(buckets: Buckets, key_id: str, tokens: float = 1.0) -> None:
    """Raise a 429 problem when the key is over its rate."""
    wait_s = buckets.take(key_id, tokens)
    if wait_s > 0.0:
        seconds = str(math.ceil(wait_s))
        raise Problem(
            429,
            "Too many requests under this API key",
            f"Nothing was accepted. Send it again in {seconds} s.",
            headers={"retry-after": seconds},
        )


def only_tracking_entity(caller: AuthenticatedKey, what: str) -> None:
    """Raise a 403 problem unless the caller is `ccr`."""
    if caller.agency != Agency.CCR:
        raise Problem(403, f"Only the tracking entity (ccr) {what}")
