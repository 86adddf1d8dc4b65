"""One follower of the outbox for all subscribers, and each subscriber's way from where it left off to live.

A subscriber that resumes first reads pages of the outbox at its own pace. At the moment its position has reached
the follower's, within one step of the event loop, it joins; from then on the follower puts alerts into its
bounded buffer, and those at or before its position are skipped. So there is neither a gap nor a double.

Nobody waits for a slow subscriber: when its buffer is full it gets what is in there, then it is let go.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Protocol

from ccr_events.core.rules import Policies
from services.alerts.audience import may_see
from services.alerts.frame import Alert, alert
from services.engine.ports import Alertable, AlertSource
from services.engine.transaction import EngineClosed

MAX_BUFFERED = 1_000
"""Alerts that wait for one subscriber; one more and it is let go."""
MAX_SUBSCRIBERS = 1_000
"""Subscribers at once, of all agencies."""
MAX_OF_ONE_AGENCY = 200
"""Subscribers at once of one agency, so that none can shut the others out."""
MAX_AT_ONCE = 200
"""Most alerts handed over in one step."""
HEARTBEAT_S = 15.0
"""Silence after which a subscriber gets a comment, so that both ends know the other is there."""
RETRY_S = (0.1, 0.5, 1.0, 5.0)
"""Waits before reading the outbox again after it failed; the last one repeats."""

TOO_SLOW = "too slow: alerts were waiting; reconnect with Last-Event-ID"
CLOSING = "closing; reconnect with Last-Event-ID"
UNREADABLE = "earlier alerts cannot be read now; reconnect with Last-Event-ID"

_log = logging.getLogger(__name__)


class TooManySubscribers(RuntimeError):
    """The bound on subscribers is reached; says what to do."""


class BeyondNewest(ValueError):
    """A subscriber asks to resume after an alert that does not exist: its data is from another log."""


class Audience(Protocol):
    """Counts subscribers; `services.monitor` implements it."""

    def subscribed(self, change: int) -> None:
        """One more or one less."""


class AlertHub:
    """Reads the outbox once and hands each alert to every subscriber that may see it and wants it."""

    def __init__(
        self, source: AlertSource, policies: Policies, *, audience: Audience, max_buffered: int = MAX_BUFFERED
    ) -> None:
        self._source = source
        self._policies = policies
        self._audience = audience
        self._max_buffered = max_buffered
        self._live: dict[Subscription, None] = {}  # in the order in which they joined
        self._of_agency: Counter[str] = Counter()
        self._position = 0
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def position(self) -> int:
        """Outbox position up to which live subscribers have been handed everything."""
        return self._position

    @property
    def closing(self) -> bool:
        """True once `close` was called."""
        return self._closing.is_set()

    async def start(self) -> None:
        """Begin to follow, at the newest alert."""
        self._position = await self._source.last_seq()
        self._task = asyncio.create_task(self._follow(), name="alert hub")

    def close(self) -> None:
        """Let every subscriber go, with a word on how to come back."""
        self._closing.set()
        for subscription in list(self._live):  # each one leaves
            subscription.let_go(CLOSING)

    async def stop(self) -> None:
        """Stop following."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def subscribe(self, agency: str, wants: Callable[[Alert], bool], *, after: int | None = None) -> Subscription:
        """A subscription from `after` (exclusive) on; None: only what comes now.

        Raises `TooManySubscribers`, and `BeyondNewest` when `after` is ahead of the outbox.
        """
        if self._of_agency[agency] >= MAX_OF_ONE_AGENCY:
            raise TooManySubscribers(f"{agency} has {MAX_OF_ONE_AGENCY:,} subscribers; retry, or close unused ones")
        if self._of_agency.total() >= MAX_SUBSCRIBERS:
            raise TooManySubscribers(f"{MAX_SUBSCRIBERS:,} subscribers are connected; retry, or close unused ones")
        if after is not None and after > self._position and after > await self._source.last_seq():
            raise BeyondNewest("is ahead of the newest alert: the log was replaced; resume with after=0 or after=now")
        return Subscription(self, agency, wants, self._position if after is None else after, self._max_buffered)

    # what a subscription uses

    def follow(self, after: int) -> AsyncIterator[Sequence[Alertable]]:
        """Pages of the outbox after a position."""
        return self._source.follow(after)

    def render(self, page: Sequence[Alertable], *, live: bool = False) -> list[Alert]:
        """Alerts of a page, which is read as it is committed when it is `live`; backfilled history alerts nobody."""
        return [alert(item, self._policies, item.committed_s if live else None) for item in page if item.alerting]

    def counted(self, agency: str, change: int) -> None:
        """A subscription of the agency began (+1) or ended (-1)."""
        self._of_agency[agency] += change
        self._audience.subscribed(change)

    def join(self, subscription: Subscription) -> None:
        """From now on it is handed everything after `position`."""
        self._live[subscription] = None

    def leave(self, subscription: Subscription) -> None:
        """No longer hand it anything."""
        self._live.pop(subscription, None)

    async def _follow(self) -> None:
        failures = 0
        while True:
            try:
                async for page in self._source.follow(self._position):
                    failures = 0
                    self._fan_out(page)
                await asyncio.sleep(RETRY_S[0])  # a source that ends is asked again
            except EngineClosed:
                self.close()
                return
            except Exception as error:  # whatever it was, subscribers must not fall silent for good
                wait = RETRY_S[min(failures, len(RETRY_S) - 1)]
                failures += 1
                _log.error("reading the outbox failed (%s); again in %s s", type(error).__name__, wait)
                await asyncio.sleep(wait)

    def _fan_out(self, page: Sequence[Alertable]) -> None:
        if self._live:
            alerts = self.render(page, live=True)
            for subscription in list(self._live):
                subscription.offer(alerts)
        self._position = page[-1].seq


