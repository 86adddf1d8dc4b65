"""One incident on its way through the agencies: its numbers, and the pen that writes what each agency reports.

Instants are whole seconds since 1970 in the county's local time; only what leaves is a UTC time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from ccr_events.envelope import Event
from services.simulator.conduct import CONDUCT, REPORT_WRITING, SENDING, Conduct, Sending
from services.simulator.county import County
from services.simulator.draws import DAY, HOUR, Draws
from services.simulator.hours import civil_date, weekday
from services.simulator.odds import Odds
from services.simulator.people import Pair
from services.simulator.report import Report

Story = Iterator[int]
"""A part of a history that is told as time passes: it yields the instant at which it wants to go on."""

OFFICE_OPENS = 8 * HOUR
OFFICE_CLOSES = 16 * HOUR + 1800
_SATURDAY = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SOURCES = {
    "psap": "/placeholder-county/cad",
    "le": "/placeholder-county/rms",
    "jail": "/placeholder-county/jms",
    "pros": "/placeholder-county/pcms",
    "crim": "/placeholder-county/court",
    "civ": "/placeholder-county/civil-court",
    "prob": "/placeholder-county/supervision",
    "bip": "/placeholder-county/mens-program",
    "adv": "/placeholder-county/advocacy",
    "cps": "/placeholder-county/child-protection",
    "visit": "/placeholder-county/visitation",
    "reg": "/placeholder-state/registry",
    "ccr": "/placeholder-county/tracking",
}
_NUMBERS = {
    "cad": ("cad_no", "CAD"),
    "incident": ("incident_no", "INC"),
    "booking": ("booking_no", "BKG"),
    "court": ("court_case_no", "CR"),
    "family": ("court_case_no", "FA"),
    "nco": ("order_no", "NCO"),
    "ofp": ("order_no", "OFP"),
    "referral": ("referral_no", "REF"),
}
_CORRECTABLE = frozenset(
    {"incident.reported", "arrest.made", "jail.booked", "charge.filed", "bip.session_recorded", "ofp.served"}
)
_CORRECTED_AFTER = (2 * HOUR, 6 * DAY)
"""A correction or a withdrawal follows its report after this long, evenly between."""
_AGAIN_AFTER = (5, 3 * DAY)


@dataclass(slots=True)
class Running:
    """What the histories of one run share."""

    county: County
    draws: Draws
    tag: str
    """Part of every number, so that two seeds never share one."""
    send: Callable[[int, Report], None]
    """Takes a report to be sent at a local second."""
    begin: Callable[[int, Story], None]
    """Takes a story to be told from a local second on."""
    odds: Odds
    conduct: Mapping[str, Conduct]
    sending: Mapping[str, Sending]
    offset_s: int
    base: bytes
    made: int = 0
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, kind: str, at: int) -> dict[str, str]:
        """The next number of a kind, as a reference."""
        name, letters = _NUMBERS[kind]
        count = self.numbers[letters] = self.numbers.get(letters, 0) + 1
        return {"kind": name, "number": f"{civil_date(at // DAY)[0] % 100:02d}-{letters}-{self.tag}{count:06d}"}

    def event_id(self, at: int) -> str:
        """A UUID of version 7: the time, and digits from the seed."""
        self.made += 1
        digits = sha256(self.base + self.made.to_bytes(8, "big")).hexdigest()
        time = f"{(at - self.offset_s) * 1000:012x}"
        return f"{time[:8]}-{time[8:]}-7{digits[:3]}-8{digits[3:6]}-{digits[6:18]}"

    def utc(self, at: int) -> datetime:
        """A local second as an aware UTC time."""
        return _EPOCH + timedelta(seconds=at - self.offset_s)


def running(
    county: County, seed: int, send: Callable[[int, Report], None], begin: Callable[[int, Story], None]
) -> Running:
    """The state of a run, with the county's profile worked into the tables."""
    profile = county.profile
    base = sha256(f"ccr simulate {seed}".encode()).digest()
    return Running(
        county=county,
        draws=Draws("history", seed),
        tag=base.hex()[:4].upper(),
        send=send,
        begin=begin,
        odds=county.odds,
        conduct={
            act: Conduct(one.takes.scaled(profile.pace), min(0.95, one.missed * profile.missed))
            for act, one in CONDUCT.items()
        },
        sending={agency: _sending(one, profile.sending, profile.faults) for agency, one in SENDING.items()}
        | {"report": Sending(REPORT_WRITING.scaled(profile.sending))},
        offset_s=county.utc_offset_h * HOUR,
        base=base,
    )


def _sending(one: Sending, slower: float, faults: float) -> Sending:
    return Sending(
        after=one.after.scaled(slower),
        again=one.again * faults,
        mistyped=one.mistyped * faults,
        corrected=one.corrected * faults,
        retracted=one.retracted * faults,
    )


