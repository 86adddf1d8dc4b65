"""The other end of the wire, in a process of its own: publishers that send prepared requests, subscribers that listen.

Kept as bare as a client can be (asyncio protocols, kept connections, nothing parsed that need not be), since it
shares the machine with the server that is measured.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import httptools
import orjson
import uvicorn

T = TypeVar("T")

SETTLE_S = 0.5
"""How long subscribers are given to be there before the first event, and to hear the last alert."""
MAX_CONNECTIONS = 64
"""Connections that steady publishing may have open at once."""


@dataclass(slots=True)
class Sent:
    """What came of the requests."""

    took_s: float = 0.0
    taken_s: list[float] = field(default_factory=list)
    """Of each request, from its first byte to the last of its answer."""
    statuses: Counter[int] = field(default_factory=Counter)


def ready() -> None:
    """Does nothing: loads this module in the process, so that its imports are not measured."""


def send_all(url: str, requests: Sequence[bytes], clients: int) -> Sent:
    """Every request, over `clients` connections at once; each sends its next one when it has been answered."""
    return _in_loop(_send_all(url, requests, clients))


def heard_after(
    url: str, requests: Sequence[tuple[str, bytes]], subscribers: Sequence[bytes], per_second: float, seed: int
) -> tuple[Sent, list[float]]:
    """Requests (event id, bytes) at random times, `per_second` on average, while `subscribers` (their requests) listen.

    Second: for each alert heard, the seconds since its event was to be published; waiting for a free connection counts.
    """
    return _in_loop(_heard_after(url, requests, subscribers, per_second, seed))


def _in_loop(main: Coroutine[Any, Any, T]) -> T:
    factory = uvicorn.Config(None).get_loop_factory()  # type: ignore[arg-type]
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


async def _send_all(url: str, requests: Sequence[bytes], clients: int) -> Sent:
    sent = Sent()
    waiting = iter(requests)
    publishers = [await _connected(url, lambda: _Publisher(sent)) for _ in range(clients)]
    started = monotonic()
    await asyncio.gather(*(publisher.send_each(waiting) for publisher in publishers))
    sent.took_s = monotonic() - started
    for publisher in publishers:
        publisher.close()
    return sent


async def _heard_after(
    url: str, requests: Sequence[tuple[str, bytes]], subscribers: Sequence[bytes], per_second: float, seed: int
) -> tuple[Sent, list[float]]:
    sent, due = Sent(), dict[str, float]()
    listening = [await _connected(url, _Subscriber) for _ in subscribers]
    for subscriber, request in zip(listening, subscribers, strict=True):
        subscriber.listen(request)
    await asyncio.sleep(SETTLE_S)
    free: list[_Publisher] = []
    under_way: set[asyncio.Task[None]] = set()
    chance = Random(seed)
    started = at = monotonic()
    for event_id, request in requests:
        at += chance.expovariate(per_second)
        await asyncio.sleep(max(0.0, at - monotonic()))
        due[event_id] = at
        if not free and len(under_way) >= MAX_CONNECTIONS:
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        while free and not free[-1].open:  # the server ends connections long unused
            free.pop()
        publisher = free.pop() if free else await _connected(url, lambda: _Publisher(sent))
        task = asyncio.create_task(_lent(publisher, request, free))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    sent.took_s = monotonic() - started
    await asyncio.sleep(SETTLE_S)
    for protocol in (*free, *listening):
        protocol.close()
    alerts = [alert for subscriber in listening for alert in subscriber.alerts()]
    return sent, [at - due[cause] for at, cause in alerts if cause in due]


async def _lent(publisher: _Publisher, request: bytes, free: list[_Publisher]) -> None:
    await publisher.send_each(iter((request,)))
    free.append(publisher)


P = TypeVar("P", bound=asyncio.Protocol)


async def _connected(url: str, protocol: Callable[[], P]) -> P:
    address = urlsplit(url)
    _, made = await asyncio.get_running_loop().create_connection(protocol, address.hostname, address.port)
    return made


class _Connection(asyncio.Protocol):
    _transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @property
    def open(self) -> bool:
        return not self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()


class _Publisher(_Connection):
    """One kept connection: a request, its answer, the next request."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._waiting: Iterator[bytes] = iter(())
        self._started = 0.0
        self._done: asyncio.Future[None] | None = None
        self._received = b""

    async def send_each(self, requests: Iterator[bytes]) -> None:
        """Send requests until there are none; raises `ConnectionError` when the server hangs up."""
        self._waiting = requests
        self._done = asyncio.get_running_loop().create_future()
        self._next()
        await self._done

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        lowered = head.lower()
        if len(body) < int(lowered.partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self._sent.taken_s.append(monotonic() - self._started)
        self._sent.statuses[int(head[9:12])] += 1
        self._received = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server hung up"))

    def _next(self) -> None:
        request = next(self._waiting, None)
        if request is not None:
            self._started = monotonic()
            self._transport.write(request)
        elif self._done is not None:
            self._done.set_result(None)


class _Subscriber(_Connection):
    """One alert stream: what arrives is kept with its time, and read afterwards."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._arrived: list[tuple[float, bytes]] = []
        self._part = b""

    def listen(self, request: bytes) -> None:
        """Ask for the stream."""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Called by the parser with a piece of the stream."""
        *frames, self._part = (self._part + body).split(b"\n\n")
        now = monotonic()
        self._arrived += [(now, frame) for frame in frames]

    def alerts(self) -> Iterator[tuple[float, str]]:
        """(when it arrived, id of the event that caused it) of each alert."""
        for at, frame in self._arrived:
            data = next((line[6:] for line in frame.split(b"\n") if line.startswith(b"data: ")), None)
            if data is not None:
                yield at, orjson.loads(data)["causationid"]
