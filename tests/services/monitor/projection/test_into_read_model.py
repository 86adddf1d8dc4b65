"""The read model waits for its own database, and for the store's, and nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.engine.ports import LogRecord
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import StorageFailed
from services.monitor.projection import into_read_model
from services.monitor.projection.into_read_model import KeptReadModel
from services.monitor.read_model import projector
from services.monitor.read_model.store import EVENTS_STREAM, ReadModelRefused, open_read_model
from tests.support.core_rules import fact
from tests.support.records import append_all


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (into_read_model, projector):
        monkeypatch.setattr(module, "RETRY_S", (0.005,))
    monkeypatch.setattr(projector, "IDLE_S", 0.005)


@asynccontextmanager
async def filled(directory: Path) -> AsyncIterator[SqliteEngine]:
    async with open_engine(directory) as engine:
        await engine.writer.write(lambda tx: append_all(tx, [fact(1, "arrest.made", 1)]))
        yield engine


@asynccontextmanager
async def kept(model: KeptReadModel) -> AsyncIterator[None]:
    task = asyncio.create_task(model.run())
    try:
        yield
    finally:
        assert not task.done(), "it ended by itself"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


def events_in(address: str) -> int:
    model = open_read_model(address)
    try:
        return model.position(EVENTS_STREAM)
    finally:
        model.close()


async def test_a_database_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    address = f"sqlite:///{folder / 'model.sqlite'}"
    async with filled(tmp_path / "data") as engine:
        model = KeptReadModel(address, engine.log, engine.alerts)
        async with kept(model):
            await until(lambda: model.failure is not None)
            assert model.failure is not None
            assert "model.sqlite" in model.failure
            folder.mkdir()
            await until(lambda: model.failure is None)
            await until(lambda: events_in(address) == 1)


async def test_a_store_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'model.sqlite'}"
    async with filled(tmp_path / "data") as engine:
        refusing = [StorageFailed("the store is away"), StorageFailed("the store is away")]

        class Log:
            async def read(self, after: int, limit: int = 1000) -> list[LogRecord]:
                if refusing:
                    raise refusing.pop()
                return await engine.log.read(after, limit)

        async with kept(KeptReadModel(address, Log(), engine.alerts)):  # type: ignore[arg-type]
            await until(lambda: events_in(address) == 1)
        assert not refusing


async def test_a_defect_is_told_by_its_kind_and_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    address = f"sqlite:///{tmp_path / 'model.sqlite'}"
    async with filled(tmp_path / "data") as engine:

        class Log:
            async def read(self, after: int, limit: int = 1000) -> list[LogRecord]:
                raise KeyError("Testperson")

        model = KeptReadModel(address, Log(), engine.alerts)  # type: ignore[arg-type]
        async with kept(model):
            await until(lambda: model.failure is not None and "KeyError" in model.failure)
    assert "Testperson" not in caplog.text


async def test_an_address_that_nothing_can_have_is_refused_at_once(tmp_path: Path) -> None:
    async with filled(tmp_path / "data") as engine:
        with pytest.raises(ReadModelRefused, match="read model"):
            KeptReadModel("mysql://somewhere/ccr", engine.log, engine.alerts)
