"""Composition root of the embedded engine: the one place where the parts of a single-process backbone meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ccr_events.agencies import Agency
from ccr_events.envelope import decode_record
from ccr_events.policy import PolicyBook, load_policies
from services.casebook.editions import editions_on, require_editions
from services.casebook.recorder import Casebook
from services.casebook.refold import refold_cases
from services.casebook.replay import Report, verify
from services.engine.clock import AlarmClock, WallClock
from services.engine.ports import AlertSource, Links, Log
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import Writer
from services.identity.proposals import MergeProposals
from services.intake.advocacy import ReleaseIsLive, no_release_is_live
from services.intake.api_keys import ApiKeys
from services.intake.door import Door
from services.intake.quarantine import KeptQuarantine
from services.monitor.health import Health
from services.monitor.metrics import Metrics
from services.sealing.access import Opener
from services.sealing.hashes import KeyedHashes
from services.sealing.keys import KeyStoreError, durable_before
from services.sealing.keystore import FILE_NAME as KEYS_FILE
from services.sealing.keystore import KeyStore
from services.sealing.master_key import MasterKey, load_master_key
from services.sealing.sealer import Sealer
from services.timer.timer import Timer

MASTER_KEY_FILE = "master.key"
"""Where the master key lies inside the data directory, unless it is kept elsewhere (better)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a backbone is opened."""

    data: Path
    """Directory of its files; made when it does not exist."""
    policies: Path | None = None
    """A county's own policy documents; the packaged ones when left out."""
    master_key: Path | None = None
    """File of the master key; `MASTER_KEY_FILE` in the data directory when left out. The environment goes first."""
    clock: AlarmClock = field(default_factory=WallClock)
    release_is_live: ReleaseIsLive = no_release_is_live
    """Asks the advocacy program's own register of releases; none is live where there is no such register."""
    read_model: str | None = field(default=None, repr=False)
    """Address of the SQL database that is kept as a read model: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """An open backbone. Implements `services.portal.backbone.Backbone`."""

    directory: Path
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
    health: Health
    clock: AlarmClock

    async def issue_key(self, agency: Agency, label: str = "") -> str:
        """A new API key in its presented form; only its hash is kept."""
        return (await self.keys.issue(agency.value, label)).text

    async def next_deadline(self) -> datetime | None:
        """The earliest deadline that has not been fired."""
        return await self.writer.read(lambda tx: tx.deadlines.next_at())

    async def refold(self, case_ids: Sequence[str], *, by: str, strays: bool = False) -> None:
        """Write cases anew from the log; see `services.casebook.refold`. Deadlines that come back will fire."""
        at = self.clock.now()
        await refold_cases(self.writer, case_ids, self.policies, at=at, by=by, strays=strays)

    async def replay_verified(self) -> Report:
        """Every view and link derived anew from the log and compared with what is stored."""
        return await asyncio.to_thread(verify, self.directory, self.policies)


@asynccontextmanager
async def open_backbone(settings: Settings) -> AsyncIterator[Backbone]:
    """Open everything, oldest part first, and close it in reverse.

    Raises `StorageFailed` (directory in use, read-only, damaged), `MasterKeyError`, `KeyStoreError` (wrong key),
    `ccr_events.policy` errors, `PoliciesMissing` or `ReadModelRefused`; every message says what to do.
    """
    policies = await asyncio.to_thread(load_policies, settings.policies)
    async with open_engine(settings.data) as engine:
        await _check_keys(settings, engine)
        master = await asyncio.to_thread(_master_key, settings)
        keystore = await asyncio.to_thread(KeyStore, settings.data / KEYS_FILE, master)
        try:
            engine.writer.before_commit(durable_before(keystore))
            async with (
                _projected(settings.read_model, engine),
                _assembled(settings, engine, policies, master, keystore) as backbone,
            ):
                yield backbone
        finally:
            await asyncio.to_thread(keystore.close)


async def _check_keys(settings: Settings, engine: SqliteEngine) -> None:
    """A key store is made with the first log and never after: new keys beside an old log would part the two for good.

    Raises `KeyStoreError`.
    """
    path = settings.data / KEYS_FILE
    figures = await engine.counts.figures()
    if not path.exists() and (figures.position > 0 or figures.quarantined > 0):
        raise KeyStoreError(
            f"the key store {path} is missing, though the log beside it holds events: put it back from its own backup; "
            "without it nothing sealed can be opened"
        )


def _master_key(settings: Settings) -> MasterKey:
    """A new key only while nothing was ever sealed with another: else everything sealed would be lost silently."""
    path = settings.master_key or settings.data / MASTER_KEY_FILE
    return load_master_key(path, create=not (settings.data / KEYS_FILE).exists())


@asynccontextmanager
async def _assembled(
    settings: Settings, engine: SqliteEngine, policies: PolicyBook, master: MasterKey, keystore: KeyStore
) -> AsyncIterator[Backbone]:
    clock, writer = settings.clock, engine.writer
    hashes, sealer = KeyedHashes(master), Sealer(keystore)
    metrics = Metrics(engine.counts, clock)
    casebook = Casebook(policies, metrics)
    door = Door(
        writer=writer,
        append=casebook.append,
        policies=policies,
        clock=clock,
        observer=metrics,
        sealer=sealer,
        hashes=hashes,
        recorded_after=await _checked_log(engine, policies),
        release_is_live=settings.release_is_live,
    )
    timer = Timer(
        writer,
        casebook.append,
        clock,
        lambda at: policies.edition_at(at).id,
        engine.deadlines,
        lambda link: len(policies.edition(link.edition).rule(link.rule).ladder),
        door.recorded_now,
    )
    running = asyncio.create_task(timer.run(), name="timer")
    try:
        yield Backbone(
            directory=settings.data,
            writer=writer,
            publisher=door,
            alerts=engine.alerts,
            links=engine.links,
            log=engine.log,
            quarantine=KeptQuarantine(writer, door, clock, sealer, hashes),
            keys=ApiKeys(writer, clock),
            policies=policies,
            opener=Opener(writer, keystore, clock, metrics),
            proposals=MergeProposals(writer, door, clock),
            metrics=metrics,
            health=Health(settings.data, engine.counts, timer, running, clock),
            clock=clock,
        )
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def _projected(address: str | None, engine: SqliteEngine) -> AsyncIterator[None]:
    """Meanwhile keep the read model up to date, when there is one."""
    if address is None:
        yield
        return
    from services.monitor.read_model.projector import Projector
    from services.monitor.read_model.store import open_read_model

    model = await asyncio.to_thread(open_read_model, address)
    projecting = asyncio.create_task(Projector(engine.log, engine.alerts, model).run(), name="read model")
    try:
        yield
    finally:
        projecting.cancel()
        with suppress(asyncio.CancelledError):
            await projecting
        await asyncio.to_thread(model.close)


async def _checked_log(engine: SqliteEngine, policies: PolicyBook) -> datetime | None:
    """When the newest event was recorded; None on an empty log. Raises `PoliciesMissing`."""
    last = (await engine.counts.figures()).position
    require_editions(await editions_on(engine.log, last), policies)
    newest = await engine.log.read(last - 1, 1) if last else []
    return datetime.fromisoformat(decode_record(newest[0].body)["recordedtime"]) if newest else None
