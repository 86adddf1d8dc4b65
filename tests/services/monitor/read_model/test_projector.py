"""The projector follows an engine, goes on after a restart, and waits for a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.engine.sqlite import SqliteEngine, open_engine
from services.monitor.read_model import projector
from services.monitor.read_model.projector import Projector
from services.monitor.read_model.store import EVENTS_STREAM, LINKS_STREAM, ReadModel, ReadModelRefused, open_read_model
from tests.support.core_rules import fact
from tests.support.records import append_all


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "IDLE_S", 0.005)
    monkeypatch.setattr(projector, "RETRY_S", (0.005,))


@asynccontextmanager
async def following(engine: SqliteEngine, model: ReadModel) -> AsyncIterator[None]:
    task = asyncio.create_task(Projector(engine.log, engine.alerts, model).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


async def caught_up(engine: SqliteEngine, model: ReadModel) -> None:
    figures = await engine.counts.figures()
    await until(
        lambda: (model.position(EVENTS_STREAM), model.position(LINKS_STREAM)) == (figures.position, figures.outbox_seq)
    )


async def test_what_the_engine_holds_and_what_comes_is_projected(address: str, tmp_path: Path) -> None:
    async with open_engine(tmp_path / "data") as engine:
        await engine.writer.write(lambda tx: append_all(tx, [fact(n, "arrest.made", n) for n in range(1, 5)]))
        model = open_read_model(address)
        async with following(engine, model):
            await caught_up(engine, model)
            await engine.writer.write(lambda tx: append_all(tx, [fact(n, "arrest.made", n) for n in range(5, 9)]))
            await caught_up(engine, model)
        await engine.writer.write(lambda tx: append_all(tx, [fact(9, "arrest.made", 9)]))
        async with following(engine, model):
            await caught_up(engine, model)
        assert model.position(EVENTS_STREAM) == 9
        assert model.position(LINKS_STREAM) > 0
        model.close()


async def test_a_database_that_is_away_is_asked_again(address: str, tmp_path: Path) -> None:
    model = open_read_model(address)
    refusals = iter(range(3))
    put = model.put_events

    def away(batch: object, partition: int = 0) -> int:
        if next(refusals, None) is not None:
            raise ReadModelRefused("the database is away")
        return put(batch, partition)  # type: ignore[arg-type]

    model.put_events = away  # type: ignore[method-assign]
    async with open_engine(tmp_path / "data") as engine:
        await engine.writer.write(lambda tx: append_all(tx, [fact(1, "arrest.made", 1)]))
        async with following(engine, model):
            await caught_up(engine, model)
    model.close()


async def test_it_ends_with_the_engine(address: str, tmp_path: Path) -> None:
    model = open_read_model(address)
    async with open_engine(tmp_path / "data") as engine:
        task = asyncio.create_task(Projector(engine.log, engine.alerts, model).run())
        await asyncio.sleep(0.02)
    async with asyncio.timeout(20):
        await task
    model.close()