class Subscription:
    """One subscriber's alerts, in order. Iterate `batches` once."""

    def __init__(
        self, hub: AlertHub, agency: str, wants: Callable[[Alert], bool], after: int, max_buffered: int
    ) -> None:
        self._hub = hub
        self._agency = agency
        self._wants = wants
        self._position = after
        self._max_buffered = max_buffered
        self._buffer: deque[Alert] = deque()
        self._wake = asyncio.Event()
        self._ended: str | None = None

    @property
    def ended(self) -> str | None:
        """Why it was let go, in words for the subscriber; None while it goes on."""
        return self._ended

    @property
    def position(self) -> int:
        """Everything after this place in the outbox is still to come."""
        return self._position

    def offer(self, alerts: Sequence[Alert]) -> None:
        """Take new alerts into the buffer, never waiting."""
        if self._ended is not None:
            return
        for item in alerts:
            if item.seq <= self._position or not self._takes(item):
                continue
            if len(self._buffer) >= self._max_buffered:
                self.let_go(TOO_SLOW)
                return
            self._buffer.append(item)
        if self._buffer:
            self._wake.set()

    def let_go(self, reason: str) -> None:
        """Hand over what is in the buffer, then end."""
        if self._ended is None:
            self._ended = reason
        self._hub.leave(self)
        self._wake.set()

    async def batches(self, heartbeat_s: float = HEARTBEAT_S) -> AsyncGenerator[Sequence[Alert], None]:
        """Alerts as they come, at most `MAX_AT_ONCE` together; an empty batch is a heartbeat. Ends when let go."""
        self._hub.counted(self._agency, +1)
        try:
            async for batch in self._caught_up():
                yield batch
            while True:
                if self._buffer:
                    yield [self._buffer.popleft() for _ in range(min(len(self._buffer), MAX_AT_ONCE))]
                elif self._ended is not None:
                    return
                elif not await self._woken(heartbeat_s):
                    yield ()
        finally:
            self._hub.leave(self)
            self._hub.counted(self._agency, -1)

    async def _caught_up(self) -> AsyncGenerator[Sequence[Alert], None]:
        """What is in the outbox already; on return the subscription has joined the live ones."""
        while self._position < self._hub.position and not self._hub.closing:
            pages = self._hub.follow(self._position)
            try:
                async for page in pages:
                    self._position = page[-1].seq
                    found = [item for item in self._hub.render(page) if self._takes(item)]
                    for start in range(0, len(found), MAX_AT_ONCE):
                        yield found[start : start + MAX_AT_ONCE]
                    if self._position >= self._hub.position or self._hub.closing:
                        break
            except EngineClosed:
                self.let_go(CLOSING)
                return
            except Exception as error:  # the subscriber comes back for them; others are not concerned
                _log.error("reading the outbox for a subscriber failed: %s", type(error).__name__)
                self.let_go(UNREADABLE)
                return
            finally:
                if isinstance(pages, AsyncGenerator):
                    await pages.aclose()
        if self._hub.closing:
            self.let_go(CLOSING)
        else:
            self._hub.join(self)  # no await since the positions were compared: nothing can have come between

    async def _woken(self, timeout_s: float) -> bool:
        self._wake.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    def _takes(self, item: Alert) -> bool:
        return may_see(self._agency, item.transition) and self._wants(item)
