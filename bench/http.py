"""Events per second over HTTP: a real server and backbone in this process, its clients in another.

What is measured is everything between an adapter's socket and its receipt: HTTP, API key, validation, sealing, fold,
links, and the disk.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, islice
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlsplit
from zlib import crc32

import orjson

from bench.engine import Figure
from ccr_events.agencies import Agency
from ccr_events.core.ids import derived
from ccr_events.envelope import BATCH, STRUCTURED, Event, write_structured
from services.demo.acts import Publish, acts
from services.demo.clock import ScriptClock
from services.demo.scenario import load_week
from services.embedded import Backbone, Settings, open_backbone
from services.portal.app import create_app
from services.portal.rate import Rate
from services.portal.server import served

UNLIMITED = Rate(per_second=1e9, burst=1e9)
BATCH_SIZE = 100

START = acts(load_week())[0].at
"""What the backbone's clock shows: no deadline passes, so what is measured is publishing alone."""

Request = tuple[str, list[Event]]
"""Agency, and the events of one request."""


async def measure_http(requests: int, directory: Path | None) -> list[Figure]:
    """Publish `requests` single events from many clients and from one, and batches."""
    with TemporaryDirectory(prefix="ccr-bench-") as temporary:
        settings = Settings(data=directory or Path(temporary), clock=ScriptClock(START))
        async with open_backbone(settings) as backbone:
            keys = {agency.value: await backbone.issue_key(agency, "bench") for agency in Agency}
            async with served(create_app(backbone, rate=UNLIMITED)) as (url, _):
                return await _Bench(backbone, url, keys).run(requests)


class _Bench:
    def __init__(self, backbone: Backbone, url: str, keys: dict[str, str]) -> None:
        self._backbone = backbone
        self._url = url
        self._keys = keys
        self._events = _events()

    async def run(self, requests: int) -> list[Figure]:
        await self._timed("warming up", [(a, [e]) for a, e in islice(self._events, requests // 10)], 64)
        singles = [(agency, [event]) for agency, event in islice(self._events, requests)]
        few = [(agency, [event]) for agency, event in islice(self._events, requests // 10)]
        batches = _batched(list(islice(self._events, requests)))
        return [
            await self._timed("HTTP, one event a request, 64 clients", singles, 64),
            await self._timed("HTTP, one event a request, 1 client", few, 1),
            await self._timed(f"HTTP, batches of at most {BATCH_SIZE}, 4 clients", batches, 4),
        ]

    async def _timed(self, what: str, requests: Sequence[Request], clients: int) -> Figure:
        sent = [_on_the_wire(self._keys[agency], events) for agency, events in requests]
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(process, _nothing)  # its imports are not measured
            took_s, taken_s, statuses = await loop.run_in_executor(process, send_all, self._url, sent, clients)
        refused = {status: number for status, number in statuses.items() if status not in (200, 202, 207)}
        if refused:
            raise RuntimeError(f"{what}: not every request was accepted: {refused}")
        events = sum(len(found) for _, found in requests)
        cuts = quantiles(taken_s, n=100)
        held = len(await self._backbone.log.read(0, 1)) and await self._position()
        return Figure(what, events, round(events / took_s), round(cuts[49] * 1e3, 2), round(cuts[98] * 1e3, 2), held)

    async def _position(self) -> int:
        health = await self._backbone.metrics.exposition()
        line = next(line for line in health[0].decode().splitlines() if line.startswith("ccr_log_position "))
        return int(float(line.split()[1]))


def _nothing() -> None:
    """Loads this module in the client's process."""


def _events() -> Iterator[tuple[str, Event]]:
    """The scripted week's events, over and over, as other people's cases, happening at `START`."""
    histories: dict[str, list[Publish]] = {}
    for act in acts(load_week()):
        if isinstance(act, Publish) and act.expected == "accepted" and act.agency != Agency.ADV:  # needs releases
            histories.setdefault(act.history, []).append(act)
    for number in count():
        for key, history in histories.items():
            for place, act in enumerate(history):
                yield act.agency, _renumbered(act.event, f"{key}-{number}", timedelta(seconds=len(history) - place))


def _renumbered(event: Event, case: str, ago: timedelta) -> Event:
    data = deepcopy(event.data)
    for reference in data.get("references", ()):
        reference["number"] = f"{reference['number']}-{case}"
    for party in data.get("parties", ()):
        if "name" in party:
            party["name"]["surname"] = f"Testperson-{case}"
        if "birth_date" in party:
            party["birth_date"] = _another_day(party["birth_date"], case)
    corrects = None if event.corrects is None else derived(event.corrects, case)
    return replace(event, id=derived(event.id, case), data=data, corrects=corrects, occurred_at=START - ago)


def _another_day(birth_date: str, case: str) -> str:
    """People of different cases rarely share a birthday: they would be compared with each other."""
    return (date.fromisoformat(birth_date) - timedelta(days=crc32(case.encode()) % 20_000)).isoformat()


def _batched(events: Sequence[tuple[str, Event]]) -> list[Request]:
    """Each agency's events in batches, as a nightly adapter sends them."""
    waiting: dict[str, list[Event]] = {}
    requests: list[Request] = []
    for agency, event in events:
        waiting.setdefault(agency, []).append(event)
        if len(waiting[agency]) == BATCH_SIZE:
            requests.append((agency, waiting.pop(agency)))
    return [*requests, *waiting.items()]


def _on_the_wire(key: str, events: list[Event]) -> bytes:
    one = len(events) == 1
    forms = [write_structured(event) for event in events]
    body = orjson.dumps(forms[0] if one else forms)
    return (
        f"POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {STRUCTURED if one else BATCH}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def send_all(url: str, requests: Sequence[bytes], clients: int) -> tuple[float, list[float], Counter[int]]:
    """In the clients' process: (seconds for all, seconds of each, how many of each status)."""
    return asyncio.run(_send_all(url, requests, clients))


async def _send_all(url: str, requests: Sequence[bytes], clients: int) -> tuple[float, list[float], Counter[int]]:
    address = urlsplit(url)
    waiting, taken_s, statuses = iter(requests), list[float](), Counter[int]()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for request in waiting:
            started = perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lowered = head.lower()
            length = int(lowered.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            taken_s.append(perf_counter() - started)
            statuses[int(head[9:12])] += 1
        writer.close()

    started = perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return perf_counter() - started, taken_s, statuses
