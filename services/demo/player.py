"""Plays the week: moves the script's clock from act to act, and does each act over HTTP as its agency would.

Time stands still while an act is done and while deadlines that have passed are fired, so the same script has the
same outcome at any speed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from time import perf_counter
from zoneinfo import ZoneInfo

from services.adapters.niem import read_document
from services.demo.acts import Act, Answer, Decide, Ingest, Publish, Redrive
from services.demo.clock import ScriptClock
from services.demo.desks import Answered, Desks, Refused
from services.demo.figures import Figures
from services.demo.pace import Pace

GLIDE_S = 0.05
"""Between two acts the clock moves at least this often, for whoever watches."""
FIRE_S = 20.0
"""How long a passed deadline may take to be fired before the run is given up."""
TAIL_STEP = timedelta(hours=6)
"""After the last act the clock moves on in steps of this length, each with the share of an act."""


def pace_of(acts: Sequence[Act], ends_at: datetime, seconds: float) -> Pace:
    """Every act, and every step after the last one, gets the same share of the playing time."""
    instants = [act.at for act in acts]
    while instants[-1] + TAIL_STEP < ends_at:
        instants.append(instants[-1] + TAIL_STEP)
    return Pace([*instants, ends_at], seconds)


@dataclass(slots=True)
class Player:
    """One run. `figures`, `accepted`, `sent_s` and `cases` are what it leaves behind."""

    acts: Sequence[Act]
    ends_at: datetime
    pace: Pace
    clock: ScriptClock
    desks: Desks
    zone: ZoneInfo
    """The county's, for documents whose times have no offset."""
    next_deadline: Callable[[], Awaitable[datetime | None]]
    """The earliest deadline that has not been fired."""
    moved: Callable[[int], None] = lambda done: None
    """Told how many acts are done, whenever time has passed."""
    figures: Figures = field(default_factory=Figures)
    accepted: dict[str, int] = field(default_factory=dict)
    """Event id → log position, as the receipts said."""
    sent_s: dict[str, float] = field(default_factory=dict)
    """Event id → `time.perf_counter` just before its request."""
    cases: dict[str, str] = field(default_factory=dict)
    """Case id → history."""
    _held: dict[str, str] = field(default_factory=dict)
    _of_history: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _done: int = 0
    _started_s: float = 0.0

    async def play(self) -> None:
        """From the first act until the clock stops. Raises `Refused` when an act does not go as written."""
        self._started_s = perf_counter()
        for act in self.acts:
            await self._pass_time(act.at)
            await self._do(act)
            self._done += 1
            self.moved(self._done)
        await self._pass_time(self.ends_at)
        self.figures.cases = len(self.cases)

    async def _pass_time(self, until: datetime) -> None:
        """Move the clock to `until`, stopping at each deadline on the way until it has been fired."""
        while (due := await self.next_deadline()) is not None and due <= until:
            await self._glide(due)
            await self._fired(due)
        await self._glide(until)

    async def _glide(self, at: datetime) -> None:
        target_s = self._started_s + self.pace.played_s(at)
        while (left_s := target_s - perf_counter()) > 0:
            self.clock.move_to(min(at, self.pace.at(perf_counter() - self._started_s)))
            self.moved(self._done)
            await asyncio.sleep(min(GLIDE_S, left_s))
        self.clock.move_to(at)

    async def _fired(self, due: datetime) -> None:
        give_up_s = perf_counter() + FIRE_S
        while (pending := await self.next_deadline()) is not None and pending <= due:
            if perf_counter() > give_up_s:
                raise Refused(f"a deadline of {due:%a %H:%M} UTC was not fired within {FIRE_S:.0f} s")
            await asyncio.sleep(0.001)

    async def _do(self, act: Act) -> None:
        match act:
            case Publish():
                await self._publish(act)
            case Redrive():
                answered = await self._timed(
                    act.event.id, self.desks.redrive(act.agency, self._held[act.event.id], act.event)
                )
                self._expect(answered, "accepted", f"{act.history}: {act.event.type}, repaired")
                self._noted(answered, act.history)
                self.figures.redriven += 1
            case Answer():
                await self._answer(act)
            case Decide():
                await self._decide(act)
            case Ingest():
                await self._ingest(act)

    async def _publish(self, act: Publish) -> None:
        answered = await self._timed(act.event.id, self.desks.publish(act.agency, act.event))
        self._expect(answered, act.expected, f"{act.history}: {act.event.type} by {act.agency}")
        match answered.status:
            case "accepted":
                self._noted(answered, act.history)
            case "quarantined":
                self._held[act.event.id] = answered.quarantine_id
                self.figures.quarantined += 1
            case "duplicate":
                self.figures.duplicates += 1
                if self.accepted.get(answered.event_id) != answered.position:
                    raise Refused(f"{act.history}: {act.event.type} sent twice was given two positions")

    async def _answer(self, act: Answer) -> None:
        found = [
            link
            for case_id in sorted(self._of_history[act.history])
            for link in await self.desks.open_links(act.agency, case_id)
            if link["rule"] == act.rule and link["agency"] == act.owed_by
        ]
        if not found:
            raise Refused(
                f"{act.history}: {act.agency} has no open link {act.rule} owed by {act.owed_by} to {act.answer}"
            )
        link = max(found, key=lambda link: link["opened_at"])
        sent_s = perf_counter()
        answered = await self.desks.answer(act.agency, link["id"], act.answer, {"role": act.role, **act.body})
        self._expect(answered, "accepted", f"{act.history}: {act.agency} {act.answer} {act.rule}")
        self.sent_s[answered.event_id] = sent_s
        self._noted(answered, act.history)

    async def _decide(self, act: Decide) -> None:
        mine = self._of_history[act.history]
        proposals = [p for p in await self.desks.proposals() if {p["case_id"], p["other_case_id"]} <= mine]
        if not proposals:
            raise Refused(f"{act.history}: no proposal waits about its cases")
        for proposal in proposals:
            await self.desks.decide(proposal["id"], act.merge)
            self.figures.merged += act.merge == "accept"

    async def _ingest(self, act: Ingest) -> None:
        document = files("services.demo").joinpath("documents", act.file).read_bytes()
        reading = read_document(document, received_at=act.at, zone=self.zone)
        sent_s = perf_counter()
        for answered in await self.desks.publish_all(reading.agency, reading.events):
            self._expect(answered, "accepted", f"{act.file} from {reading.agency}")
            self.sent_s[answered.event_id] = sent_s
            self._noted(answered, act.history)
        self.figures.documents += 1

    async def _timed(self, event_id: str, call: Awaitable[Answered]) -> Answered:
        if event_id not in self.accepted:
            self.sent_s[event_id] = perf_counter()
        return await call

    def _noted(self, answered: Answered, history: str) -> None:
        self.accepted[answered.event_id] = answered.position
        self.cases.setdefault(answered.case_id, history)
        self._of_history[history].add(answered.case_id)
        self.figures.events += 1

    def _expect(self, answered: Answered, status: str, what: str) -> None:
        if answered.status != status:
            raise Refused(
                f"{what}: the script expects {status}, the backbone answered {answered.status} ({answered.why})"
            )
