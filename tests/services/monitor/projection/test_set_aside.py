"""What could not be folded or read, in the quarantine that operators see: once, and without its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from services.engine.clock import WallClock
from services.engine.sql.store import open_store
from services.engine.transaction import Held
from services.monitor.projection import set_aside as set_aside_module
from services.monitor.projection.pieces import Piece
from services.monitor.projection.records import Unreadable
from services.monitor.projection.set_aside import AGENCY, SetAside

ENTRY = {"id": "4cdd3f04-8cf0-547f-8736-e95f2c2320af", "source": "ccr.events/1/5", "reason": "its case is full"}


@dataclass
class Read:
    """A record as it is read from the topic."""

    value: bytes | None
    offset: int = 3
    key: bytes | None = None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()


async def test_each_is_kept_once(tmp_path: Path) -> None:
    told = [Read(orjson.dumps(ENTRY)), Read(b'{"surname": "Testperson"', 4)]
    async with open_store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        aside = SetAside(store.writer, WallClock())
        await aside.told(told)
        await aside.told(told)
        await aside.unreadable(Piece("ccr.links", 2, (), 9), [Unreadable(8, "it cannot be read: DecodeError")])
        held = await store.writer.read(lambda tx: tx.quarantine.waiting(10, AGENCY))
        assert {entry.title for entry in held} == {
            "was set aside: its case is full",
            "was set aside: this entry itself cannot be read",
            "was set aside: it cannot be read: DecodeError",
        }
        assert {entry.problems for entry in held} == {
            (("", "record ccr.events/1/5"),),
            (("", "record ccr.quarantine/0/4"),),
            (("", "record ccr.links/2/8"),),
        }
        assert "Testperson" not in str(held)
        assert all(_says_nothing_sealed(entry) for entry in held)


async def test_where_there_is_no_room_it_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_aside_module, "MAX_WAITING", 1)
    async with open_store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        aside = SetAside(store.writer, WallClock())
        await aside.told([Read(orjson.dumps(ENTRY)), Read(b"no entry", 4)])
        assert (aside.kept, aside.no_room) == (1, 1)


def _says_nothing_sealed(entry: Held) -> bool:
    return entry.sealed_body == "" and entry.agency == AGENCY
