"""Probation and the men's program: months of weekly sessions, absences and their consequence.

Source: protocol links 30-35 of the domain sheet; how many absences are too many is local (`Odds.absences_allowed`).
"""

from __future__ import annotations

from typing import Any

from services.simulator.casefile import CaseFile, Story, office
from services.simulator.draws import DAY, HOUR, shares
from services.simulator.violation import violation

_CONTACT_EVERY = 30 * DAY
_WEEK = 7 * DAY
_SESSION_STARTS = 18 * HOUR
_LEVELS = shares([("intensive", 0.1), ("high", 0.3), ("medium", 0.4), ("low", 0.2)])
_CONTACTS = shares([("office", 0.7), ("home", 0.15), ("collateral", 0.15)])
_COMPLIANCE = shares([("compliant", 0.7), ("partial", 0.22), ("noncompliant", 0.08)])
_SUSPENDED = 14 * DAY
_COURT = ("court",)
_PROGRAM = ("referral", "court")


def supervision(file: CaseFile, at: int, months: int, *, program: bool) -> Story:
    """Probation from the sentence to its end."""
    pair, draws = file.pair, file.draws
    opened_at = office(file.then("prob opening", at))
    conditions = ["no_contact", "bip"] if program else ["no_contact"]
    opened = {"level": draws.pick(_LEVELS), "conditions": conditions}
    file.act("prob", "probation.opened", opened_at, _COURT, opened, known_as=True)
    pair.on_probation, pair.supervised_under = True, file
    if program and not pair.program:
        pair.program = True
        file.run.begin(opened_at, mens_program(file, opened_at))
    ends_at = at + months * 30 * DAY
    contact_at = office(opened_at + draws.whole(5 * DAY, 20 * DAY))
    while contact_at < ends_at and pair.supervised_under is file:
        yield contact_at
        contact = {"kind": draws.pick(_CONTACTS), "compliance": draws.pick(_COMPLIANCE)}
        file.act("prob", "probation.contact_recorded", contact_at, _COURT, contact)
        contact_at = office(contact_at + _CONTACT_EVERY)
    yield ends_at
    if pair.supervised_under is file:
        pair.on_probation, pair.supervised_under = False, None
    if pair.no_contact_order is file:
        pair.no_contact_order = None
        ended = {"kind": "probationary", "cause": "expiry"}
        file.act("crim", "nco.cancelled", office(ends_at), ("court", "nco"), ended)
        file.act("reg", "order.cleared", file.then("reg entry", office(ends_at)), ("court", "nco"), {"file": "POF"})


def mens_program(file: CaseFile, at: int) -> Story:
    """Referral, intake and sessions, until he has completed it or is put out."""
    pair, draws, odds = file.pair, file.draws, file.odds
    referred_at = file.done("prob referral", at)
    if referred_at is None:
        pair.program = False
        return
    referred_at = office(referred_at)
    file.opened("referral", referred_at)
    due = {"program": "PLACEHOLDER", "due_by": file.text(office(referred_at + 14 * DAY))}
    file.act("prob", "bip.referred", referred_at, _PROGRAM, due)
    intake_at = office(file.then("bip intake", referred_at))
    if draws.chance(odds.intake_missed):
        file.act("bip", "bip.intake_missed", intake_at, _PROGRAM, {"program": "PLACEHOLDER"})
        if (spoken_at := file.done("prob answer", intake_at)) is not None:
            contact = {"kind": "office", "compliance": "noncompliant"}
            file.act("prob", "probation.contact_recorded", office(spoken_at), _COURT, contact)
        intake_at = office(intake_at + draws.whole(5 * DAY, 20 * DAY))
    yield intake_at
    file.act("bip", "bip.intake_completed", intake_at, _PROGRAM, {"program": "PLACEHOLDER"})
    file.act("bip", "bip.status_changed", intake_at + HOUR, _PROGRAM, {"status": "active"})
    yield from _sessions(file, intake_at)
    pair.program = False


def _sessions(file: CaseFile, at: int) -> Story:
    draws, odds = file.draws, file.odds
    last = draws.whole(odds.sessions_least, odds.sessions_most)
    session_at = at // DAY * DAY + draws.whole(2, 8) * DAY + _SESSION_STARTS
    missed = 0
    number = 1
    while number <= last:
        yield session_at
        absent = file.pair.in_custody or draws.chance(odds.absent)
        session: dict[str, Any] = {"present": not absent, "session_no": number}
        if absent:
            session["excused"] = draws.chance(odds.excused)
            missed += not session["excused"]
        elif draws.chance(odds.threat_in_program):
            session["conduct"] = "threat"
            _threat(file, session_at)
        else:
            session["conduct"] = "ok"
            number += 1
        file.act("bip", "bip.session_recorded", session_at, _PROGRAM, session)
        session_at += _WEEK
        if missed > odds.absences_allowed:
            yield from _absences(file, session_at - _WEEK)
            if not draws.chance(odds.reinstated):
                _put_out(file, session_at - _WEEK + _SUSPENDED)
                return
            missed = 0
            back_at = session_at - _WEEK + _SUSPENDED
            back = {"status": "reinstated"}
            file.act("bip", "bip.status_changed", back_at, _PROGRAM, back)
            session_at += _SUSPENDED
    file.act("bip", "bip.status_changed", session_at, _PROGRAM, {"status": "completed", "reason": "requirements_met"})


def _absences(file: CaseFile, at: int) -> Story:
    suspended = {"status": "suspended", "reason": "absences"}
    file.act("bip", "bip.status_changed", at + HOUR, _PROGRAM, suspended)
    yield at
    if (alleged_at := file.done("prob answer", at)) is not None:
        alleged_at = office(alleged_at)
        file.run.begin(alleged_at, violation(file, alleged_at, "bip"))


def _put_out(file: CaseFile, at: int) -> None:
    out = {"status": "terminated", "reason": "absences", "partner_notice_opt_out": False}
    file.act("bip", "bip.status_changed", at, _PROGRAM, out)
    if (told_at := file.done("pros notice", at)) is not None:
        notice = {"notices": ["supervision_status"], "channel": "phone"}
        file.act("pros", "victim.notice_given", office(told_at), _COURT, notice)
    if (alleged_at := file.done("prob answer", at)) is not None:
        alleged_at = office(alleged_at)
        file.run.begin(alleged_at, violation(file, alleged_at, "bip"))


def _threat(file: CaseFile, at: int) -> None:
    reported_at = file.done("bip threat", at)
    if reported_at is None:
        return
    file.act("bip", "bip.threat_reported", reported_at, _PROGRAM, {"kind": "threat", "summary": "Invented threat."})
    if (warned_at := file.done("pros notice", reported_at)) is not None:
        file.act("pros", "victim.notice_given", warned_at, _COURT, {"notices": ["threat_warning"], "channel": "phone"})
