"""A worker of its own process: writes every record of one topic to another, through the batch transport.

`python -m tests.services.engine.kafka.batches.worker BOOTSTRAP GROUP INPUT OUTPUT DIRECTORY [FAIL_ON]`
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable

import faust

from services.engine.kafka.batches import (
    Output,
    Outputs,
    OversizedRecord,
    RecordBatch,
    batch_agent,
    batch_topic,
    broker_url,
    read_limits,
)


def main(bootstrap: str, group: str, source: str, target: str, directory: str, fail_on: str = "") -> None:
    app = faust.App(
        group,
        broker=broker_url(bootstrap),
        datadir=directory,
        web_enabled=False,
        topic_disable_leader=True,
        broker_commit_interval=0.5,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
    )

    async def refused(record: OversizedRecord) -> None:
        raise AssertionError(record)

    limits = asyncio.run(read_limits(bootstrap, [target]))
    outputs = Outputs(lambda: app.producer._ensure_producer(), limits, refused)

    async def work(batch: RecordBatch) -> Awaitable[None]:
        if fail_on and any(record.value == fail_on.encode() for record in batch.records):
            raise ValueError("cannot work on this")
        print("batch", batch.partition, batch.first, batch.end, file=sys.stderr, flush=True)
        return outputs.send(batch.partition, [Output(target, record.key, record.value) for record in batch.records])

    batch_agent(app, batch_topic(app, source), work)
    faust.Worker(app, loglevel="WARNING", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
