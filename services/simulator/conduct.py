"""How agencies behave, as data: how long an act takes, how often it never comes, how long until it is reported.

Every figure is this simulator's own [P], made so that deadlines of the written policies are mostly met and sometimes
not; a county puts its own in their place. A `Profile` makes all of it better or worse at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.simulator.draws import DAY, HOUR, MINUTE, Delay


@dataclass(frozen=True, slots=True)
class Conduct:
    """How one agency does one act."""

    takes: Delay
    """From what calls for the act to the act."""
    missed: float = 0.0
    """Share of acts that never come."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How one agency's adapter reports."""

    after: Delay
    """From the act to its report: late and out of order when it is long."""
    again: float = 0.01
    """Share of reports that are sent a second time."""
    mistyped: float = 0.0
    """Share of reports with a wrong number."""
    corrected: float = 0.0
    """Share of reports that a later one replaces."""
    retracted: float = 0.0
    """Share of reports that are withdrawn and made anew."""


CONDUCT: Mapping[str, Conduct] = {
    "psap dispatch": Conduct(Delay(25, 60, 12 * MINUTE)),
    "psap history": Conduct(Delay(15, 35, 6 * MINUTE), missed=0.08),
    "psap arrival": Conduct(Delay(6 * MINUTE, 15 * MINUTE, 50 * MINUTE)),
    "le clear": Conduct(Delay(45 * MINUTE, 100 * MINUTE, 4 * HOUR)),
    "le risk": Conduct(Delay(15 * MINUTE, 35 * MINUTE, 3 * HOUR), missed=0.1),
    "le hotline": Conduct(Delay(6 * MINUTE, 14 * MINUTE, 40 * MINUTE), missed=0.12),
    "le rights card": Conduct(Delay(20 * MINUTE, 50 * MINUTE, 3 * HOUR), missed=0.05),
    "le referral": Conduct(Delay(30 * MINUTE, 70 * MINUTE, 6 * HOUR), missed=0.08),
    "le arrest": Conduct(Delay(15 * MINUTE, 40 * MINUTE, 2 * HOUR)),
    "le search": Conduct(Delay(90 * MINUTE, 4 * HOUR, 20 * HOUR), missed=0.1),
    "le warrant request": Conduct(Delay(40 * HOUR, 68 * HOUR, 90 * HOUR), missed=0.12),
    "le dual review": Conduct(Delay(2 * HOUR, 5 * HOUR, 3 * DAY), missed=0.1),
    "le child report": Conduct(Delay(3 * HOUR, 14 * HOUR, 2 * DAY), missed=0.05),
    "le child report in writing": Conduct(Delay(1 * DAY, 2.7 * DAY, 6 * DAY), missed=0.1),
    "le welfare check": Conduct(Delay(20 * MINUTE, 45 * MINUTE, 6 * HOUR), missed=0.1),
    "le service": Conduct(Delay(7 * HOUR, 19 * HOUR, 3 * DAY)),
    "le firearms": Conduct(Delay(1 * DAY, 2.5 * DAY, 12 * DAY)),
    "jail booking": Conduct(Delay(50 * MINUTE, 110 * MINUTE, 5 * HOUR)),
    "jail phone block": Conduct(Delay(20 * MINUTE, 50 * MINUTE, 5 * HOUR), missed=0.1),
    "jail threat report": Conduct(Delay(1 * HOUR, 6 * HOUR, 1 * DAY), missed=0.06),
    "jail notice": Conduct(Delay(10 * MINUTE, 28 * MINUTE, 3 * HOUR), missed=0.06),
    "pros decision": Conduct(Delay(12 * HOUR, 26 * HOUR, 60 * HOUR)),
    "pros notice": Conduct(Delay(75 * MINUTE, 3.5 * HOUR, 4 * DAY), missed=0.1),
    "pros disposition notice": Conduct(Delay(4 * DAY, 14 * DAY, 40 * DAY), missed=0.1),
    "pros dual review": Conduct(Delay(6 * HOUR, 18 * HOUR, 4 * DAY), missed=0.1),
    "crim hearing": Conduct(Delay(18 * HOUR, 40 * HOUR, 4 * DAY)),
    "crim violation hearing": Conduct(Delay(6 * DAY, 16 * DAY, 45 * DAY)),
    "crim setting": Conduct(Delay(1 * DAY, 4 * DAY, 14 * DAY), missed=0.05),
    "crim warrant": Conduct(Delay(6 * HOUR, 30 * HOUR, 5 * DAY), missed=0.05),
    "crim sealing": Conduct(Delay(60 * DAY, 150 * DAY, 300 * DAY)),
    "civ referral": Conduct(Delay(40 * MINUTE, 3 * HOUR, 2 * DAY), missed=0.1),
    "civ ex parte": Conduct(Delay(3 * HOUR, 20 * HOUR, 2 * DAY)),
    "civ notice": Conduct(Delay(5 * MINUTE, 12 * MINUTE, 2 * DAY), missed=0.08),
    "prob bail": Conduct(Delay(4 * HOUR, 9 * HOUR, 30 * HOUR), missed=0.08),
    "prob opening": Conduct(Delay(1 * DAY, 2 * DAY, 10 * DAY)),
    "prob referral": Conduct(Delay(1 * DAY, 3 * DAY, 12 * DAY), missed=0.05),
    "prob answer": Conduct(Delay(12 * HOUR, 28 * HOUR, 9 * DAY), missed=0.12),
    "bip intake": Conduct(Delay(7 * DAY, 13 * DAY, 35 * DAY)),
    "bip threat": Conduct(Delay(10 * MINUTE, 40 * MINUTE, 1 * DAY), missed=0.05),
    "adv received": Conduct(Delay(4 * MINUTE, 20 * MINUTE, 5 * HOUR), missed=0.04),
    "adv assigned": Conduct(Delay(25 * MINUTE, 80 * MINUTE, 20 * HOUR), missed=0.07),
    "visit incident": Conduct(Delay(20 * DAY, 80 * DAY, 160 * DAY)),
    "reg entry": Conduct(Delay(8 * MINUTE, 22 * MINUTE, 2 * DAY), missed=0.02),
    "reg repair": Conduct(Delay(90 * MINUTE, 5 * HOUR, 3 * DAY)),
    "all sealing": Conduct(Delay(12 * DAY, 50 * DAY, 90 * DAY), missed=0.06),
}
"""Agency and act → how it is done."""

