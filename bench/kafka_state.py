"""State of a casebook worker on a real broker: what a view costs in a checkpoint, how long a worker takes to have all
views of its partitions again, and how much memory it has then.

`python -m bench.kafka_state [--full]`. The views are those of the scripted week's cases, under as many case ids as are
asked for. The worker is a process of its own with an empty data directory, this module with three arguments.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from msgspec.structs import replace

from bench.county import records
from bench.figure import Asked, Figure
from ccr_events.core.fold import step
from ccr_events.core.ids import derived
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from ccr_events.policy import load_policies
from services.engine.kafka.batches.outputs import Output, built
from services.engine.kafka.broker import broker
from services.engine.kafka.topics import cluster_admin
from services.engine.kafka.topics.catalogue import MAX_RECORD_BYTES
from services.engine.kafka.views import PartitionViews, Refolding, open_partition, restore
from services.engine.kafka.views.packing import ViewPacker
from services.engine.kafka.views.records import MARK_KEY, Mark, ViewRecord, encode_mark, encode_view
from services.engine.kafka.views.upcoming import earliest

PART = "kafka state"
TOPIC = "bench-case-views"
EVENTS = "bench-events"
PARTITIONS = 4
"""All of them one worker's."""
SAMPLE_EVENTS = 20_000
FULL_VIEWS = 1_000_000
VIEWS = 50_000
READ_AFTERWARDS = 20_000
"""Views that the worker then uses, drawn at random: its caches are full when its memory is taken."""
RUNS = 5
RESTORE_GOAL_S = 20.0
_OFFSET = 1_000
_US = 1e6
_MIB = 2**20


def measure(asked: Asked) -> list[Figure]:
    """Every figure of a worker's state."""
    views = sample()
    with TemporaryDirectory(dir=asked.data) as directory:
        return [
            *_checkpointed(views, Path(directory)),
            *asyncio.run(_restored(views, FULL_VIEWS if asked.full else VIEWS, Path(directory))),
        ]


def sample() -> list[CaseView]:
    """The views of the scripted week's cases, over and over."""
    policies = load_policies()
    views: dict[str, CaseView] = {}
    for record in islice(records(policies), SAMPLE_EVENTS):
        fact = read_fact(record.body)
        views[fact.case_id] = step(views.get(fact.case_id) or CaseView(fact.case_id), fact, policies).view
    return list(views.values())


def _checkpointed(views: Sequence[CaseView], directory: Path) -> list[Figure]:
    """Processor time of a whole checkpoint of these views: packed, put in records, written to the local file."""
    packing, storing, reading = [], [], []
    sizes: list[int] = []
    for run in range(RUNS):
        state = open_partition(directory / f"run {run}", 0, epoch=1, cache_facts=0)
        for view in views:
            state.put(view, view.links.values())
        started = process_time()
        checkpoint = state.checkpoint(1)
        sizes = [len(value) for _, value in checkpoint.records[:-1]]
        packed = process_time()
        state.settle(checkpoint)
        settled = process_time()
        for view in views:
            state.get(view.case_id)
        packing.append(packed - started)
        storing.append(settled - packed)
        reading.append(process_time() - settled)
        state.close()
    count = len(views)
    totals = [(a + b) / count * _US for a, b in zip(packing, storing, strict=True)]
    extra: dict[str, float | int | str] = {
        "views": count,
        "runs": RUNS,
        "events a case": round(sum(len(view.facts) for view in views) / count, 1),
        "links a case": round(sum(len(view.links) for view in views) / count, 1),
        "us to pack": round(median(packing) / count * _US, 1),
        "us to store": round(median(storing) / count * _US, 1),
        "us to read one back": round(median(reading) / count * _US, 1),
        "least": round(min(totals), 1),
        "most": round(max(totals), 1),
    }
    return [
        Figure(PART, "a view in a checkpoint", median(totals), "us", lower_is_better=True, extra=extra),
        Figure(PART, "a view's record", sum(sizes) / count, "bytes", lower_is_better=True, extra={"most": max(sizes)}),
    ]


