"""A door on the real embedded engine, in a temporary directory, with the policies that ship."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from ccr_events.envelope import Event
from ccr_events.policy import PolicyBook, load_policies
from services.casebook.recorder import Casebook
from services.engine.ports import Receipt, Submission
from services.engine.sqlite import SqliteEngine, open_engine
from services.intake.advocacy import ReleaseIsLive, no_release_is_live
from services.intake.door import Door
from services.intake.quarantine import KeptQuarantine
from services.sealing.hashes import KeyedHashes
from services.sealing.keystore import FILE_NAME, KeyStore
from services.sealing.master_key import MasterKey
from services.sealing.sealer import Sealer

MASTER = MasterKey(bytes(range(32)))
T0 = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)


@dataclass
class SetClock:
    """Stands until it is moved."""

    at: datetime = T0

    def now(self) -> datetime:
        return self.at


@dataclass
class Counting:
    """An observer that remembers."""

    seen: list[tuple[str, ...]] = field(default_factory=list)

    def accepted(self, event_type: str, agency: str) -> None:
        self.seen.append(("accepted", event_type, agency))

    def refused(self, agency: str, status: str) -> None:
        self.seen.append(("refused", agency, status))

    def published(self, seconds: float) -> None: ...

    def folded(self, seconds: float) -> None: ...

    def sealed_read(self, label: str, agency: str, outcome: str) -> None:
        self.seen.append(("sealed_read", label, agency, outcome))

    def alerted(self, seconds: float) -> None: ...


@cache
def policies() -> PolicyBook:
    return load_policies()


@dataclass
class Doorway:
    """The parts around one door."""

    engine: SqliteEngine
    door: Door
    keys: KeyStore
    sealer: Sealer
    hashes: KeyedHashes
    clock: SetClock
    observer: Counting
    quarantine: KeptQuarantine

    async def submit(self, *events: Event, agency: str = "le") -> list[Receipt]:
        return await self.door.submit([Submission(e, agency, "0" * 16) for e in events])

    async def accept(self, *events: Event, agency: str = "le") -> list[Receipt]:
        receipts = await self.submit(*events, agency=agency)
        assert {r.status for r in receipts} <= {"accepted"}, receipts
        return receipts


@asynccontextmanager
async def doorway(directory: Path, *, release_is_live: ReleaseIsLive = no_release_is_live) -> AsyncIterator[Doorway]:
    async with open_engine(directory) as engine:
        keys, hashes, clock, observer = (
            KeyStore(directory / FILE_NAME, MASTER),
            KeyedHashes(MASTER),
            SetClock(),
            Counting(),
        )
        try:
            engine.writer.before_commit(keys.flush)
            sealer = Sealer(keys)
            door = Door(
                writer=engine.writer,
                append=Casebook(policies(), observer).append,
                policies=policies(),
                clock=clock,
                observer=observer,
                sealer=sealer,
                hashes=hashes,
                release_is_live=release_is_live,
            )
            held = KeptQuarantine(engine.writer, door, clock, sealer, hashes)
            yield Doorway(engine, door, keys, sealer, hashes, clock, observer, held)
        finally:
            await engine.writer.close()
            keys.close()


def an_event(
    number: int,
    type_: str = "arrest.made",
    *,
    refs: tuple[tuple[str, str], ...] = (),
    parties: tuple[dict[str, Any], ...] = (),
    minutes: float = 0,
    case_id: str | None = None,
    corrects: int | None = None,
    causes: int | None = None,
    **data: Any,
) -> Event:
    """An invented event with a readable id; with a number of its own where nothing else says which case it is."""
    alone = not (refs or parties or case_id or corrects or causes) and "link_id" not in data
    if alone and not type_.startswith(("case.", "event.")):
        refs = (("cad_no", f"C-{number}"),)
    if refs:
        data["references"] = [{"kind": kind, "number": n} for kind, n in refs]
    if parties:
        data["parties"] = list(parties)
    return Event(
        id=event_id(number),
        source="/sample-county/tests",
        type=type_,
        occurred_at=T0 + timedelta(minutes=minutes),
        data=data,
        case_id=case_id,
        corrects=None if corrects is None else event_id(corrects),
        causation_id=None if causes is None else event_id(causes),
    )


def event_id(number: int) -> str:
    return str(UUID(int=0x019A0000_0000_7000_8000_000000000000 + number))


def party(role: str, given: str | None, surname: str = "Testperson", born: str | None = None) -> dict[str, Any]:
    """An invented person."""
    name = {"surname": surname} if given is None else {"given": given, "surname": surname}
    return {"role": role, "name": name} if born is None else {"role": role, "name": name, "birth_date": born}
