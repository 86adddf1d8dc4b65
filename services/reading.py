"""Composition root of the reading side of the Kafka engine: alerts, links and cases, apart from whoever accepts.

It reads the SQL store that the monitor fills, needs no key that seals, and accepts no event. That an alert was
delivered it writes to a topic of its own, from which intake takes it in. While Kafka is away it serves what is in the
store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ccr_events.policy import PolicyBook, load_policies
from services.alerts.receipts_topic import ReceiptsTopic
from services.casebook.edition_watch import EditionWatch
from services.engine.beside import beside
from services.engine.clock import WallClock
from services.engine.kafka.outgoing import PATIENCE_S, KafkaOutgoing, sending
from services.engine.kafka.security import Security
from services.engine.kafka.topics.catalogue import RECEIPTS
from services.engine.kafka.topics.in_force import NoTopics, checked_size
from services.engine.kafka.topics.standing import KafkaUnreachable
from services.engine.ports import AlertSource, Clock, Links, Log
from services.engine.sql.store import open_store
from services.intake.api_keys import ApiKeys
from services.monitor.delivery_metrics import receipts_refused
from services.monitor.metrics import Metrics
from services.monitor.policy_metrics import policies_missing
from services.monitor.worker_health import WorkerHealth

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the reading side is opened."""

    bootstrap: str
    """Address of the cluster, `host:port` with commas."""
    store: str = field(repr=False)
    """Address of the SQL store: `postgresql://USER@HOST/NAME`, or `sqlite:///FILE` on one machine."""
    security: Security | None = None
    """As whom Kafka is spoken to; None for plain text."""
    policies: Path | None = None
    """A county's own policy documents; the packaged ones when left out."""
    clock: Clock = field(default_factory=WallClock)
    kafka_patience_s: float = PATIENCE_S
    """How long Kafka may take to acknowledge receipts."""


@dataclass(frozen=True, slots=True)
class ReadingSide:
    """An open reading side. Implements `services.portal.backbone.Reading`."""

    publisher: ReceiptsTopic
    alerts: AlertSource
    links: Links
    log: Log
    keys: ApiKeys
    policies: PolicyBook
    metrics: Metrics
    health: WorkerHealth
    clock: Clock


@asynccontextmanager
async def open_reading(settings: Settings) -> AsyncIterator[ReadingSide]:
    """Open everything, and close it in reverse.

    Raises `NoTopics`, `TopicsMismatch`, `SecurityRefused`, `StorageFailed` or `ccr_events.policy` errors; every
    message says what to do. A Kafka that does not answer, and a policy that is missing here, are told in the log and
    in metrics: alerts go out without either.
    """
    policies = await asyncio.to_thread(load_policies, settings.policies)
    await _check_topic(settings)
    async with sending(_receipts(settings), required=False) as outgoing, open_store(settings.store) as store:
        watch = EditionWatch(store.log.editions, policies)
        metrics = Metrics(store.counts, settings.clock)
        metrics.add(receipts_refused(lambda: outgoing.failure))
        metrics.add(policies_missing(lambda: watch.failure))
        reading = ReadingSide(
            publisher=ReceiptsTopic(outgoing.write),
            alerts=store.alerts,
            links=store.links,
            log=store.log,
            keys=ApiKeys(store.writer, settings.clock),
            policies=policies,
            metrics=metrics,
            # Without Kafka alerts still go out, and their receipts are tried again: no reason to take the people away.
            health=WorkerHealth(store.counts, {}),
            clock=settings.clock,
        )
        async with beside(watch.run()):
            yield reading


async def _check_topic(settings: Settings) -> None:
    try:
        await checked_size(settings.bootstrap, RECEIPTS, security=settings.security)
    except NoTopics:
        raise
    except KafkaUnreachable as away:
        _log.warning("alerts go out, and their receipts wait: %s", str(away))


def _receipts(settings: Settings) -> KafkaOutgoing:
    return KafkaOutgoing(
        settings.bootstrap, RECEIPTS, 1, security=settings.security, patience_s=settings.kafka_patience_s
    )
