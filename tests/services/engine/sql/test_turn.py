"""One turn at a time: what was committed is sent in order, before anything new, and nobody hears *accepted* before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from services.engine.sql import NotInThisStore, SqlStore, open_store
from services.engine.sql import turn as turns
from services.engine.transaction import ReferenceKey, StorageFailed, Transaction
from tests.support.core_rules import event_id, fact
from tests.support.groups import Gate, in_one_group
from tests.support.records import record
from tests.support.sending import Sent

Rows = Callable[[str], list[Any]]
UNSENT = "SELECT position FROM store_unsent ORDER BY position"


def appending(*numbers: int, fails: bool = False) -> Callable[[Transaction], list[int]]:
    def work(tx: Transaction) -> list[int]:
        facts = [fact(n, "arrest.made", n, case_id=f"case-{n % 4}") for n in numbers]
        positions = [tx.events.append(record(f)) for f in facts if tx.events.find(f.id) is None]
        tx.cases.bind(ReferenceKey("incident_no", str(numbers[0])), f"case-{numbers[0] % 4}")
        if fails:
            raise LookupError("this work is refused")
        return positions

    return work


def known(number: int) -> Callable[[Transaction], bool]:
    return lambda tx: tx.events.find(event_id(number)) is not None


async def test_events_are_sent_as_they_were_appended(store: SqlStore, sent: Sent, rows: Rows) -> None:
    silent = record(fact(3, "call.closed", 3, case_id="case-3"), alerting=False)
    await store.writer.write(appending(2, 1))
    await store.writer.write(lambda tx: tx.events.append(silent))
    assert [(r.position, r.event_id, r.case_id, r.alerting) for r in sent.records] == [
        (1, event_id(2), "case-2", True),
        (2, event_id(1), "case-1", True),
        (3, event_id(3), "case-3", False),
    ]
    assert sent.records[2].body == silent.body
    assert sent.records[2].recorded_at == silent.fact.recorded_at
    await store.writer.write(known(1))  # the turn before has ended
    assert rows(UNSENT) == []


async def test_nobody_hears_before_the_events_are_sent(store: SqlStore, sent: Sent, rows: Rows) -> None:
    sent.open.clear()
    answer = asyncio.ensure_future(store.writer.write(appending(1)))
    await asyncio.to_thread(sent.reached.wait, 30)
    assert await store.writer.read(known(1))  # committed
    assert rows(UNSENT) == [(1,)]
    assert not answer.done()
    sent.open.set()
    assert await answer == [1]


async def test_what_was_not_taken_goes_first_next_time(store: SqlStore, sent: Sent, rows: Rows) -> None:
    sent.refusals = 1
    with pytest.raises(StorageFailed, match="Kafka did not take 2 events"):
        await store.writer.write(appending(1, 2))
    assert store.writer.failure is not None
    assert rows(UNSENT) == [(1,), (2,)]
    assert await store.writer.write(appending(3)) == [3]
    assert sent.ids == [event_id(1), event_id(2), event_id(3)]
    assert store.writer.failure is None


async def test_known_is_said_only_of_what_was_sent(store: SqlStore, sent: Sent) -> None:
    sent.refusals = 2
    for _ in range(2):
        with pytest.raises(StorageFailed):
            await store.writer.write(appending(1))
    assert await store.writer.write(appending(1)) == []
    assert sent.ids == [event_id(1)]


async def test_an_answer_that_was_lost_costs_a_second_send(store: SqlStore, sent: Sent) -> None:
    sent.lost_answers = 1
    with pytest.raises(StorageFailed):
        await store.writer.write(appending(1))
    await store.writer.write(appending(2))
    assert sent.ids == [event_id(1), event_id(1), event_id(2)]


async def test_what_a_crash_left_unsent_is_sent_page_by_page(
    address: str, sent: Sent, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SENT_AT_ONCE", 3)
    async with open_store(address, Sent(refusals=1)) as crashed:
        with pytest.raises(StorageFailed):
            await crashed.writer.write(appending(*range(1, 9)))
    async with open_store(address, sent) as store:
        await store.writer.write(appending(9, 10, 11, 12))
        await store.writer.write(known(9))
    assert sent.ids == [event_id(n) for n in range(1, 13)]
    assert rows(UNSENT) == []


async def test_a_crash_between_commit_and_send_loses_nothing(address: str, sent: Sent, rows: Rows) -> None:
    """The process is gone before its events are: another worker sends them before its own."""
    blocked = Sent()
    blocked.open.clear()
    async with open_store(address, blocked) as crashing:
        answer = asyncio.ensure_future(crashing.writer.write(appending(1)))
        await asyncio.to_thread(blocked.reached.wait, 30)
        crashing.writer._group._session.give_up()  # as when the process ends: its connection and its turn are gone
        crashing.writer._group._stores.turn._lock.drop()
        async with open_store(address, sent) as other:
            assert await other.writer.write(appending(2)) == [2]
        blocked.open.set()  # it was not dead but asleep
        assert await answer == [1]
    assert sent.ids == [event_id(1), event_id(2)]
    assert blocked.ids == [event_id(1)]
    assert rows(UNSENT) == []


async def test_works_of_a_group_share_one_commit_and_one_send(store: SqlStore, sent: Sent) -> None:
    commits: list[None] = []
    store.writer.before_commit(lambda: commits.append(None))
    answers = await in_one_group(store.writer, [appending(n) for n in range(1, 21)])
    assert answers == [[n] for n in range(1, 21)]
    assert len(commits) == 1
    assert sent.ids == [event_id(n) for n in range(1, 21)]


async def test_one_bad_work_does_not_hurt_the_others(store: SqlStore, sent: Sent) -> None:
    works = [appending(1), appending(2, 6, fails=True), appending(3), appending(7, 2, fails=True), appending(6, 8)]
    answers = await in_one_group(store.writer, works)
    assert [a for a in answers if not isinstance(a, LookupError)] == [[1], [2], [3, 4]]
    assert [isinstance(a, LookupError) for a in answers] == [False, True, False, True, False]

    def see(tx: Transaction) -> object:
        bound = [tx.cases.case_of(ReferenceKey("incident_no", str(n))) for n in (1, 2, 3, 6, 7)]
        return [len(tx.views.get(f"case-{n}").facts) for n in range(4)], bound

    expected = ([1, 1, 1, 1], ["case-1", None, "case-3", "case-2", None])
    assert await store.writer.read(see) == expected
    assert await store.writer.write(see) == expected
    assert sent.ids == [event_id(n) for n in (1, 3, 6, 8)]


async def test_what_a_work_wrote_beside_the_log_is_taken_back_with_it(store: SqlStore) -> None:
    def fails(tx: Transaction) -> None:
        tx.audit.append(b"{}")
        raise LookupError

    works = [lambda tx: tx.audit.append(b'{"n":1}'), fails, lambda tx: tx.audit.append(b'{"n":2}')]
    answers = await in_one_group(store.writer, works)
    assert isinstance(answers[1], LookupError)
    entries = await store.writer.read(lambda tx: tx.audit.entries(0, 9))
    assert [(number, entry) for number, _, entry in entries] == [(1, b'{"n":1}'), (2, b'{"n":2}')]


async def test_what_needs_no_turn_does_not_wait_for_kafka(store: SqlStore, sent: Sent) -> None:
    sent.refusals = 1
    with pytest.raises(StorageFailed):
        await store.writer.write(appending(1))
    await store.writer.write(
        lambda tx: (tx.events.get(event_id(1)), tx.views.get("case-1").links, tx.audit.append(b""))
    )
    assert sent.ids == []


async def test_a_work_that_needs_the_turn_late_is_run_again_with_it(store: SqlStore, sent: Sent) -> None:
    runs: list[int] = []

    def late(tx: Transaction) -> list[int]:
        runs.append(len(tx.audit.entries(0, 9)))
        tx.audit.append(b"late")
        return appending(1)(tx)

    answers = await in_one_group(store.writer, [lambda tx: tx.audit.append(b"first"), late, appending(2)])
    assert answers[1:] == [[1], [2]]
    assert runs == [1, 1]
    entries = await store.writer.read(lambda tx: tx.audit.entries(0, 9))
    assert [entry for _, _, entry in entries] == [b"first", b"late"]


async def test_a_hook_that_fails_fails_the_whole_group_and_nothing_is_kept(store: SqlStore, sent: Sent) -> None:
    await store.writer.write(appending(1))
    refuses = [True]

    def hook() -> None:
        if refuses[0]:
            raise OSError("the key store cannot be written")

    store.writer.before_commit(hook)
    for answer in await asyncio.gather(
        store.writer.write(appending(2)), store.writer.write(appending(5)), return_exceptions=True
    ):
        assert isinstance(answer, StorageFailed)
    assert not await store.writer.read(known(2))
    refuses[0] = False
    assert await store.writer.write(appending(5)) == [2]
    assert sent.ids == [event_id(1), event_id(5)]


async def test_without_a_way_to_kafka_nothing_is_accepted_and_everything_else_works(address: str) -> None:
    async with open_store(address) as store:
        with pytest.raises(NotInThisStore, match="without a way to send"):
            await store.writer.write(appending(1))
        await store.writer.write(lambda tx: tx.audit.append(b"{}"))
        await store.writer.write(lambda tx: tx.cases.decide("p1", "rejected"))
        assert len(await store.writer.read(lambda tx: tx.audit.entries(0, 9))) == 1


async def test_closing_finishes_what_was_queued(address: str, sent: Sent) -> None:
    async with open_store(address, sent) as store, Gate(store.writer):
        tasks = [asyncio.ensure_future(store.writer.write(appending(n))) for n in range(1, 50)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [[n] for n in range(1, 50)]
    assert len(sent.ids) == 49


async def test_while_kafka_is_away_it_is_said_once_that_something_waits(
    store: SqlStore, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> int:
        return sum("of an earlier group" in entry.getMessage() for entry in caplog.records)

    for round_ in (1, 2):
        sent.refusals = 4
        for _ in range(4):
            with pytest.raises(StorageFailed):
                await store.writer.write(appending(round_))
        await store.writer.write(known(round_))
        assert told() == round_
