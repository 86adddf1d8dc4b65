"""Over HTTP: events per second, and how long an alert takes. A real server and backbone; clients in another process.

What is measured is everything between an adapter's socket and its receipt: HTTP, API key, validation, placement,
sealing, fold, links, and the disk; for alerts, on to the socket of every agency's subscriber.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, islice
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any
from zlib import crc32

import orjson
import uvicorn

from bench.figure import Asked, Figure
from bench.publishers import Sent, heard_after, ready, send_all
from ccr_events.agencies import Agency
from ccr_events.core.ids import derived
from ccr_events.envelope import BATCH, STRUCTURED, Event, write_structured
from services.demo.acts import Publish, acts
from services.demo.clock import ScriptClock
from services.demo.scenario import load_week
from services.embedded import Settings, open_backbone
from services.portal.app import create_app
from services.portal.rate import Rate
from services.portal.server import served
from services.simulator.people import surname

PART = "http"
CLIENTS = 64
SINGLE_GOAL = 3_000
"""Events per second, one a request, from `CLIENTS` publishers at once."""
BATCH_GOAL = 10_000
"""Events per second in batches."""
BATCH_SIZE = 500
"""Events of one batch; at most 1,000 are taken."""
BATCH_CLIENTS = 4
ALERT_GOAL_MS = 20
"""From publishing an event to its alert at a subscriber, of 99 in 100."""
STEADY_PER_S = 100
STEADY_S, STEADY_FULL_S = 15, 60
SEED = 4
SURNAMES = 20_000
"""Different ones; a place of 100,000 people has about so many."""
UNLIMITED = Rate(per_second=1e9, burst=1e9)

START = acts(load_week())[0].at
"""What the backbone's clock shows: no deadline passes, so what is measured is publishing alone."""

Request = tuple[str, list[Event]]
"""Agency, and the events of one request."""


def measure(asked: Asked) -> list[Figure]:
    """One event a request from many clients and from one, batches, and alerts under a steady load."""
    factory = uvicorn.Config(None).get_loop_factory()  # type: ignore[arg-type]  # the event loop `ccr up` runs in
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_measured(asked))


