"""Many callers, one transaction: each hears of its own work, and a work that fails hurts nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import EngineClosed, ReferenceKey, StorageFailed, Transaction
from services.engine.works import QUEUE_WORKS
from tests.support.core_rules import fact
from tests.support.records import append_all, record


class Gate:
    """Holds the writer's thread, so that what is written meanwhile becomes one group."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine
        self._open = threading.Event()
        self._reached = threading.Event()

    async def __aenter__(self) -> Gate:
        def hold(_: Transaction) -> None:
            self._reached.set()
            self._open.wait(30)

        self._held = asyncio.ensure_future(self._engine.writer.write(hold))
        await asyncio.to_thread(self._reached.wait, 30)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open.set()
        await asyncio.gather(self._held, return_exceptions=True)


async def in_one_group(engine: SqliteEngine, works: list[Callable[[Transaction], object]]) -> list[object]:
    """What became of works that shared a transaction."""
    async with Gate(engine):
        tasks = [asyncio.ensure_future(engine.writer.write(work)) for work in works]
        await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)


def appending(*numbers: int, fails: bool = False) -> Callable[[Transaction], list[int]]:
    def work(tx: Transaction) -> list[int]:
        positions = append_all(tx, [fact(n, "arrest.made", n, case_id=f"case-{n % 4}", dv="yes") for n in numbers])
        tx.cases.bind(ReferenceKey("incident_no", str(numbers[0])), f"case-{numbers[0] % 4}")
        if fails:
            raise LookupError("this work is refused")
        return positions

    return work


async def test_works_of_a_group_share_one_commit(engine: SqliteEngine) -> None:
    commits = []
    engine.writer.before_commit(lambda: commits.append(threading.get_ident()))
    answers = await in_one_group(engine, [appending(n) for n in range(1, 21)])
    assert answers == [[n] for n in range(1, 21)]
    assert len(commits) == 1
    assert commits[0] != threading.get_ident()


async def test_one_bad_work_does_not_hurt_the_others(engine: SqliteEngine) -> None:
    works = [appending(1), appending(2, 6, fails=True), appending(3), appending(7, 2, fails=True), appending(6, 8)]
    answers = await in_one_group(engine, works)
    assert [a for a in answers if not isinstance(a, LookupError)] == [[1], [2], [3, 4]]
    assert [isinstance(a, LookupError) for a in answers] == [False, True, False, True, False]

    def see(tx: Transaction) -> object:
        bound = [tx.cases.case_of(ReferenceKey("incident_no", str(n))) for n in (1, 2, 3, 6, 7)]
        return [len(tx.views.get(f"case-{n}").facts) for n in range(4)], bound

    expected = ([1, 1, 1, 1], ["case-1", None, "case-3", "case-2", None])
    assert await engine.writer.read(see) == expected
    assert await engine.writer.write(see) == expected
    assert [r.position for r in await engine.log.read(0)] == [1, 2, 3, 4]
    transitions = [a async for a in first_page(engine)]
    assert [a.seq for a in transitions] == list(range(1, len(transitions) + 1))
    assert {a.transition.link.trigger_id[-1] for a in transitions} == {"1", "3", "6", "8"}


async def first_page(engine: SqliteEngine):  # type: ignore[no-untyped-def]
    async for page in engine.alerts.follow(0):
        for alertable in page:
            yield alertable
        return


async def test_works_see_what_earlier_works_of_the_group_wrote(engine: SqliteEngine) -> None:
    answers = await in_one_group(engine, [appending(1), lambda tx: tx.events.find(record(fact(1, "x")).fact.id)])
    assert answers[1].position == 1  # type: ignore[attr-defined]


async def test_a_hook_that_fails_fails_the_whole_group_and_nothing_is_kept(engine: SqliteEngine) -> None:
    await engine.writer.write(appending(1))
    refuses = [True]

    def hook() -> None:
        if refuses[0]:
            raise OSError("the key store cannot be written")

    engine.writer.before_commit(hook)
    answers = await in_one_group(engine, [appending(2), appending(5)])
    assert all(isinstance(a, StorageFailed) for a in answers[-2:])
    assert engine.writer.failure is not None
    assert await engine.writer.read(lambda tx: tx.events.find(fact(2, "x").id)) is None
    refuses[0] = False
    assert await engine.writer.write(appending(5)) == [2]
    assert engine.writer.failure is None
    assert len(await engine.writer.write(lambda tx: tx.views.get("case-1").facts)) == 2


async def test_a_cancelled_caller_does_not_disturb_the_others(engine: SqliteEngine) -> None:
    async with Gate(engine):
        gone = asyncio.ensure_future(engine.writer.write(appending(1)))
        stays = asyncio.ensure_future(engine.writer.write(appending(2)))
        await asyncio.sleep(0)
        gone.cancel()
    assert await stays == [2]
    assert gone.cancelled()


async def test_more_callers_than_the_queue_holds_are_all_served(engine: SqliteEngine) -> None:
    order: list[int] = []
    async with Gate(engine):
        tasks = [
            asyncio.ensure_future(engine.writer.write(lambda _, n=n: order.append(n)))  # type: ignore[misc]
            for n in range(2 * QUEUE_WORKS)
        ]
        await asyncio.sleep(0)
        tasks[QUEUE_WORKS + 1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(order) == [n for n in range(2 * QUEUE_WORKS) if n != QUEUE_WORKS + 1]
    assert order[:QUEUE_WORKS] == list(range(QUEUE_WORKS))


async def test_closing_finishes_what_was_queued_and_refuses_the_rest(tmp_path: Path) -> None:
    async with open_engine(tmp_path) as engine:
        tasks = [asyncio.ensure_future(engine.writer.write(appending(n))) for n in range(1, 50)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [[n] for n in range(1, 50)]
    with pytest.raises(EngineClosed):
        await engine.writer.write(appending(50))
    with pytest.raises(EngineClosed):
        await engine.writer.read(lambda tx: tx.events.find("x"))


async def test_two_event_loops_may_write_at_the_same_time(engine: SqliteEngine) -> None:
    def elsewhere() -> list[int]:
        return asyncio.run(engine.writer.write(appending(2)))

    here, there = await asyncio.gather(engine.writer.write(appending(1)), asyncio.to_thread(elsewhere))
    assert sorted(here + there) == [1, 2]


async def test_a_group_that_wrote_nothing_leaves_no_trace(engine: SqliteEngine) -> None:
    mark = engine.directory / "backbone.commits"
    await engine.writer.write(appending(1))
    before = mark.read_bytes()
    await engine.writer.write(lambda tx: tx.events.find("x"))
    assert mark.read_bytes() == before