class CaseFile:
    """One incident, petition or court file of a pair, and its numbers."""

    __slots__ = ("draws", "odds", "pair", "refs", "run", "told")

    def __init__(self, run: Running, pair: Pair) -> None:
        self.run, self.draws, self.odds, self.pair = run, run.draws, run.odds, pair
        self.refs: dict[str, dict[str, str]] = {}
        self.told: dict[str, Any] = {}

    def opened(self, kind: str, at: int) -> None:
        """An agency gives the file a number of its own."""
        self.refs[kind] = self.run.number(kind, at)

    def done(self, act: str, after: int) -> int | None:
        """When the act (`agency act`) is done after what called for it; None when it never is."""
        conduct = self.run.conduct[act]
        if conduct.missed and self.draws.random() < conduct.missed:
            return None
        return after + self.draws.seconds(conduct.takes)

    def then(self, act: str, after: int) -> int:
        """When the act is done, for acts that are always done."""
        return after + self.draws.seconds(self.run.conduct[act].takes)

    def text(self, at: int) -> str:
        """A local second as the contract writes times."""
        return self.run.utc(at).isoformat().replace("+00:00", "Z")

    def number(self, kind: str) -> str:
        """One of the file's numbers."""
        return self.refs[kind]["number"]

    def act(
        self,
        agency: str,
        type_: str,
        at: int,
        kinds: Sequence[str],
        data: dict[str, Any] | None = None,
        *,
        people: bool = False,
        known_as: bool = False,
        causes: str | None = None,
    ) -> str:
        """An agency acted: its report is on the way, with the numbers of these kinds that it has. Returns the event id.

        `people`: with all that identifies them; `known_as`: with names and birth dates.
        """
        data = {} if data is None else data
        refs = self.refs
        data["references"] = [refs[kind] for kind in kinds if kind in refs]
        if people:
            data["parties"] = self.pair.parties
        elif known_as:
            data["parties"] = self.pair.known_as
        return self._sent(agency, type_, at, data, causes)

    def _sent(self, agency: str, type_: str, at: int, data: dict[str, Any], causes: str | None) -> str:
        run, draw = self.run, self.draws.random
        sending = run.sending["report" if type_ == "incident.reported" else agency]
        sent = at + self.draws.seconds(sending.after)
        event_id = run.event_id(sent)
        event = Event(event_id, _SOURCES[agency], type_, run.utc(at), data, causation_id=causes)
        if run.county.broken and draw() < run.county.broken:
            self._broken(agency, event, sent)
        fault = draw()
        if fault < sending.mistyped and data["references"]:
            self._mistyped(agency, event, sent)
            return event_id
        run.send(sent, Report(run.utc(sent), agency, event))
        if type_ in _CORRECTABLE:
            self._put_right(agency, event, sent, fault - sending.mistyped, sending)
        if draw() < sending.again:
            self._again(agency, event, sent)
        return event_id

    def _broken(self, agency: str, event: Event, sent: int) -> None:
        """A report that no door may take in: a field that is unknown, a number that is none, a date yet to come."""
        occurred_at, data = event.occurred_at, event.data
        match self.draws.whole(0, 2):
            case 0:
                data = {**data, "unknown_field": True}
            case 1:
                data = {**data, "references": [{"kind": "incident_no", "number": "TBD"}]}
            case _:
                occurred_at += timedelta(days=365)
        run = self.run
        wrong = Event(run.event_id(sent), event.source, event.type, occurred_at, data)
        run.send(sent, Report(run.utc(sent), agency, wrong, broken=True))

    def _again(self, agency: str, event: Event, sent: int) -> None:
        later = sent + self.draws.whole(*_AGAIN_AFTER)
        self.run.send(later, Report(self.run.utc(later), agency, event))

    def _mistyped(self, agency: str, event: Event, sent: int) -> None:
        """A digit too many: nobody else's number. The same agency corrects it later."""
        first, *others = event.data["references"]
        wrong = {**event.data, "references": [{**first, "number": first["number"] + "0"}, *others]}
        self.run.send(sent, Report(self.run.utc(sent), agency, _like(event, event.id, wrong)))
        self._correction(agency, event, sent, event.data)

    def _put_right(self, agency: str, event: Event, sent: int, fault: float, sending: Sending) -> None:
        if fault < 0:
            return
        if fault < sending.corrected:
            self._correction(agency, event, sent, _put_right(event.type, event.data))
        elif fault < sending.corrected + sending.retracted:
            self._withdrawal(agency, event, sent)

    def _correction(self, agency: str, event: Event, sent: int, data: dict[str, Any]) -> None:
        run = self.run
        later = sent + self.draws.whole(*_CORRECTED_AFTER)
        right = _like(event, run.event_id(later), data, corrects=event.id)
        run.send(later, Report(run.utc(later), agency, right))

    def _withdrawal(self, agency: str, event: Event, sent: int) -> None:
        """Entered in error: withdrawn, and entered anew a little later."""
        run = self.run
        later = sent + self.draws.whole(*_CORRECTED_AFTER)
        data = {"references": event.data["references"], "reason": "entered_in_error"}
        withdrawal = Event(
            run.event_id(later), event.source, "event.retracted", run.utc(later), data, corrects=event.id
        )
        run.send(later, Report(run.utc(later), agency, withdrawal))
        anew = later + self.draws.whole(60, HOUR)
        run.send(anew, Report(run.utc(anew), agency, _like(event, run.event_id(anew), event.data)))


def _like(event: Event, event_id: str, data: dict[str, Any], corrects: str | None = None) -> Event:
    return Event(
        event_id, event.source, event.type, event.occurred_at, data, corrects=corrects, causation_id=event.causation_id
    )


def _put_right(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    """What a correction says otherwise: the charge, the injury, the presence."""
    match type_:
        case "incident.reported":
            return {**data, "injury": "M", "offenses": ["13A"]}
        case "arrest.made" | "jail.booked":
            return {**data, "charges": [{"number": 1, "nibrs": "13A", "level": "GM"}]}
        case "charge.filed":
            return {**data, "counts": [{"number": 1, "nibrs": "13A", "level": "GM"}]}
        case "bip.session_recorded":
            return {**data, "present": True, "excused": False}
        case _:
            return {**data, "method": "personal"}


def office(at: int, opens: int = OFFICE_OPENS, closes: int = OFFICE_CLOSES) -> int:
    """The instant itself in office hours, else the next opening of an office: courts and clerks are shut at night."""
    day, second = divmod(at, DAY)
    if second > closes:
        day, second = day + 1, opens
    elif second < opens:
        second = opens
    while weekday(day) >= _SATURDAY:
        day, second = day + 1, opens
    return day * DAY + second
