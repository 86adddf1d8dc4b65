"""A bound on request line, headers and trailers, which uvicorn's fast parser keeps without end, and on how long they
may take.

Nobody needs a valid API key to send them, so anybody could fill the memory with them, or keep all connections.
Trailers, the fields after a chunked body, are read to their end and dropped (RFC 9110 section 6.5.1 allows it): a
field that comes after the request was judged must not be taken for one of its headers.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
"""Longest request line and headers together, and longest trailers, give or take what one read of the socket brings."""
HEAD_S = 20.0
"""How long they may take to arrive."""


class BoundedHeadProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol that refuses a head too long and drops a connection whose head or trailers do not end."""

    _in_head = True
    _in_trailers = False
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """No longer wait."""
        self._head_ended()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; give up on a head or on trailers that are too long already."""
        self._head_bytes += len(data)  # set to 0 by the parsing when another part begins in it
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_trailers and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_S, self._give_up)
        if self._head_bytes <= MAX_HEAD_BYTES:
            return
        if self._in_trailers:
            self.transport.close()  # the answer may be under way: no other can be put in its place
        elif self._in_head:
            self.send_400_response("The request line and headers are too long.")

    def on_message_begin(self) -> None:
        """A request begins: its head comes."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> Any:
        """The head is there."""
        self._head_ended()
        return super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """A chunk of the body begins; unless bytes of it follow it is the last one, and trailers come.

        Known by this alone: the parser keeps a trailer to itself until the trailer has ended.
        """
        self._in_trailers = True
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, drop a trailer."""
        if not self._in_trailers:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """It was not the last chunk."""
        if self._in_trailers:
            self._head_ended()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there, with its trailers."""
        if self._in_trailers:
            self._head_ended()
        super().on_message_complete()

    def _await_head(self) -> None:
        self._head_ended()
        self._in_head = True
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_S, self._give_up)

    def _head_ended(self) -> None:
        self._in_head = self._in_trailers = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self.flow.read_paused:  # it is the application that takes its time, not the caller
            self._head_timer = self.loop.call_later(HEAD_S, self._give_up)
        else:
            self.transport.close()
