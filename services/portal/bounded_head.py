"""A bound on request line and headers, which uvicorn's fast parser keeps without end, and on how long they may take.

They come before any API key has been looked at, so anybody could fill the memory with them, or keep all connections.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
"""Longest request line and headers together, give or take what one read of the socket brings."""
HEAD_S = 20.0
"""How long they may take to arrive."""


class BoundedHeadProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol that refuses a head too long and drops a connection whose head does not end."""

    _in_head = True
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
        """Parse; give up on a head that is too long already."""
        counted = self._in_head
        super().data_received(data)
        if not (counted and self._in_head):
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request line and headers are too long.")

    def on_message_begin(self) -> None:
        """A request begins: its head comes."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> Any:
        """The head is there."""
        self._head_ended()
        return super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_ended()
        self._in_head = True
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_S, self._give_up)

    def _head_ended(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()
