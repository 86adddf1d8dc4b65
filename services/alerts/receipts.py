"""Delivery receipts: one `link.notified` event per (link, agency, step) once an alert was sent to the agency it is for.

Receipts are gathered, submitted in batches and retried a bounded number of times; the alert itself never waits for
them. The receipt's id is derived, and one that is on the log already is left out: a subscriber that resumes, and a
second one, add nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import AlertChannel
from ccr_events.core.ids import notified_event_id
from ccr_events.core.model import TransitionKind
from ccr_events.envelope import Event
from services.alerts.frame import Alert
from services.engine.ports import Clock, Log, Publisher, Submission
from services.engine.transaction import EngineClosed

MAX_PENDING = 20_000
"""Receipts that wait to be submitted; beyond it new ones are given up, and counted in the log."""
MAX_REMEMBERED = 50_000
"""Receipts remembered as recorded, so that the log is not asked again."""
MAX_BATCH = 200
"""Receipts submitted at once."""
GATHER_S = 0.05
"""How long a receipt waits for company."""
RETRY_S = (0.2, 1.0, 5.0, 15.0, *[30.0] * 20)
"""Waits between attempts; after the last one it is given up: brokers or a database may be away for ten minutes."""

SOURCE = "/ccr/alerts"
KEY_ID = "ccr-alerts"
"""What stands in the place of an API key's id: the backbone itself publishes receipts."""

_ASKING = frozenset(
    {
        TransitionKind.OPENED,
        TransitionKind.OVERDUE,
        TransitionKind.ESCALATED,
        TransitionKind.REOPENED,
        TransitionKind.RESCHEDULED,
    }
)
"""Alerts that ask something of their addressee; the others only tell what became of it."""

_log = logging.getLogger(__name__)


class Receipts:
    """Gathers what was sent and publishes receipts."""

    def __init__(self, publisher: Publisher, log: Log, clock: Clock) -> None:
        self._publisher = publisher
        self._known = log
        self._clock = clock
        self._pending: OrderedDict[str, Event] = OrderedDict()
        self._recorded: OrderedDict[str, None] = OrderedDict()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._given_up = 0

    def start(self) -> None:
        """Begin to publish."""
        self._task = asyncio.create_task(self._run(), name="alert receipts")

    async def stop(self) -> None:
        """Publish what waits, once, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._pending and await self._attempt(self._next_batch()):
            pass

    def sent(self, agency: str, alerts: Iterable[Alert]) -> None:
        """Alerts were handed to the connection of a subscriber authenticated as `agency`. Never waits."""
        for item in alerts:
            transition = item.transition
            if transition.to_agency != agency or transition.kind not in _ASKING:
                continue
            event_id = notified_event_id(transition.link.id, agency, transition.step)
            if event_id in self._recorded or event_id in self._pending:
                continue
            if len(self._pending) >= MAX_PENDING:
                self._give_up(1)
                continue
            self._pending[event_id] = self._receipt(event_id, item)
            self._wake.set()

    def _receipt(self, event_id: str, item: Alert) -> Event:
        transition = item.transition
        return Event(
            id=event_id,
            source=SOURCE,
            type="link.notified",
            occurred_at=self._clock.now(),
            data={
                "link_id": transition.link.id,
                "agency": transition.to_agency,
                "step": transition.step,
                "channel": AlertChannel.STREAM.value,
            },
            case_id=transition.link.case_id,
            causation_id=transition.cause,
        )

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_S)
            self._wake.clear()
            while self._pending:
                await self._deliver(self._next_batch())

    def _next_batch(self) -> Sequence[Event]:
        return [event for _, event in zip(range(MAX_BATCH), self._pending.values(), strict=False)]

    async def _deliver(self, batch: Sequence[Event]) -> None:
        for wait in RETRY_S:
            if await self._attempt(batch):
                return
            await asyncio.sleep(wait)
        self._forget(batch)
        self._give_up(len(batch))

    async def _attempt(self, batch: Sequence[Event]) -> bool:
        """Submit; False when it is worth trying again."""
        try:
            known = await self._known.known([event.id for event in batch])
            new = [event for event in batch if event.id not in known]
            if new:
                answers = await self._publisher.submit([Submission(e, Agency.CCR, KEY_ID) for e in new])
                for answer in answers:
                    if answer.status not in ("accepted", "duplicate", "conflict"):
                        _log.error("a delivery receipt was %s: %s", answer.status, answer.title)
        except EngineClosed:
            self._forget(batch)
            return True
        except Exception as error:  # alerts must go on while the log refuses
            _log.warning("publishing %d delivery receipts failed: %s", len(batch), type(error).__name__)
            return False
        self._forget(batch)
        for event in batch:
            self._recorded[event.id] = None
        while len(self._recorded) > MAX_REMEMBERED:
            self._recorded.popitem(last=False)
        return True

    def _forget(self, batch: Sequence[Event]) -> None:
        for event in batch:
            self._pending.pop(event.id, None)

    def _give_up(self, count: int) -> None:
        before = self._given_up
        self._given_up += count
        if before == 0 or before // 1_000 != self._given_up // 1_000:
            _log.error("delivery receipts given up so far: %d; links stay marked as not notified", self._given_up)
