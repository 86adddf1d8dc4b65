"""From an agency's request to the alert at a subscriber, through all of the Kafka engine: portal, casebook and monitor
as processes of their own, one broker, everything on this machine.

`python -m bench.kafka_alerts`: a table, and last a line of JSON. Every event is an arrest of a case of its own, which
opens several links; what is told is the time to the first alert of each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

import httpx
import orjson
from rich.console import Console

from bench.__main__ import table
from bench.figure import Figure
from bench.kafka_intake import STORES, topics_in_force
from ccr_events.envelope import STRUCTURED
from services.demo.listener import Heard, Listener
from services.engine.kafka.broker import broker

PART = "kafka alerts"
RATES = {10.0: 15.0, 100.0: 10.0}
"""Arrests a second → seconds of it."""
WARM = 0.2
"""Share of them at the beginning that is not counted."""
PATIENCE_S = 60.0
_numbers = count(1)


async def measure(stores: Sequence[str], data: Path | None) -> list[Figure]:
    """Each rate with each kind of store."""
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="ccr-bench-", dir=data) as temporary:
        async with broker(Path(temporary) / "kafka") as bootstrap:
            for store in stores:
                with TemporaryDirectory(prefix="ccr-bench-", dir=data) as own, STORES[store](Path(own)) as (log, keys):
                    async with _working(await topics_in_force(bootstrap), log, keys, Path(own)) as (url, of):
                        figures += [await _measured(url, of, rate, store) for rate in RATES]
    return figures


async def _measured(url: str, of: dict[str, str], rate: float, store: str) -> Figure:
    sent: dict[str, float] = {}
    heard_s: dict[str, float] = {}
    accepted_s: list[float] = []

    def heard(alert: Heard) -> None:
        heard_s.setdefault(alert.body["causationid"], alert.read_s)

    listener = Listener(url, of["ccr"], heard)
    following = asyncio.create_task(listener.follow())
    await listener.connected.wait()
    headers = {"authorization": f"Bearer {of['le']}", "content-type": STRUCTURED}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S) as http:

        async def publish() -> None:
            id, body = _arrest()
            sent[id] = perf_counter()
            response = await http.post("/v1/events", content=body)
            response.raise_for_status()
            accepted_s.append(perf_counter() - sent[id])

        publishing, began_s = [], perf_counter()
        for number in range(int(rate * RATES[rate])):
            await asyncio.sleep(max(0.0, began_s + number / rate - perf_counter()))
            publishing.append(asyncio.create_task(publish()))
        await asyncio.gather(*publishing)
    async with asyncio.timeout(PATIENCE_S):
        while not sent.keys() <= heard_s.keys():
            await asyncio.sleep(0.05)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    waits = _hundredths([heard_s[id] - at_s for id, at_s in sent.items()])
    answers = _hundredths(accepted_s)
    extra = {"p50_ms": waits[49], "202 p50_ms": answers[49], "202 p99_ms": answers[98], "arrests": len(sent)}
    return Figure(
        PART, f"request to alert, p99, {rate:g} arrests/s, {store}", waits[98], "ms", lower_is_better=True, extra=extra
    )


def _hundredths(waits_s: Sequence[float]) -> list[float]:
    warm = waits_s[int(len(waits_s) * WARM) :]
    return [round(1000 * each, 1) for each in quantiles(warm, n=100)]


def _arrest() -> tuple[str, bytes]:
    id = str(uuid4())
    data = {"dv": "yes", "references": [{"kind": "incident_no", "number": f"26-{next(_numbers)}"}]}
    # Just now, so that no deadline of it has passed already.
    now = datetime.now(UTC).isoformat()
    form = {"specversion": "1.0", "id": id, "source": "/bench", "type": "arrest.made", "time": now, "data": data}
    return id, orjson.dumps(form)


@asynccontextmanager
async def _working(bootstrap: str, store: str, keys: str, directory: Path) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The three workers: the portal's address, and a key of police and of the tracking entity."""
    environment = os.environ | {
        "CCR_KAFKA": bootstrap,
        "CCR_STORE": store,
        "CCR_KEY_STORE": keys,
        "CCR_MASTER_KEY_FILE": str(directory / "master.key"),
        "CCR_WORKER_DATA": str(directory / "state"),
    }
    started: list[subprocess.Popen[str]] = []

    async def run(*arguments: str, until: str) -> str:
        command = [sys.executable, "-c", "from services.cli.main import main; main()", *arguments]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        started.append(process)
        output = process.stdout
        assert output is not None  # asked for
        async with asyncio.timeout(PATIENCE_S):
            while until not in (line := await asyncio.to_thread(output.readline)):
                if not line:
                    raise RuntimeError(f"ccr {' '.join(arguments)} ended by itself")
        return line

    try:
        told = orjson.loads(await run("worker", "portal", "--port", "0", "--json", until="url"))
        issued = [await run("keys", "issue", "--agency", agency, "--json", until="key") for agency in ("le", "ccr")]
        await run("worker", "monitor", until="Stop with")
        await run("worker", "casebook", until="Stop with")
        yield told["url"], dict(zip(("le", "ccr"), (orjson.loads(line)["key"] for line in issued), strict=True))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            await asyncio.to_thread(process.communicate)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.kafka_alerts", description=__doc__)
    parser.add_argument("--only", default=",".join(STORES), help=f"some of {','.join(STORES)}")
    parser.add_argument("--data", type=Path, help="a directory on the disk to measure (default: temporary)")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    given = parser.parse_args()
    stores = given.only.split(",")
    unknown = sorted(set(stores) - set(STORES))
    if unknown:
        parser.error(f"there is no store {', '.join(unknown)}; there are {', '.join(STORES)}")
    figures = asyncio.run(measure(stores, given.data))
    Console(quiet=given.json).print(table(PART, figures))
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    print(json.dumps({"bench": "kafka-alerts", **machine, "figures": [each.as_row() for each in figures]}))


if __name__ == "__main__":
    main()