async def _measured(asked: Asked) -> list[Figure]:
    events = county_events()
    steady = STEADY_PER_S * (STEADY_FULL_S if asked.full else STEADY_S)
    return [
        await _singles(asked.data, list(islice(events, asked.requests)), CLIENTS, SINGLE_GOAL),
        await _singles(asked.data, list(islice(events, asked.requests // 10)), 1, None),
        await _batches(asked.data, list(islice(events, asked.requests * 4))),
        await _alerts(asked.data, list(islice(events, steady))),
    ]


async def _singles(data: Path | None, events: Sequence[tuple[str, Event]], clients: int, goal: float | None) -> Figure:
    async with _serving(data) as (url, keys):
        requests = [on_the_wire(keys[agency], [event]) for agency, event in events]
        sent, cpu_s = await timed(send_all, url, requests, clients)
    what = f"one event a request, {clients} client{'s' if clients > 1 else ''}"
    return rate(what, len(events), goal, sent, cpu_s)


async def _batches(data: Path | None, events: Sequence[tuple[str, Event]]) -> Figure:
    async with _serving(data) as (url, keys):
        requests = [on_the_wire(keys[agency], batch) for agency, batch in batched(events)]
        sent, cpu_s = await timed(send_all, url, requests, BATCH_CLIENTS)
    what = f"batches of at most {BATCH_SIZE}, {BATCH_CLIENTS} clients"
    return rate(what, len(events), BATCH_GOAL, sent, cpu_s)


async def _alerts(data: Path | None, events: Sequence[tuple[str, Event]]) -> Figure:
    async with _serving(data) as (url, keys):
        requests = [(event.id, on_the_wire(keys[agency], [event])) for agency, event in events]
        subscribers = [_listening(key) for key in keys.values()]
        (sent, heard_s), cpu_s = await timed(heard_after, url, requests, subscribers, STEADY_PER_S, SEED)
    _check(sent)
    if not heard_s:
        raise RuntimeError("no alert reached a subscriber")
    p50, p99 = _cuts_ms(heard_s)
    what = f"publish to alert, p99 at {STEADY_PER_S} events/s, {len(subscribers)} subscribers"
    extra = {"p50 ms": p50, "max ms": round(max(heard_s) * 1e3, 2), "alerts": len(heard_s)}
    extra["server µs/event"] = round(cpu_s / len(events) * 1e6)
    return Figure(PART, what, p99, "ms", ALERT_GOAL_MS, lower_is_better=True, extra=extra)


def rate(what: str, events: int, goal: float | None, sent: Sent, cpu_s: float) -> Figure:
    """Events per second, from the first request to the last answer."""
    _check(sent)
    p50, p99 = _cuts_ms(sent.taken_s)
    extra = {"server µs/event": round(cpu_s / events * 1e6), "p50 ms": p50, "p99 ms": p99, "events": events}
    return Figure(PART, what, round(events / sent.took_s), "events/s", goal, extra=extra)


def _check(sent: Sent) -> None:
    refused = {status: number for status, number in sent.statuses.items() if status not in (200, 202)}
    if refused:
        raise RuntimeError(f"not every request was accepted: {refused}")


def _cuts_ms(taken_s: Sequence[float]) -> tuple[float, float]:
    cuts = quantiles(taken_s, n=100) if len(taken_s) > 1 else list(taken_s) * 99
    return round(cuts[49] * 1e3, 2), round(cuts[98] * 1e3, 2)


@asynccontextmanager
async def _serving(data: Path | None) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """An empty backbone, served: its address, and a key of each agency."""
    with TemporaryDirectory(prefix="ccr-bench-", dir=data) as directory:
        async with open_backbone(Settings(data=Path(directory), clock=ScriptClock(START))) as backbone:
            keys = {agency.value: await backbone.issue_key(agency, "bench") for agency in Agency}
            async with served(create_app(backbone, rate=UNLIMITED)) as (url, _):
                yield url, keys


async def timed(act: Callable[..., Any], *values: object) -> tuple[Any, float]:
    """What `act` returns in the clients' process, and the seconds of CPU that this process, the server, spent on it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(process, ready)
        started = process_time()
        result = await loop.run_in_executor(process, act, *values)
        return result, process_time() - started


def county_events() -> Iterator[tuple[str, Event]]:
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
            party["name"]["surname"] = surname(crc32(case.encode()) % SURNAMES)
        if "birth_date" in party:
            party["birth_date"] = _another_day(party["birth_date"], case)
    corrects = None if event.corrects is None else derived(event.corrects, case)
    return replace(event, id=derived(event.id, case), data=data, corrects=corrects, occurred_at=START - ago)


def _another_day(birth_date: str, case: str) -> str:
    """People of different cases rarely share a birthday: they would be compared with each other."""
    return (date.fromisoformat(birth_date) - timedelta(days=crc32(case.encode()) % 20_000)).isoformat()


def batched(events: Sequence[tuple[str, Event]], size: int = BATCH_SIZE) -> list[Request]:
    """Each agency's events in batches, as a nightly adapter sends them."""
    waiting: dict[str, list[Event]] = {}
    requests: list[Request] = []
    for agency, event in events:
        waiting.setdefault(agency, []).append(event)
        if len(waiting[agency]) == size:
            requests.append((agency, waiting.pop(agency)))
    return [*requests, *waiting.items()]


def on_the_wire(key: str, events: list[Event]) -> bytes:
    """One request."""
    one = len(events) == 1
    forms = [write_structured(event) for event in events]
    body = orjson.dumps(forms[0] if one else forms)
    return (
        f"POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {STRUCTURED if one else BATCH}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _listening(key: str) -> bytes:
    return f"GET /v1/alerts HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
