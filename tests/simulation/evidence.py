"""What a finished run left on the disk, read beside the product's own stores."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ccr_events.core.codec import decode_transition, encode_view
from ccr_events.core.model import Transition
from ccr_events.envelope import decode_record
from ccr_events.policy import PolicyBook
from services.embedded import MASTER_KEY_FILE
from services.engine.sqlite.database import DATABASE, connect_reading
from services.engine.sqlite.schema import read_instant
from services.engine.sqlite.views import load_view
from services.sealing.master_key import MasterKey, load_master_key


@dataclass(frozen=True, slots=True)
class Logged:
    """One event on the log."""

    position: int
    id: str
    case_id: str
    digest: bytes
    record: dict[str, Any]

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded."""
        return datetime.fromisoformat(self.record["recordedtime"])


@dataclass(frozen=True, slots=True)
class Told:
    """One transition in the outbox."""

    seq: int
    alerting: bool
    transition: Transition


@dataclass(frozen=True, slots=True)
class Evidence:
    """A data directory nobody has open."""

    directory: Path
    policies: PolicyBook
    master: MasterKey
    log: tuple[Logged, ...]
    outbox: tuple[Told, ...]
    views: dict[str, bytes]
    """Case id → its view, encoded."""
    quarantine: dict[str, str]
    """Id → sealed body."""
    settled: frozenset[str]
    """Ids of quarantined events that no longer wait for anybody."""
    next_deadline_at: datetime | None
    """As the engine keeps it for its timer."""


def evidence(directory: Path, policies: PolicyBook) -> Evidence:
    """Read it all."""
    with closing(connect_reading(directory / DATABASE)) as connection:
        events = connection.execute("SELECT position, event_id, case_id, digest, body FROM events ORDER BY position")
        outbox = connection.execute("SELECT seq, alerting, body FROM outbox ORDER BY seq")
        next_at = connection.execute("SELECT min(next_at) FROM links").fetchone()[0]
        cases = connection.execute("SELECT number, case_id FROM cases ORDER BY number").fetchall()
        return Evidence(
            directory=directory,
            policies=policies,
            master=load_master_key(directory / MASTER_KEY_FILE, environ={}),
            log=tuple(Logged(p, i, c, digest, decode_record(body)) for p, i, c, digest, body in events),
            outbox=tuple(Told(seq, bool(loud), decode_transition(body)) for seq, loud, body in outbox),
            views={case_id: encode_view(load_view(connection, case_id, number)) for number, case_id in cases},
            quarantine=dict(connection.execute("SELECT id, sealed_body FROM quarantine").fetchall()),
            settled=frozenset(i for (i,) in connection.execute("SELECT id FROM quarantine WHERE state <> 'waiting'")),
            next_deadline_at=None if next_at is None else read_instant(next_at),
        )
