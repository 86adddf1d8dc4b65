"""What the broker answers, received where it stays.

asyncio's stream reader receives at most 256 KiB at a time, gathers the pieces in a growing buffer, copies an answer out
of it and moves up what follows. What was fetched is megabytes, and after each piece the consumer's thread waits for its
turn beside a thread that folds. Here the memory for an answer is taken once, and as much is received at a time as the
system has.
"""

from __future__ import annotations

import asyncio
import io
from typing import Any
from weakref import WeakSet

from aiokafka import conn

AHEAD_BYTES = 64 * 1024
"""Received before anybody asks for it; then receiving pauses."""
MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""Of one answer; aiokafka asks for at most 50 MiB at a time, more only when a single record batch is larger."""
_LOOPS: WeakSet[asyncio.AbstractEventLoop] = WeakSet()


class Receiver(asyncio.BufferedProtocol):
    """A connection's reader, as far as aiokafka uses one, and the protocol that feeds it; for one reading task."""

    def __init__(self, beneath: asyncio.BaseProtocol, transport: asyncio.ReadTransport) -> None:
        self._beneath: Any = beneath
        """What the connection had: it goes on with all that is not receiving."""
        self._transport = transport
        self._ahead = memoryview(bytearray(AHEAD_BYTES))
        self._begin = self._end = 0
        self._answer: memoryview | None = None
        self._place = 0
        self._whole: asyncio.Future[None] | None = None
        self._over = False
        self._lost: Exception | None = None

    async def readexactly(self, count: int) -> bytes:
        """The next bytes, so many.

        Raises `asyncio.IncompleteReadError` when the broker ended before, what the connection was lost by, and
        `ValueError` for a count that no answer has.
        """
        if not 0 <= count <= MAX_ANSWER_BYTES:
            raise ValueError(f"the broker announces an answer of {count} bytes, not at most {MAX_ANSWER_BYTES}")
        have = min(count, self._end - self._begin)
        if have == count:
            return bytes(self._taken(have))
        if self._lost is not None:
            raise self._lost
        # The memory of `bytes(count)` is not touched before something is received into it, nor copied by `getvalue`.
        answer = io.BytesIO(bytes(count))
        with answer.getbuffer() as view:
            view[:have] = self._taken(have)
            await self._received(view, have)
        return answer.getvalue()

    def at_eof(self) -> bool:
        """Whether nothing more will come."""
        return self._over and self._begin == self._end

    def get_buffer(self, _: int) -> memoryview:
        """Where the next bytes go (asyncio's transport)."""
        return self._ahead[self._end :] if self._answer is None else self._answer[self._place :]

    def buffer_updated(self, count: int) -> None:
        """So many have come (asyncio's transport)."""
        if self._answer is None:
            self._end += count
            if self._end == AHEAD_BYTES:
                self._transport.pause_reading()
            return
        self._place += count
        if self._place == len(self._answer):
            self._answer = None
            if self._whole is not None and not self._whole.done():
                self._whole.set_result(None)

    def eof_received(self) -> bool | None:
        """The broker ends (asyncio's transport)."""
        self._ended(None)
        keep_open: bool | None = self._beneath.eof_received()
        return keep_open

    def connection_lost(self, failed: Exception | None) -> None:
        """Nothing more comes or goes (asyncio's transport)."""
        self._ended(failed)
        self._beneath.connection_lost(failed)

    def pause_writing(self) -> None:
        """The broker does not follow (asyncio's transport)."""
        self._beneath.pause_writing()

    def resume_writing(self) -> None:
        """It does again (asyncio's transport)."""
        self._beneath.resume_writing()

    async def _received(self, view: memoryview, have: int) -> None:
        if self._over:
            raise asyncio.IncompleteReadError(bytes(view[:have]), len(view))
        self._answer, self._place = view, have
        self._whole = asyncio.get_running_loop().create_future()
        try:
            await self._whole
        finally:
            self._answer = self._whole = None

    def _taken(self, count: int) -> memoryview:
        """The first of what came ahead; to be copied before anything else can come."""
        taken = self._ahead[self._begin : self._begin + count]
        self._begin += count
        if self._begin == self._end:
            full = self._end == AHEAD_BYTES
            self._begin = self._end = 0
            if full and not self._over:
                self._transport.resume_reading()
        return taken

    def _ended(self, failed: Exception | None) -> None:
        self._over, self._lost = True, self._lost or failed
        if self._whole is not None and self._answer is not None and not self._whole.done():
            missing = asyncio.IncompleteReadError(bytes(self._answer[: self._place]), len(self._answer))
            self._whole.set_exception(failed or missing)


class _Connection(conn.AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's own, but on our loops its answers are received by a `Receiver`."""

    def _create_reader_task(self) -> Any:
        # The first thing that a connection does when it stands: nothing was asked yet, so nothing has come.
        if self._loop in _LOOPS:
            transport = self._writer.transport
            self._reader = Receiver(self._protocol, transport)
            transport.set_protocol(self._reader)
        return super()._create_reader_task()


def receive_whole(loop: asyncio.AbstractEventLoop) -> None:
    """Receive so what is asked on this loop from now on; other loops stay as they are."""
    _LOOPS.add(loop)


def install() -> None:
    """Make aiokafka use it; it names its class by a module's global, so there is no other way."""
    conn.AIOKafkaConnection = _Connection
