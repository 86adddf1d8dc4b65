"""What waits to be sent is sent although nothing new comes, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from services.engine.transaction import EngineClosed, StorageFailed, Transaction
from services.intake import relaying
from services.intake.relaying import relay


class Waiting:
    """A writer whose next group sends what waits; `fails` is raised by the looks or the groups before that."""

    def __init__(self, waits: int, *fails: Exception) -> None:
        self.waits = waits
        self.fails = list(fails)
        self.groups = 0
        self.done = asyncio.Event()

    async def unsent(self) -> bool:
        if self.fails and isinstance(self.fails[0], LookupError):
            raise self.fails.pop(0)
        return self.waits > 0

    async def write(self, work: Callable[[Transaction], Any]) -> None:
        if self.fails:
            raise self.fails.pop(0)
        asked: list[str] = []

        class Events:
            def find(self, event_id: str) -> None:
                asked.append(event_id)

        class Stores:
            events = Events()

        work(Stores())  # type: ignore[arg-type]
        assert len(asked) == 1  # looking for an event is what takes the turn
        self.groups += 1
        self.waits -= 1
        if not self.waits:
            self.done.set()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "LOOK_S", 0.001)
    monkeypatch.setattr(relaying, "LONGEST_RETRY_S", 0.002)


async def relayed(waiting: Waiting) -> None:
    running = asyncio.create_task(relay(waiting, waiting.unsent))  # type: ignore[arg-type]
    await waiting.done.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_what_waits_is_sent_and_nothing_is_begun_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    waiting = Waiting(2)
    await relayed(waiting)
    assert waiting.groups == 2
    assert caplog.text == ""


async def test_it_goes_on_after_any_failure_and_tells_it_once(caplog: pytest.LogCaptureFixture) -> None:
    failed = StorageFailed("Kafka did not take 1 events")
    with caplog.at_level(logging.WARNING):
        await relayed(Waiting(1, LookupError("quotes something"), failed, failed, failed))
    assert caplog.text.count("Kafka did not take 1 events") == 1
    assert caplog.text.count("nothing waits to be sent any more") == 1
    assert "LookupError" in caplog.text
    assert "quotes something" not in caplog.text


async def test_it_ends_with_the_engine() -> None:
    waiting = Waiting(1, EngineClosed("closed"))
    await relay(waiting, waiting.unsent)  # type: ignore[arg-type]
    assert waiting.groups == 0
