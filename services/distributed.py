"""Composition root of an intake worker of the Kafka engine: the one place where its parts meet.

It decides against the SQL store that all workers share, seals with the keys that all share, and sends what it accepted
to `ccr.events`, where others fold it. What they make of it comes back through the same store: links, log, alerts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

from aiokafka import TopicPartition
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ccr_events.agencies import Agency
from ccr_events.core.derive import NOTIFIED
from ccr_events.policy import PolicyBook, load_policies
from services.alerts import receipts
from services.casebook.appending import AppendOnly
from services.casebook.edition_watch import EditionWatch
from services.casebook.editions import require_editions
from services.engine.beside import beside
from services.engine.clock import WallClock
from services.engine.kafka.outgoing import PATIENCE_S, KafkaOutgoing, check_size, sending
from services.engine.kafka.security import Security
from services.engine.kafka.topics.catalogue import EVENTS, RECEIPTS, Size
from services.engine.kafka.topics.in_force import checked_size
from services.engine.kafka.topics.layout import Layout, read_layout
from services.engine.kafka.topics.standing import KafkaUnreachable, ends_of
from services.engine.ports import AlertSource, AuthenticatedKey, Clock, Links, Log
from services.engine.sql.ahead import require_behind, require_sent
from services.engine.sql.events import SqlEvents
from services.engine.sql.store import SqlStore, open_store
from services.engine.transaction import Transaction, Writer
from services.identity.proposals import MergeProposals
from services.intake.advocacy import ReleaseIsLive, no_release_is_live
from services.intake.api_keys import ApiKeys
from services.intake.arrivals import Arrivals
from services.intake.door import Door
from services.intake.inbound import InboundTopics, Source, agencies_topics
from services.intake.quarantine import KeptQuarantine
from services.intake.relaying import relay
from services.monitor.inbound_metrics import InboundFigures
from services.monitor.metrics import Metrics
from services.monitor.policy_metrics import policies_missing
from services.monitor.sending_metrics import SendingFigures
from services.monitor.worker_health import Reason, WorkerHealth
from services.portal.backbone import NotOnThisEngine
from services.sealing.access import Opener
from services.sealing.hashes import KeyedHashes
from services.sealing.key_tables import is_new
from services.sealing.keys import KeyStoreError, durable_before
from services.sealing.master_key import MasterKey, load_master_key
from services.sealing.sealer import Sealer
from services.sealing.shared_keystore import SharedKeyStore, open_shared_keys

LAYOUT_S = 10.0
"""How often the layout of the topics is looked at: who sent to topics that are no longer in force would lose it."""


_DELIVERIES = Source(AuthenticatedKey(receipts.KEY_ID, Agency.CCR.value), frozenset({NOTIFIED}))
"""Delivery receipts of the alerts' workers, which tell nothing else."""


class KeysBesideTheLog(ValueError):
    """The keys are to lie where the log lies; says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an intake worker is opened."""

    bootstrap: str
    """Address of the cluster, `host:port` with commas."""
    store: str = field(repr=False)
    """Address of the SQL store: `postgresql://USER@HOST/NAME`, or `sqlite:///FILE` on one machine."""
    keys: str = field(repr=False)
    """Address of the key store: another database, whose backups are kept apart."""
    master_key: Path
    """File of the master key; the environment goes first. Made with the first key store."""
    security: Security | None = None
    """As whom Kafka is spoken to; None for plain text."""
    policies: Path | None = None
    """A county's own policy documents; the packaged ones when left out."""
    clock: Clock = field(default_factory=WallClock)
    release_is_live: ReleaseIsLive = no_release_is_live
    """Asks the advocacy program's own register of releases; none is live where there is no such register."""
    kafka_patience_s: float = PATIENCE_S
    """How long Kafka may take to acknowledge what is sent."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """An open intake worker. Implements `services.portal.backbone.Backbone`."""

    writer: Writer
    publisher: Door
    alerts: AlertSource
    links: Links
    log: Log
    quarantine: KeptQuarantine
    keys: ApiKeys
    policies: PolicyBook
    opener: Opener
    proposals: MergeProposals
    metrics: Metrics
    health: WorkerHealth
    clock: Clock
    inbound: InboundTopics | None = None
    """The agencies' topics, for whoever runs them; None where only HTTP is served."""

    async def issue_key(self, agency: Agency, label: str = "") -> str:
        """A new API key in its presented form; only its hash is kept."""
        return (await self.keys.issue(agency.value, label)).text

    async def refold(self, case_ids: Sequence[str], *, by: str, strays: bool = False) -> None:
        """Raises `NotOnThisEngine`."""
        raise NotOnThisEngine(
            "Cases are folded by the casebook's workers, from the log. To have them folded anew, stop a worker, take "
            "its state away, and start it again: it refolds what it needs."
        )


