"""The portal on Kafka over HTTP: events per second that are durable, which is in the SQL store and on `ccr.events`.

`python -m bench.kafka_intake`: a table, and last a line of JSON. One broker and one PostgreSQL of its own; for each
figure an empty store, and keys and topics of their own. The server runs in this process, the publishers in another.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from rich.console import Console

from bench.__main__ import table
from bench.figure import Figure
from bench.http import CLIENTS, START, UNLIMITED, batched, county_events, on_the_wire, rate, timed
from bench.postgresql import postgresql
from bench.publishers import send_all
from ccr_events.agencies import Agency
from ccr_events.envelope import Event
from services.demo.clock import ScriptClock
from services.distributed import Settings, open_backbone
from services.engine.kafka.broker import broker
from services.engine.kafka.topics import Layout, apply, catalogue, cluster_admin, differences, topics_on, write_layout
from services.portal.app import create_app
from services.portal.server import served

PART = "kafka intake"
PARTITIONS = 12
BATCH_SIZE = 1_000
"""Events of one batch: the most that a request may bring."""
BATCH_CLIENTS = 4
_generations = count(1)

Databases = Callable[[Path], AbstractContextManager[tuple[str, str]]]
"""Addresses of an empty store and of an empty key store."""


async def measure(requests: int, stores: Sequence[str], data: Path | None) -> list[Figure]:
    """Lone events from many clients and large batches, for each kind of store."""
    figures: list[Figure] = []
    events = county_events()
    with TemporaryDirectory(prefix="ccr-bench-", dir=data) as temporary:
        async with broker(Path(temporary) / "kafka") as bootstrap:
            for store in stores:
                singles, batches = list(islice(events, requests)), list(islice(events, requests * 4))
                figures.append(await _measured(bootstrap, store, data, [(a, [e]) for a, e in singles], CLIENTS))
                figures.append(await _measured(bootstrap, store, data, batched(batches, BATCH_SIZE), BATCH_CLIENTS))
    return figures


async def _measured(
    bootstrap: str, store: str, data: Path | None, requests: Sequence[tuple[str, list[Event]]], clients: int
) -> Figure:
    with TemporaryDirectory(prefix="ccr-bench-", dir=data) as temporary, STORES[store](Path(temporary)) as (log, keys):
        settings = Settings(
            await topics_in_force(bootstrap), log, keys, Path(temporary) / "master.key", clock=ScriptClock(START)
        )
        async with _serving(settings) as (url, of):
            sent, cpu_s = await timed(
                send_all, url, [on_the_wire(of[agency], own) for agency, own in requests], clients
            )
    size = max(len(own) for _, own in requests)
    what = "one event a request" if size == 1 else f"batches of at most {size:,}"
    figure = rate(f"{what}, {clients} clients, {store}", sum(len(own) for _, own in requests), None, sent, cpu_s)
    return Figure(PART, figure.what, figure.value, figure.unit, extra=figure.extra)


async def topics_in_force(bootstrap: str) -> str:
    """Topics of a generation that nobody used yet; returns the address."""
    layout = Layout(next(_generations), PARTITIONS)
    wanted = catalogue(layout.size(1))
    async with cluster_admin(bootstrap) as admin:
        found = differences(wanted, await topics_on(admin, [topic.name for topic in wanted]))
        left = await apply(admin, wanted, found)
    if left:
        raise RuntimeError(f"{len(left)} topics of an empty cluster are not as they have to be")
    await write_layout(bootstrap, layout)
    return bootstrap


@asynccontextmanager
async def _serving(settings: Settings) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """A portal on the topics in force: its address, and a key of each agency."""
    async with open_backbone(settings) as backbone:
        keys = {agency.value: await backbone.issue_key(agency, "bench") for agency in Agency}
        async with served(create_app(backbone, rate=UNLIMITED)) as (url, _):
            yield url, keys


@contextmanager
def _sqlite(directory: Path) -> Iterator[tuple[str, str]]:
    yield f"sqlite:///{directory / 'store.sqlite'}", f"sqlite:///{directory / 'keys.sqlite'}"


@contextmanager
def _postgresql(directory: Path) -> Iterator[tuple[str, str]]:
    with postgresql(directory.parent, "store", "keys") as (store, keys):
        yield store, keys


STORES: dict[str, Databases] = {"sqlite": _sqlite, "postgresql": _postgresql}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.kafka_intake", description=__doc__)
    parser.add_argument("--requests", type=int, default=5_000, help="lone events; in batches four times as many")
    parser.add_argument("--only", default=",".join(STORES), help=f"some of {','.join(STORES)}")
    parser.add_argument("--data", type=Path, help="a directory on the disk to measure (default: temporary)")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    given = parser.parse_args()
    stores = given.only.split(",")
    unknown = sorted(set(stores) - set(STORES))
    if unknown:
        parser.error(f"there is no store {', '.join(unknown)}; there are {', '.join(STORES)}")
    factory = uvicorn.Config(None).get_loop_factory()  # type: ignore[arg-type]  # the loop `ccr worker portal` runs in
    with asyncio.Runner(loop_factory=factory) as runner:
        figures = runner.run(measure(given.requests, stores, given.data))
    Console(quiet=given.json).print(table(PART, figures))
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    print(json.dumps({"bench": "kafka-intake", **machine, "figures": [each.as_row() for each in figures]}))


if __name__ == "__main__":
    main()
