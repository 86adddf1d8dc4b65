"""Memory of the product's own casebook worker that holds very many cases, and folds events of so many of them that
whatever it keeps ready is full.

`python -m bench.kafka_held [VIEWS]`: 1,000,000 unless told otherwise; the table's line as JSON. Linux only.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from bench.figure import Figure
from bench.kafka_casebook import READY
from bench.kafka_intake import PARTITIONS, topics_in_force
from bench.kafka_state import sample, sent
from ccr_events.core.ids import derived
from ccr_events.core.view import CaseView
from ccr_events.envelope import Event, encode_record, recorded_form
from services.casebook.worker import READY_FACTS
from services.engine.kafka.batches.outputs import Output
from services.engine.kafka.broker import broker
from services.engine.kafka.broker.ports import free_ports
from services.engine.kafka.outgoing import partition_of
from services.engine.kafka.topics.catalogue import CASE_VIEWS, EVENTS
from services.engine.kafka.views.packing import ViewPacker
from services.engine.kafka.views.records import MARK_KEY, Mark, ViewRecord, encode_mark, encode_view
from services.engine.kafka.views.upcoming import earliest

PART = "kafka held"
VIEWS = 1_000_000
GOAL_MB = 2_048
PATIENCE_S = 600.0
_PAGE = 5_000
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Held:
    """A case of the bench."""

    id: str
    view: CaseView
    """As it is, but for the case's id."""


async def measure(count: int, directory: Path) -> Figure:
    """What a worker with so many views takes at most."""
    views = sample()
    facts = sum(len(view.facts) for view in views) / len(views)
    folded = min(count, round(2 * READY_FACTS / facts))
    async with broker(directory / "broker") as bootstrap:
        await topics_in_force(bootstrap)
        cases = [Held(derived("bench held", str(number)), views[number % len(views)]) for number in range(count)]
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=4 * _MIB)
        async with producer:
            await _write_views(producer, cases)
            async with _worker(bootstrap, directory / "worker") as (process, url):
                restored = process.memory_info().rss
                await _write_events(producer, cases[:folded])
                peak = await _until_folded(url, folded, process)
    extra: dict[str, float | int | str] = {
        "partitions": PARTITIONS,
        "facts a case": round(facts, 1),
        "restored, MiB": round(restored / _MIB),
        "cases folded on": folded,
        "facts kept ready": READY_FACTS,
    }
    goal = GOAL_MB if count == VIEWS else None
    return Figure(PART, f"memory of a casebook worker with {count:,} cases", peak / _MIB, "MiB", goal, True, extra)


async def _write_views(producer: AIOKafkaProducer, cases: Sequence[Held]) -> None:
    """What an earlier owner of every partition would have left on the topic."""
    topic, packer = CASE_VIEWS, ViewPacker()
    packed = {
        id(view): (packer.pack(replace(view, case_id="")), earliest(view.links.values())) for view in _each(cases)
    }
    for first in range(0, len(cases), _PAGE):
        outputs = defaultdict[int, list[Output]](list)
        for case in cases[first : first + _PAGE]:
            body, next_at = packed[id(case.view)]
            key = case.id.encode()
            value = encode_view(ViewRecord(1, 0, next_at, body))
            outputs[partition_of(key, PARTITIONS)].append(Output(topic, key, value))
        for partition, page in outputs.items():
            await sent(producer, page, partition)
    for partition in range(PARTITIONS):
        mark = Mark(1, 0, 0, b"the line", topic, partition)
        await sent(producer, [Output(topic, MARK_KEY, encode_mark(mark))], partition)


def _each(cases: Sequence[Held]) -> list[CaseView]:
    return list({id(case.view): case.view for case in cases}.values())


async def _write_events(producer: AIOKafkaProducer, cases: Sequence[Held]) -> None:
    """One event of each case, which changes little: its view is unpacked, kept ready and written anew."""
    topic = EVENTS
    remaining = iter(cases)
    while page := list(islice(remaining, _PAGE)):
        outputs = defaultdict[int, list[Output]](list)
        for case in page:
            key = case.id.encode()
            outputs[partition_of(key, PARTITIONS)].append(Output(topic, key, _event_of(case)))
        for partition, records in outputs.items():
            await sent(producer, records, partition)


def _event_of(case: Held) -> bytes:
    newest = max(case.view.facts.values(), key=lambda fact: fact.recorded_at)
    event = Event(derived("bench held event", case.id), "/bench", "call.closed", newest.occurred_at, {})
    form = recorded_form(
        event, case_id=case.id, agency="psap", recorded_at=newest.recorded_at, edition=newest.edition, data={}
    )
    return encode_record(form)


@asynccontextmanager
async def _worker(bootstrap: str, directory: Path) -> AsyncIterator[tuple[psutil.Process, str]]:
    """The worker, at work on all partitions: its process, and the address of its pages."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "bench.kafka_casebook", bootstrap, str(directory), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        output = process.stdout
        assert output is not None  # asked for
        async with asyncio.timeout(PATIENCE_S):
            while (await asyncio.to_thread(output.readline)).strip() != READY:
                if process.poll() is not None:
                    raise RuntimeError(f"the worker ended with {process.returncode}")
        yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.communicate)


async def _until_folded(url: str, events: int, process: psutil.Process) -> int:
    """Wait for it and for the checkpoint after it; returns the most memory seen, in bytes."""
    peak = 0
    async with httpx.AsyncClient(base_url=url) as http, asyncio.timeout(PATIENCE_S):
        while True:
            peak = max(peak, process.memory_info().rss)
            partitions = (await http.get("/partitions")).json()["partitions"]
            if sum(each["settled"] for each in partitions) >= events:
                return peak
            await asyncio.sleep(0.2)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else VIEWS
    with TemporaryDirectory(prefix="ccr-bench-") as directory:
        print(json.dumps(asyncio.run(measure(count, Path(directory))).as_row()))


if __name__ == "__main__":
    main()