SENDING: Mapping[str, Sending] = {
    "psap": Sending(Delay(4, 20, 10 * MINUTE), again=0.02),
    "le": Sending(Delay(3 * MINUTE, 20 * MINUTE, 20 * HOUR), mistyped=0.004, corrected=0.012, retracted=0.002),
    "jail": Sending(Delay(40, 5 * MINUTE, 4 * HOUR), again=0.02, mistyped=0.002, corrected=0.006),
    "pros": Sending(Delay(4 * MINUTE, 2 * HOUR, 4 * DAY), mistyped=0.003, corrected=0.01),
    "crim": Sending(Delay(60, 9 * MINUTE, 1 * DAY), corrected=0.006, retracted=0.001),
    "civ": Sending(Delay(2 * MINUTE, 40 * MINUTE, 3 * DAY), corrected=0.006),
    "prob": Sending(Delay(10 * MINUTE, 4 * HOUR, 6 * DAY), mistyped=0.004, corrected=0.008),
    "bip": Sending(Delay(90 * MINUTE, 1.5 * DAY, 9 * DAY), again=0.03, mistyped=0.004, corrected=0.01),
    "adv": Sending(Delay(60, 15 * MINUTE, 4 * HOUR)),
    "cps": Sending(Delay(1 * HOUR, 1 * DAY, 4 * DAY)),
    "visit": Sending(Delay(1 * HOUR, 1 * DAY, 4 * DAY)),
    "reg": Sending(Delay(8, 3 * MINUTE, 10 * HOUR), again=0.02),
    "ccr": Sending(Delay(1 * HOUR, 1 * DAY, 4 * DAY)),
}
"""Agency → how its adapter reports."""

REPORT_WRITING = Delay(40 * MINUTE, 5 * HOUR, 3 * DAY)
"""An incident report is written before it can be sent [P]."""


@dataclass(frozen=True, slots=True)
class Answering:
    """How practitioners answer the links they owe, by urgency."""

    takes: Mapping[str, Delay] = field(
        default_factory=lambda: {
            "immediate": Delay(150, 9 * MINUTE, 5 * HOUR),
            "same_shift": Delay(30 * MINUTE, 3 * HOUR, 20 * HOUR),
            "same_day": Delay(1 * HOUR, 9 * HOUR, 3 * DAY),
            "routine": Delay(1 * DAY, 4 * DAY, 20 * DAY),
        }
    )
    """From the alert to the answer [P]."""
    missed: float = 0.08
    """Alerts that nobody answers by themselves [P]."""
    waived: float = 0.02
    """Links that a role which may do so lets go [P]."""
    let_go_late: float = 0.12
    """Links that such a role lets go once they were escalated, since the act was done in another way [P]."""
    answered_when_escalated: float = 0.7
    """Links that are answered once a supervisor heard [P]."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How well a county does, beside the tables of this module."""

    name: str
    pace: float = 1.0
    """Times every duration of an act and an answer."""
    sending: float = 1.0
    """Times every duration until a report."""
    missed: float = 1.0
    """Times every share of acts and answers that never come."""
    faults: float = 1.0
    """Times every share of reports sent twice, mistyped, corrected or withdrawn."""

    @staticmethod
    def named(name: str) -> Profile:
        """`calm`, `typical` or `strained`; raises `LookupError` that names them."""
        found = PROFILES.get(name)
        if found is None:
            raise LookupError(f"no profile {name!r}; there are {', '.join(PROFILES)}")
        return found


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("calm", pace=0.7, sending=0.3, missed=0.2, faults=0.3),
        Profile("typical"),
        Profile("strained", pace=1.8, sending=2.5, missed=3.0, faults=3.0),
    )
}
"""The profiles that can be asked for by name."""
