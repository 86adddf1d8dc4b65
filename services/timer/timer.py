"""Time is data: when a deadline passes, the timer says so on the log, and only folding that changes a link.

Deadlines fire in order of (instant, link id, step), also those that passed while nobody ran, each exactly once: the
event's id is derived from link, step and instant. A deadline that cannot be fired never holds up the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from typing import Any, Protocol

from ccr_events.core.model import Link
from services.casebook.deadline_reached import deadline_record, passed_before_it_was_told
from services.engine.clock import AlarmClock
from services.engine.deadlines import firing_order, pending
from services.engine.transaction import (
    Appender,
    Deadline,
    EngineClosed,
    StorageFailed,
    Transaction,
    Writer,
)

PAGE = 500
"""Deadlines fired in one write."""
FIRST_RETRY_S = 0.1
"""Wait after a write the disk refused; doubled each time."""
LONGEST_RETRY_S = 10.0
"""Longest wait between two tries. The timer never gives up: a silent timer costs more than a busy one."""
ASIDE_RETRY_S = 1.0
"""How often deadlines that could not be fired are tried again."""

_NO_EFFECT = "its event is on the log and did not reach the link"

_log = logging.getLogger(__name__)


class Deadlines(Protocol):
    """Tells when a deadline comes up that is sooner than the one waited for, however its link came to change."""

    def begin(self) -> None:
        """From now on what is committed counts."""

    async def sooner_than(self, at: datetime | None) -> None:
        """Return once a deadline before `at` (None: any) was committed since `begin`; raises `EngineClosed`."""


@dataclass(frozen=True, slots=True)
class TimerHealth:
    """How the timer is doing."""

    failure: str | None = None
    """Why the newest write was refused; None when it was not. The timer keeps trying."""
    aside: Mapping[str, str] | None = None
    """Link id → why a deadline of it could not be fired; tried again every second."""

    @property
    def well(self) -> bool:
        """Every deadline that has passed was fired."""
        return self.failure is None and not self.aside


@dataclass(frozen=True, slots=True)
class _Fired:
    count: int
    stuck: tuple[Deadline, ...]
    full: bool


class Timer:
    """Fires deadlines; run one per data directory."""

    def __init__(
        self,
        writer: Writer,
        append: Appender,
        clock: AlarmClock,
        edition_at: Callable[[datetime], str],
        deadlines: Deadlines,
        rungs: Callable[[Link], int],
        recorded_now: Callable[[], datetime] | None = None,
    ) -> None:
        """`edition_at`: id of the policy edition in force at an instant; `rungs`: how many rungs the ladder of a link
        has, beyond which its steps are reminders; `recorded_now`: the time to record, where the clock may be set back
        behind what is on the log."""
        self._writer = writer
        self._append = append
        self._clock = clock
        self._edition_at = edition_at
        self._deadlines = deadlines
        self._rungs = rungs
        self._recorded_now = recorded_now or clock.now
        self._aside: dict[Deadline, str] = {}
        self._retry_aside_at_s = 0.0
        self._failure: str | None = None

    @property
    def health(self) -> TimerHealth:
        """How it is doing now."""
        return TimerHealth(self._failure, {deadline.link_id: why for deadline, why in self._aside.items()})

    async def run(self) -> None:
        """Fire deadlines at their time, until cancelled or the engine closes."""
        retry_s = FIRST_RETRY_S
        while True:
            try:
                await self.catch_up()
                self._deadlines.begin()
                next_at = await self._writer.read(lambda tx: tx.deadlines.next_at())
            except EngineClosed:
                return
            except Exception as error:  # whatever it is: a timer that ended would let every deadline pass in silence
                failure = str(error) if isinstance(error, StorageFailed) else f"{type(error).__name__}, a defect"
                if self._failure is None:
                    _log.error("deadlines wait: %s", failure)
                self._failure = failure
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
                continue
            retry_s, self._failure = FIRST_RETRY_S, None
            try:
                await self._wait(next_at)
            except EngineClosed:
                return

    async def catch_up(self) -> int:
        """Fire every deadline that has passed by now, in order; returns how many. Raises `StorageFailed`."""
        total = await self._retry_aside()
        while True:
            skip = frozenset(self._aside)
            try:
                fired = await self._writer.write(partial(self._fire_page, skip=skip))
            except (StorageFailed, EngineClosed):
                raise
            except Exception:
                # One deadline of the page cannot be folded: find it, so that the others still fire.
                fired = await self._fire_singly(skip)
            for deadline in fired.stuck:
                self._set_aside(deadline, _NO_EFFECT)
            total += fired.count
            if not fired.full:
                return total

    def _fire_page(self, tx: Transaction, skip: frozenset[Deadline]) -> _Fired:
        now, limit = self._clock.now(), PAGE + len(skip)
        due = tx.deadlines.due(now, limit)
        full = len(due) == limit
        until = due[-1].at if full else now
        waiting = [(firing_order(d), d) for d in due if d not in skip]
        known = {*due, *skip}
        fired, stuck = 0, []
        while waiting:
            _, deadline = heappop(waiting)
            if not self._fire(tx, deadline, now):
                stuck.append(deadline)
                continue
            fired += 1
            # Climbing the last rung opens a reminder, which after an outage may have passed as well.
            link = tx.links.get(deadline.link_id)
            for later in pending(link) if link is not None else ():
                if later.at <= until and later not in known:
                    known.add(later)
                    heappush(waiting, (firing_order(later), later))
        return _Fired(fired, tuple(stuck), full)

    async def _fire_singly(self, skip: frozenset[Deadline]) -> _Fired:
        now, limit = self._clock.now(), PAGE + len(skip)
        due = await self._writer.read(lambda tx: tx.deadlines.due(now, limit))
        fired = 0
        for deadline in due:
            if deadline not in skip:
                why = await self._try(deadline)
                if why is None:
                    fired += 1
                else:
                    self._set_aside(deadline, why)
        return _Fired(fired, (), len(due) == limit)

    async def _retry_aside(self) -> int:
        """Try again what could not be fired; returns how many were."""
        now_s = asyncio.get_running_loop().time()
        if not self._aside or now_s < self._retry_aside_at_s:
            return 0
        self._retry_aside_at_s = now_s + ASIDE_RETRY_S
        fired = 0
        for deadline in sorted(self._aside, key=firing_order):
            gone = not await self._writer.read(partial(_is_pending, deadline=deadline))
            why = None if gone else await self._try(deadline)
            if why is not None:
                self._aside[deadline] = why
                continue
            del self._aside[deadline]
            fired += not gone
        return fired

    async def _try(self, deadline: Deadline) -> str | None:
        """Fire one deadline in a write of its own; returns why it could not be."""
        now = self._clock.now()
        try:
            fired = await self._writer.write(partial(self._fire, deadline=deadline, now=now))
        except (StorageFailed, EngineClosed):
            raise
        except Exception as error:  # whatever the fold raises, the other deadlines must fire
            return f"{type(error).__name__}: {error}"
        return None if fired else _NO_EFFECT

    def _fire(self, tx: Transaction, deadline: Deadline, now: datetime) -> bool:
        """Append the deadline's event; False when it is on the log already."""
        recorded_at = max(now, self._recorded_now())
        record = deadline_record(
            deadline, recorded_at, self._edition_at(recorded_at), alerting=not self._is_history(tx, deadline)
        )
        if tx.events.find(record.fact.id) is not None:
            return False
        self._append(tx, record)
        return True

    def _is_history(self, tx: Transaction, deadline: Deadline) -> bool:
        """Whether it had passed already when its trigger was backfilled, or reminds of a ladder that had been climbed
        by then: history alerts nobody, and what comes does."""
        link = tx.links.get(deadline.link_id)
        trigger = None if link is None else tx.events.find(link.trigger_id)
        if link is None or trigger is None or trigger.alerting:
            return False
        return passed_before_it_was_told(link, deadline, self._rungs(link))

    def _set_aside(self, deadline: Deadline, why: str) -> None:
        if deadline not in self._aside:
            _log.error("step %d of link %s could not be fired: %s", deadline.step, deadline.link_id, why)
        self._aside[deadline] = why

    async def _wait(self, next_at: datetime | None) -> None:
        """Until the next deadline's time, or until there is a sooner one, whichever is first."""
        # While some are set aside, the earliest deadline may be one of them, so its time says nothing.
        sooner = self._deadlines.sooner_than(None if self._aside else next_at)
        waits: list[Coroutine[Any, Any, Any]] = [sooner]
        if self._aside:
            waits.append(asyncio.sleep(ASIDE_RETRY_S))
        elif next_at is not None:
            waits.append(self._clock.wait_until(next_at))
        await _first_of(waits)


def _is_pending(tx: Transaction, deadline: Deadline) -> bool:
    link = tx.links.get(deadline.link_id)
    return link is not None and deadline in pending(link)


async def _first_of(waits: list[Coroutine[Any, Any, Any]]) -> None:
    """Return when one of them has; the others are cancelled. Its error, if any, goes on."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
