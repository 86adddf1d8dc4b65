"""The criminal case after the first appearance: hearings, the disposition, the sentence, sealing after a dismissal.

Source: protocol links 20, 21, 30, 36 and 41 of the domain sheet.
"""

from __future__ import annotations

from typing import Any

from ccr_events.agencies import Agency
from services.simulator.casefile import CaseFile, Story, office
from services.simulator.draws import DAY, HOUR, MINUTE, Delay, shares
from services.simulator.orders import NO_CONTACT_CODES, ORDER_TEXT, entered, firearms_ordered
from services.simulator.supervision import supervision

_TO_DISPOSITION = Delay(75 * DAY, 200 * DAY, 420 * DAY)
"""From the first appearance to the end of the case [P]."""
_HEARINGS = ("omnibus", "other", "omnibus", "plea")
_BETWEEN_HEARINGS = (18 * DAY, 45 * DAY)
_CONTINUED = 0.3
_REASONS = shares([("witness_unavailable", 0.45), ("insufficient", 0.3), ("plea_elsewhere", 0.25)])
_SEALED_BY = 60 * DAY
_COURT = ("court",)


def prosecution(file: CaseFile, at: int) -> Story:
    """Until the case has ended."""
    draws, odds = file.draws, file.odds
    ends_at = office(at + DAY + draws.seconds(_TO_DISPOSITION))
    hearing_at = office(at + draws.whole(*_BETWEEN_HEARINGS))
    for kind in _HEARINGS:
        if hearing_at >= ends_at:
            break
        hearing = {"kind": kind, "at": file.text(hearing_at), "room": str(draws.whole(1, 6))}
        file.act("crim", "hearing.scheduled", office(hearing_at - 12 * DAY), _COURT, dict(hearing))
        yield hearing_at
        next_at = office(hearing_at + draws.whole(*_BETWEEN_HEARINGS))
        if draws.chance(_CONTINUED):
            moved = {**hearing, "at": file.text(next_at)}
            file.act("crim", "hearing.continued", hearing_at, _COURT, moved)
        else:
            file.act("crim", "hearing.held", hearing_at, _COURT, hearing)
        hearing_at = next_at
    yield ends_at
    u = draws.random()
    if u < odds.convicted + odds.other_plea:
        plea: dict[str, Any] = {"plea": "guilty", "count": 1}
        if u >= odds.convicted:
            plea = {"plea": "no_contest", "count": 1, "stay": "adjudication"}
        file.act("crim", "plea.entered", ends_at, _COURT, plea)
        _told(file, ends_at)
        yield from _sentenced(file, ends_at)
    elif u < odds.convicted + odds.other_plea + odds.acquitted:
        file.act("crim", "hearing.held", ends_at, _COURT, {"kind": "trial", "at": file.text(ends_at)})
        file.act("crim", "verdict.entered", ends_at + HOUR, _COURT, {"verdict": "not_guilty", "count": 1})
        _told(file, ends_at)
        _order_ended(file, ends_at)
        _sealed(file, ends_at)
    else:
        dismissed = {"reason": draws.pick(_REASONS), "counts": [file.told["charge"]]}
        file.act("pros", "charge.dismissed", ends_at, ("court", "incident"), dismissed)
        if (told_at := file.done("pros notice", ends_at)) is not None:
            notice = {"notices": ["charge_decision"], "channel": "phone"}
            file.act("pros", "victim.notice_given", office(told_at), _COURT, notice)
        _told(file, ends_at)
        _order_ended(file, ends_at)
        _sealed(file, ends_at)


def _told(file: CaseFile, at: int) -> None:
    if (told_at := file.done("pros disposition notice", at)) is not None:
        file.act(
            "pros", "victim.notice_given", office(told_at), _COURT, {"notices": ["disposition"], "channel": "mail"}
        )


def _sentenced(file: CaseFile, at: int) -> Story:
    draws, odds, pair = file.draws, file.odds, file.pair
    sentenced_at = office(at + draws.whole(HOUR, 30 * DAY))
    yield sentenced_at
    conditions = ["no_contact"]
    program = draws.chance(odds.mens_program)
    if program:
        conditions.append("bip")
    armed = draws.chance(odds.firearms)
    if armed:
        conditions.append("firearms")
    months = draws.whole(12, 24)
    days = draws.whole(10, 90) if draws.chance(odds.jail_sentence) else 0
    sentence = {"jail_days": days, "probation_months": months, "conditions": conditions, "stay": "execution"}
    file.act("crim", "sentence.imposed", sentenced_at, _COURT, sentence)
    if "nco" in file.refs:
        ordered = {"kind": "probationary", "pco": list(NO_CONTACT_CODES), "full_text": ORDER_TEXT, "cause": "court"}
        file.act("crim", "nco.modified", sentenced_at + 20 * MINUTE, ("court", "nco"), ordered)
        entered(file, "nco", sentenced_at + 20 * MINUTE, _COURT)
    if armed:
        firearms_ordered(file, "crim", sentenced_at + 30 * MINUTE, _COURT)
    if days and not pair.in_custody:
        file.run.begin(sentenced_at, _served(file, sentenced_at, days))
    file.run.begin(sentenced_at, supervision(file, sentenced_at, months, program=program))


def _served(file: CaseFile, at: int, days: int) -> Story:
    """Days in jail, and the notice before they end (protocol link 40)."""
    from services.simulator.custody import released

    file.pair.in_custody = True
    term = CaseFile(file.run, file.pair)
    term.refs["court"] = file.refs["court"]
    term.opened("booking", at)
    booked = {"dv": "yes", "hold_reason": "sentence", "facility": "PLACEHOLDER-1"}
    term.act("jail", "jail.booked", at + HOUR, ("booking", "court"), booked, known_as=True)
    yield at + days * DAY - DAY
    yield from released(term, at + days * DAY + 14 * HOUR, "time_served")


def _order_ended(file: CaseFile, at: int) -> None:
    if "nco" not in file.refs:
        return
    file.act("crim", "nco.cancelled", at + 20 * MINUTE, ("court", "nco"), {"kind": "pretrial", "cause": "court"})
    file.act("reg", "order.cleared", file.then("reg entry", at + 20 * MINUTE), ("court", "nco"), {"file": "POF"})
    if file.pair.no_contact_order is file:
        file.pair.no_contact_order = None


def _sealed(file: CaseFile, at: int) -> None:
    if file.draws.chance(file.odds.sealed_after_dismissal):
        ordered_at = office(file.then("crim sealing", at))
        file.run.begin(ordered_at, _sealing(file, ordered_at))


def _sealing(file: CaseFile, at: int) -> Story:
    """Every agency carries out the order in its own systems, or forgets to."""
    order: dict[str, Any] = {
        "scope": "court_file",
        "action": "destroy" if file.draws.chance(file.odds.destroyed) else "seal",
        "statute": "609A.015",
        "effective_at": file.text(at),
        "apply_by": file.text(at + _SEALED_BY),
    }
    ordered = file.act("crim", "record.seal_ordered", at, ("court",), order)
    yield at
    for agency in Agency:
        if (applied_at := file.done("all sealing", at)) is not None:
            applied = {"order_event": ordered, "held_record": agency not in (Agency.VISIT, Agency.CPS, Agency.CIV)}
            file.act(agency.value, "record.seal_applied", applied_at, ("court",), applied)