async def _restored(views: Sequence[CaseView], count: int, directory: Path) -> list[Figure]:
    """A worker of its own restores so many views from a broker of its own."""
    async with broker(directory / "broker") as bootstrap:
        async with cluster_admin(bootstrap) as admin:
            settings = {"cleanup.policy": "compact", "max.message.bytes": str(MAX_RECORD_BYTES)}
            await admin.create_topics(
                [NewTopic(TOPIC, PARTITIONS, 1, topic_configs=settings), NewTopic(EVENTS, PARTITIONS, 1)]
            )
        written = await _written(bootstrap, views, count)
        command = [sys.executable, "-m", "bench.kafka_state", bootstrap, str(directory / "worker"), str(count)]
        told = await asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, check=True)
    worker = _Worker(**json.loads(told.stdout))
    return [
        Figure(
            PART,
            f"{count:,} views restored from the broker",
            worker.restored_s,
            "s",
            RESTORE_GOAL_S if count == FULL_VIEWS else None,
            True,
            {
                "partitions": PARTITIONS,
                "views a second": round(count / worker.restored_s),
                "processor s": round(worker.restored_cpu_s, 1),
                "MiB read": round(written / _MIB),
                "MiB of local files": round(worker.file_bytes / _MIB),
            },
        ),
        Figure(
            PART,
            f"the same worker started again, {count:,} views in its files",
            worker.again_s,
            "s",
            lower_is_better=True,
        ),
        Figure(
            PART,
            f"memory of the state alone, {count:,} views, nothing folded",
            worker.peak_bytes / _MIB,
            "MiB",
            None,
            True,
            {"peak while restoring, MiB": round(worker.restoring_bytes / _MIB), "then used": READ_AFTERWARDS},
        ),
    ]


def _case(number: int) -> str:
    return derived("bench state", str(number))


async def _written(bootstrap: str, views: Sequence[CaseView], count: int) -> int:
    """Put so many views on the topic; returns their bytes."""
    packer, written = ViewPacker(), 0
    kinds = [(packer.pack(replace(view, case_id="")), earliest(view.links.values())) for view in views]
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=MAX_RECORD_BYTES)
    async with producer:
        for partition in range(PARTITIONS):
            for page in _pages(range(partition, count, PARTITIONS), 10_000):
                outputs = []
                for number in page:
                    packed, next_at = kinds[number % len(kinds)]
                    value = encode_view(ViewRecord(1, _OFFSET, next_at, packed))
                    outputs.append(Output(TOPIC, _case(number).encode(), value))
                    written += len(value)
                await sent(producer, outputs, partition)
            mark = Mark(1, _OFFSET, 0, b"the line", TOPIC, partition)
            await sent(producer, [Output(TOPIC, MARK_KEY, encode_mark(mark))], partition)
    return written


def _pages(numbers: range, size: int) -> Iterator[range]:
    for first in range(0, len(numbers), size):
        yield numbers[first : first + size]


async def sent(producer: AIOKafkaProducer, outputs: Sequence[Output], partition: int) -> None:
    """Write these, all of one topic, and have them acknowledged."""
    batches, _ = built(outputs, MAX_RECORD_BYTES)
    waiting = [await producer.send_batch(batch, outputs[0].topic, partition=partition) for batch in batches]
    await asyncio.gather(*waiting)


@dataclass(frozen=True, slots=True)
class _Worker:
    """What a worker tells of itself."""

    restored_s: float
    restored_cpu_s: float
    again_s: float
    file_bytes: int
    restoring_bytes: int
    peak_bytes: int


async def _work(bootstrap: str, directory: Path, count: int) -> _Worker:
    started, cpu = perf_counter(), process_time()
    partitions = await _opened(bootstrap, directory)
    restored_s, restored_cpu_s = perf_counter() - started, process_time() - cpu
    restoring = _peak()
    found = sum(views.file.count() for views in partitions)
    if found != count or any(views.offset != _OFFSET for views in partitions):
        raise RuntimeError(f"{found:,} views were restored, not {count:,}")
    draws = Random(1)
    for number in (draws.randrange(count) for _ in range(READ_AFTERWARDS)):
        if not partitions[number % PARTITIONS].get(_case(number)).facts:
            raise RuntimeError(f"case {number} has no view")
    for views in partitions:
        views.next_at()
        views.close()
    file_bytes = sum(path.stat().st_size for path in directory.iterdir())
    started = perf_counter()
    again = await _opened(bootstrap, directory)
    again_s = perf_counter() - started
    for views in again:
        views.close()
    return _Worker(restored_s, restored_cpu_s, again_s, file_bytes, restoring, _peak())


async def _opened(bootstrap: str, directory: Path) -> list[PartitionViews]:
    partitions = [open_partition(directory, number, epoch=1, topic=TOPIC) for number in range(PARTITIONS)]
    refolding = Refolding(lambda view, record: view, EVENTS)
    await asyncio.gather(*(restore(views, bootstrap, refolding=refolding) for views in partitions))
    return partitions


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure and print; or, with three arguments, be the worker."""
    if len(sys.argv) == 4:
        told = asyncio.run(_work(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
        print(json.dumps(asdict(told)))
        return
    for figure in measure(Asked(events=0, requests=0, data=None, full="--full" in sys.argv)):
        print(json.dumps(figure.as_row()), flush=True)


if __name__ == "__main__":
    main()
