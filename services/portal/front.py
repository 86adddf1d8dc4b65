"""The way in that nearly every request takes: `POST /v1/events`, past the framework, which costs more than the event.

Who calls, how often, how much, what is answered: all of it is what the route of the same address does, in the same
order and by the same functions. Whatever is unusual about a request's head goes to the route itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from litestar import Request, Response
from litestar.status_codes import HTTP_200_OK
from litestar.types import ASGIApp, HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send

from services.engine.ports import Authenticator
from services.portal.access import presented_key, spend, unauthenticated
from services.portal.bodies import broken_off, collected
from services.portal.events import PATH, Publishing
from services.portal.problems import refusal
from services.portal.rate import Buckets


class Front:
    """The application behind it, but for requests to publish."""

    def __init__(self, app: ASGIApp, keys: Authenticator, buckets: Buckets, publishing: Publishing) -> None:
        self._app = app
        self._keys = keys
        self._buckets = buckets
        self._publishing = publishing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["path"] == PATH and scope.get("method") == "POST":
            given = list(scope["headers"])
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in given}
            twice = len(headers) != len(given)
            if not twice and headers.get("content-length", "0").isdecimal():
                await _send(await self._answered(headers, scope, receive, send), send)
                return
        await self._app(scope, receive, send)

    async def _answered(self, headers: dict[str, str], scope: Scope, receive: Receive, send: Send) -> Response[bytes]:
        try:
            response = await self._answer(headers, receive, scope["query_string"])
        except Exception as error:
            return refusal(Request[Any, Any, Any](scope, receive, send), error)
        response.headers["cache-control"] = "no-store"
        return response

    async def _answer(self, headers: dict[str, str], receive: Receive, query: bytes) -> Response[bytes]:
        caller = await self._keys.authenticate(presented_key(headers.get("authorization", "")))
        if caller is None:
            raise unauthenticated()
        spend(self._buckets, caller.key_id)
        read = partial(collected, _chunks(receive), headers.get("content-length", ""))
        return await self._publishing.answer(caller, headers, read, query)


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise broken_off()
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _send(response: Response[bytes], send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    headers.append((b"content-type", str(response.media_type).encode("latin-1")))
    headers.append((b"content-length", b"%d" % len(response.content)))
    status = response.status_code or HTTP_200_OK
    start: HTTPResponseStartEvent = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    body: HTTPResponseBodyEvent = {"type": "http.response.body", "body": response.content, "more_body": False}
    await send(body)