@asynccontextmanager
async def open_backbone(settings: Settings, *, inbound: bool = False) -> AsyncIterator[Backbone]:
    """Open everything, oldest part first, and close it in reverse; with the agencies' topics when `inbound`.

    Raises `KafkaUnreachable`, `TopicsMismatch`, `SecurityRefused`, `NotSent`, `StorageFailed`, `StoreAhead`,
    `KeysBesideTheLog`, `MasterKeyError`, `KeyStoreError`, `ccr_events.policy` errors or `PoliciesMissing`; every
    message says what to do.
    """
    _check_apart(settings)
    policies = await asyncio.to_thread(load_policies, settings.policies)
    sources = {**agencies_topics(), RECEIPTS: _DELIVERIES} if inbound else {}
    size = await checked_size(settings.bootstrap, EVENTS, *sources, security=settings.security)
    async with (
        sending(_outgoing(settings, size), required=True) as outgoing,
        open_store(settings.store, outgoing) as store,
    ):
        master = await _master_key(settings, store)
        keystore = await asyncio.to_thread(open_shared_keys, settings.keys, master)
        try:
            store.writer.before_commit(durable_before(keystore))
            await _check_belongs(settings, store, size)
            require_editions(await store.log.editions(), policies)
            watch = EditionWatch(store.log.editions, policies)
            backbone = await _assembled(settings, store, outgoing, policies, master, keystore, sources)
            backbone.metrics.add(policies_missing(lambda: watch.failure))
            relaying, fenced = relay(store.writer, store.counts.unsent), _fenced(settings, size, outgoing)
            async with beside(relaying, fenced, watch.run()):
                yield backbone
        finally:
            await asyncio.to_thread(keystore.close)


async def _assembled(
    settings: Settings,
    store: SqlStore,
    outgoing: KafkaOutgoing,
    policies: PolicyBook,
    master: MasterKey,
    keystore: SharedKeyStore,
    sources: Mapping[str, Source],
) -> Backbone:
    clock, writer = settings.clock, store.writer
    hashes, sealer = KeyedHashes(master), Sealer(keystore)
    metrics = Metrics(store.counts, clock)
    door = Door(
        writer=writer,
        append=AppendOnly(check_size).append,
        policies=policies,
        clock=clock,
        observer=metrics,
        sealer=sealer,
        hashes=hashes,
        recorded_by_others=_newest_recorded_at,
        release_is_live=settings.release_is_live,
    )
    quarantine = KeptQuarantine(writer, door, clock, sealer, hashes)
    metrics.add(SendingFigures(lambda: outgoing.failure, door.recorded_ahead_s))
    parts: dict[str, Reason] = {
        "kafka": lambda: asyncio.to_thread(outgoing.reach),
        "keys": lambda: asyncio.to_thread(keystore.reach),
    }
    topics = None
    if sources:
        arrivals = Arrivals(door, quarantine, metrics)
        topics = InboundTopics(settings.bootstrap, arrivals, sources, security=settings.security)
        metrics.add(InboundFigures(lambda: topics.standing))
        parts["inbound"] = topics.reason
    return Backbone(
        writer=writer,
        publisher=door,
        alerts=store.alerts,
        links=store.links,
        log=store.log,
        quarantine=quarantine,
        keys=ApiKeys(writer, clock),
        policies=policies,
        opener=Opener(writer, keystore, clock, metrics),
        proposals=MergeProposals(writer, door, clock),
        metrics=metrics,
        health=WorkerHealth(store.counts, parts),
        clock=clock,
        inbound=topics,
    )


def _newest_recorded_at(tx: Transaction) -> datetime | None:
    return cast(SqlEvents, tx.events).newest_recorded_at()


def _check_apart(settings: Settings) -> None:
    """A key beside what it sealed goes into the same backup, and a destroyed key comes back with it."""
    try:
        store, keys = make_url(settings.store), make_url(settings.keys)
    except ArgumentError:
        return  # said by whoever opens it
    if (store.get_backend_name(), store.host, store.port, store.database, store.query) == (
        keys.get_backend_name(),
        keys.host,
        keys.port,
        keys.database,
        keys.query,
    ):
        raise KeysBesideTheLog(
            "the keys are to lie in the database of the store: give them another one (--keys), whose backups are kept "
            "apart, so that a key that was destroyed does not come back with the log"
        )


async def _master_key(settings: Settings, store: SqlStore) -> MasterKey:
    """A new key only while nothing was ever sealed with another: else everything sealed would be lost silently."""
    new = await asyncio.to_thread(is_new, settings.keys)
    figures = await store.counts.figures()
    if new and (figures.position > 0 or figures.quarantined > 0):
        raise KeyStoreError(
            "the key store is empty, though the store holds events: give the right address (--keys), or put it back "
            "from its own backup; without it nothing sealed can be opened"
        )
    return await asyncio.to_thread(load_master_key, settings.master_key, create=new)


def _outgoing(settings: Settings, size: Size) -> KafkaOutgoing:
    return KafkaOutgoing(
        settings.bootstrap,
        size.named(EVENTS),
        size.partitions,
        security=settings.security,
        patience_s=settings.kafka_patience_s,
    )


async def _check_belongs(settings: Settings, store: SqlStore, size: Size) -> None:
    """Raises `StoreAhead` when the store was filled from another Kafka, or this one lost its data."""
    topic = size.named(EVENTS)

    def brought() -> dict[TopicPartition, int]:
        wanted = [TopicPartition(topic, number) for number in range(size.partitions)]
        return {each: store.projection.position(*each) for each in wanted}

    # In this order: other workers go on, and what they accept meanwhile is not to be missed in the ends.
    positions, events = await asyncio.to_thread(brought), (await store.counts.figures()).position
    unsent = await store.counts.unsent()
    ends = await ends_of(settings.bootstrap, {topic: size.partitions}, settings.security)
    require_behind(positions, ends)
    if not unsent:
        require_sent(events, ends)


async def _fenced(settings: Settings, size: Size, outgoing: KafkaOutgoing) -> None:
    """Send nothing more once the topics were written anew: what goes to the old ones is read by nobody."""
    while True:
        await asyncio.sleep(LAYOUT_S)
        with suppress(KafkaUnreachable):
            if await read_layout(settings.bootstrap, settings.security) != Layout(size.generation, size.partitions):
                outgoing.retire("the topics have another layout than at the start of this worker: start it again")
                return
