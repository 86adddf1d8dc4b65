"""The hub: everything a subscriber may see, once and in order, and nobody waits for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts import stream
from services.alerts.frame import Alert
from services.alerts.stream import (
    CLOSING,
    TOO_SLOW,
    UNREADABLE,
    AlertHub,
    BeyondNewest,
    Subscription,
    TooManySubscribers,
)
from services.engine.transaction import EngineClosed
from tests.support.core_rules import BOOK
from tests.support.fakes import Counter, MemoryOutbox, transition


def anything(_: Alert) -> bool:
    return True


@asynccontextmanager
async def hub_over(outbox: MemoryOutbox, **options: int) -> AsyncIterator[tuple[AlertHub, Counter]]:
    counter = Counter()
    hub = AlertHub(outbox, BOOK, audience=counter, **options)
    await hub.start()
    try:
        yield hub, counter
    finally:
        await hub.stop()


async def taken(subscription: Subscription, into: list[int], enough: Callable[[], bool]) -> None:
    batches = subscription.batches(heartbeat_s=30)
    async for batch in batches:
        into.extend(item.seq for item in batch)
        if enough():
            break
    await batches.aclose()


async def settled(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("did not come about")


async def test_new_subscriber_hears_only_what_comes_after_it() -> None:
    outbox = MemoryOutbox()
    outbox.add(transition(1), transition(2))
    async with hub_over(outbox) as (hub, counter):
        subscription = await hub.subscribe("jail", anything)
        outbox.add(transition(3))
        heard: list[int] = []
        await taken(subscription, heard, lambda: len(heard) == 1)
        assert heard == [3]
        assert counter.subscribers == 0
    assert outbox.followers == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), after=st.integers(0, 20), page=st.integers(1, 7))
def test_resuming_anywhere_while_alerts_come_leaves_neither_gap_nor_double(seed: int, after: int, page: int) -> None:
    """Sixty alerts arrive at random moments while five subscribers resume at random moments, some again and again."""

    async def play() -> None:
        random = Random(seed)
        outbox = MemoryOutbox(page)
        outbox.add(*(transition(n) for n in range(1, 21)))

        async def publish() -> None:
            for number in range(21, 61):
                for _ in range(random.randrange(4)):
                    await asyncio.sleep(0)
                outbox.add(transition(number))

        async def listen(hub: AlertHub) -> list[int]:
            heard: list[int] = []
            while len(heard) < 60 - after:
                for _ in range(random.randrange(8)):
                    await asyncio.sleep(0)
                stop_at = min(len(heard) + random.randrange(1, 30), 60 - after)
                since = heard[-1] if heard else after
                subscription = await hub.subscribe("jail", anything, after=since)
                await taken(subscription, heard, lambda at=stop_at: len(heard) >= at)  # type: ignore[misc]
            return heard

        async with hub_over(outbox) as (hub, _):
            *all_heard, _ = await asyncio.gather(*(listen(hub) for _ in range(5)), publish())
        for heard in all_heard:
            assert heard == list(range(after + 1, 61))

    asyncio.run(play())


async def test_only_what_the_agency_may_see_and_wants_and_no_history() -> None:
    outbox = MemoryOutbox()
    async with hub_over(outbox) as (hub, _):
        subscription = await hub.subscribe("le", lambda item: item.transition.link.urgency == "immediate", after=0)
        outbox.add(transition(1, owed_by=("le", "officer"), to=("le", "officer")))
        outbox.add(transition(2))  # jail's
        outbox.add(transition(3, to=("le", "sergeant"), urgency="routine"))
        outbox.add(transition(4, to=("le", "sergeant")), alerting=False)
        outbox.add(transition(5, to=("le", "sergeant")))
        heard: list[int] = []
        await taken(subscription, heard, lambda: len(heard) == 2)
        assert heard == [1, 5]


async def test_slow_subscriber_gets_its_buffer_then_the_reason_and_others_all_of_it() -> None:
    outbox = MemoryOutbox(page=500)
    async with hub_over(outbox, max_buffered=10) as (hub, counter):
        slow, quick = await hub.subscribe("jail", anything), await hub.subscribe("jail", anything)
        slow_batches = slow.batches(heartbeat_s=30)
        waiting = asyncio.ensure_future(anext(slow_batches))
        heard: list[int] = []
        listening = asyncio.create_task(taken(quick, heard, lambda: len(heard) == 50))
        await settled(lambda: counter.subscribers == 2)
        outbox.add(transition(1))
        first = await waiting
        for number in range(2, 51):  # the slow one takes none of these
            outbox.add(transition(number))
            await settled(lambda at=number: hub.position == at)  # type: ignore[misc]
            await settled(lambda at=number: len(heard) == at)  # type: ignore[misc]
        await listening
        rest = [item.seq async for batch in slow_batches for item in batch]
        assert [item.seq for item in first] + rest == list(range(1, 12))
        assert slow.ended == TOO_SLOW
        again: list[int] = []
        await taken(await hub.subscribe("jail", anything, after=11), again, lambda: len(again) == 39)
        assert again == list(range(12, 51))


async def test_heartbeat_comes_as_an_empty_batch() -> None:
    async with hub_over(MemoryOutbox()) as (hub, counter):
        batches = (await hub.subscribe("jail", anything)).batches(heartbeat_s=0.001)
        assert await anext(batches) == ()
        assert counter.subscribers == 1
        await batches.aclose()
        assert counter.subscribers == 0


async def test_closing_lets_every_subscriber_go_with_a_word() -> None:
    outbox = MemoryOutbox()
    outbox.add(transition(1))
    async with hub_over(outbox) as (hub, _):
        live, late = await hub.subscribe("jail", anything), await hub.subscribe("jail", anything, after=0)
        waiting = asyncio.ensure_future(anext(live.batches(heartbeat_s=30), None))
        await asyncio.sleep(0)
        hub.close()
        assert await waiting is None
        assert live.ended == CLOSING
        assert [batch async for batch in late.batches(heartbeat_s=30)] in ([], [[]])
        assert late.ended == CLOSING


async def test_outbox_that_fails_is_read_again_from_where_it_stood(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream, "RETRY_S", (0.0,))
    outbox = MemoryOutbox()
    async with hub_over(outbox) as (hub, counter):
        heard: list[int] = []
        subscription = await hub.subscribe("jail", anything)
        listening = asyncio.create_task(taken(subscription, heard, lambda: len(heard) == 3))
        await settled(lambda: counter.subscribers == 1)
        outbox.add(transition(1))
        await settled(lambda: heard == [1])
        outbox.fail_once = RuntimeError("a path with a Testperson in it")
        outbox.add(transition(2), transition(3))
        await listening
        assert heard == [1, 2, 3]
    assert "RuntimeError" in caplog.text
    assert "Testperson" not in caplog.text


async def test_subscriber_whose_earlier_alerts_cannot_be_read_is_told_to_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outbox = MemoryOutbox()
    outbox.add(transition(1))
    async with hub_over(outbox) as (hub, _):
        await settled(lambda: outbox.followers == 1)
        outbox.fail_once = RuntimeError("a path with a Testperson in it")
        subscription = await hub.subscribe("jail", anything, after=0)
        assert [batch async for batch in subscription.batches(heartbeat_s=30)] == []
        assert subscription.ended == UNREADABLE
    assert "Testperson" not in caplog.text


async def test_closed_engine_ends_every_stream() -> None:
    outbox = MemoryOutbox()
    outbox.fail_once = EngineClosed("closed")
    async with hub_over(outbox) as (hub, _):
        await settled(lambda: hub.closing)
        subscription = await hub.subscribe("jail", anything)
        assert [batch async for batch in subscription.batches(heartbeat_s=30)] == []
        assert subscription.ended == CLOSING


async def test_subscriber_of_another_log_is_told_rather_than_left_waiting() -> None:
    outbox = MemoryOutbox()
    outbox.add(transition(1))
    async with hub_over(outbox) as (hub, _):
        with pytest.raises(BeyondNewest, match="after=0"):
            await hub.subscribe("jail", anything, after=2)


async def test_one_agency_cannot_shut_the_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_OF_ONE_AGENCY", 1)
    outbox = MemoryOutbox()
    async with hub_over(outbox) as (hub, counter):
        listening = asyncio.create_task(taken(await hub.subscribe("jail", anything), [], lambda: False))
        await settled(lambda: counter.subscribers == 1)
        with pytest.raises(TooManySubscribers, match="jail"):
            await hub.subscribe("jail", anything)
        assert await hub.subscribe("le", anything) is not None
        hub.close()
        await listening
        assert await hub.subscribe("jail", anything) is not None


async def test_subscribers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_SUBSCRIBERS", 1)
    async with hub_over(MemoryOutbox()) as (hub, _):
        batches = (await hub.subscribe("jail", anything)).batches(heartbeat_s=0.001)
        await anext(batches)
        with pytest.raises(TooManySubscribers):
            await hub.subscribe("jail", anything)
        await batches.aclose()
        await hub.subscribe("jail", anything)
