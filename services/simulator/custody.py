"""From the jail's door in to its door out: booking, the charging decision, the first appearance, the notice, release.

Source: protocol links 7, 11-20 and 40 of the domain sheet; the hold of 36 hours is configuration [K].
"""

from __future__ import annotations

from typing import Any

from services.simulator.casefile import CaseFile, Story, office
from services.simulator.court import prosecution
from services.simulator.draws import DAY, HOUR, MINUTE, shares
from services.simulator.orders import NO_CONTACT_CODES, ORDER_TEXT, entered

_HOLD = 36 * HOUR
NOTICE_AHEAD = 2 * HOUR
"""A release is announced at most so long before it."""
_REASONS = shares([("insufficient", 0.5), ("witness_unavailable", 0.3), ("interest_of_justice", 0.2)])
_RELEASES = shares([("bail", 0.55), ("ror", 0.35), ("court_order", 0.1)])
_MEDIA = shares([("phone", 0.6), ("letter", 0.15), ("visit", 0.1), ("third_party", 0.15)])
_BOOKED = ("incident", "booking")
_COURT = ("court", "incident", "booking")


def custody(file: CaseFile, at: int) -> Story:
    """`at`: the arrest."""
    draws, odds = file.draws, file.odds
    booked_at = file.then("jail booking", at)
    file.opened("booking", booked_at)
    booked: dict[str, Any] = {
        "dv": "yes",
        "hold_reason": "probable_cause",
        "charges": [file.told["charge"]],
        "arrested_at": file.text(at),
        "hold_expires_at": file.text(office(at + _HOLD)),
        "facility": "PLACEHOLDER-1",
    }
    asked_at = file.done("jail phone block", booked_at)
    if asked_at is not None:
        booked["victim_phone_block"] = draws.chance(0.6)
        booked_at = asked_at
    booking = file.act("jail", "jail.booked", booked_at, _BOOKED, booked, known_as=True)
    if draws.chance(odds.threat_in_custody):
        _threat(file, booked_at + draws.whole(HOUR, 20 * HOUR))
    if draws.chance(odds.transfer):
        moved_at = booked_at + draws.whole(4 * HOUR, 20 * HOUR)
        file.act("jail", "custody.transferred", moved_at, ("booking",), {"to_facility": "PLACEHOLDER-2"})
    if (bail_at := file.done("prob bail", booked_at)) is not None:
        _bail(file, bail_at, _BOOKED)
    decided_at = office(file.then("pros decision", at), closes=20 * HOUR)
    decided_at = max(decided_at, booked_at + HOUR)
    yield decided_at
    if not draws.chance(odds.charged):
        declined = {"reason": draws.pick(_REASONS), "counts": [file.told["charge"]]}
        file.act("pros", "charge.declined", decided_at, _BOOKED, declined, causes=booking)
        _told_of_decision(file, decided_at)
        yield from released(file, decided_at + draws.whole(NOTICE_AHEAD, 5 * HOUR), "charges_declined")
        return
    yield from _charged(file, decided_at)


def _charged(file: CaseFile, at: int) -> Story:
    draws, odds, pair = file.draws, file.odds, file.pair
    file.opened("court", at)
    counts = {"counts": [file.told["charge"]]}
    file.act("pros", "charge.filed", at, _COURT, {"dv": "yes", **counts}, known_as=True)
    opened_at = at + draws.whole(20 * MINUTE, 4 * HOUR)
    title = {"kind": "criminal", "title": "State v. Testperson", **counts}
    file.act("crim", "court.case_opened", opened_at, ("court", "incident"), title, known_as=True)
    heard_at = max(office(opened_at + draws.whole(2 * HOUR, 20 * HOUR)), opened_at + HOUR)
    hearing = {"kind": "first_appearance", "at": file.text(heard_at), "room": "1"}
    file.act("crim", "hearing.scheduled", opened_at + 5 * MINUTE, ("court", "booking"), hearing)
    if (bail_at := file.done("prob bail", opened_at)) is not None and bail_at < heard_at:
        _bail(file, bail_at, ("court", "booking"))
    yield heard_at
    file.act("crim", "hearing.held", heard_at, ("court",), dict(hearing))
    set_at = heard_at + 30 * MINUTE
    conditions: dict[str, Any] = {
        "dv": "yes",
        "conditions": ["no_contact", "no_firearm", "pretrial_sup"],
        "written_order_ref": f"CR-{file.number('court')}",
        "bail_cents": draws.whole(1, 20) * 100_000,
    }
    if draws.chance(odds.no_contact_order):
        file.opened("nco", set_at)
        pair.no_contact_order = file
        ordered = {
            "dv": "yes",
            "kind": "pretrial",
            "pco": list(NO_CONTACT_CODES),
            "full_text": ORDER_TEXT,
            "effective_at": file.text(set_at),
        }
        file.act("crim", "nco.issued", set_at, ("court", "nco"), ordered, known_as=True)
        entered(file, "nco", set_at, ("court",))
        conditions["conditions"] = ["no_firearm", "pretrial_sup"]
    file.act("crim", "release.conditions_set", set_at + 5 * MINUTE, ("court", "booking"), conditions)
    file.act("crim", "bail.updated", set_at + 10 * MINUTE, ("court", "booking"), {"status": "set"})
    if (told_at := file.done("pros notice", set_at)) is not None:
        notice = {"notices": ["release_conditions"], "channel": "phone"}
        file.act("pros", "victim.notice_given", told_at, ("court",), notice)
    if draws.chance(odds.review_hearing):
        _review(file, set_at)
    file.run.begin(set_at + DAY, prosecution(file, set_at + DAY))
    reason = draws.pick(_RELEASES)
    out_at = set_at + draws.whole(NOTICE_AHEAD, 30 * HOUR if reason == "ror" else 6 * DAY)
    if reason == "bail":
        yield out_at - NOTICE_AHEAD
        file.act("jail", "bail.updated", out_at - 90 * MINUTE, ("booking",), {"status": "posted"})
    yield from released(file, out_at, reason)


def released(file: CaseFile, at: int, reason: str) -> Story:
    """The release and the notice before it: `at`, at least `NOTICE_AHEAD` from now, is when he may walk out. He is out
    when the story ends."""
    draws, odds = file.draws, file.odds
    announced_at = at - draws.whole(15 * MINUTE, NOTICE_AHEAD)
    yield announced_at
    if draws.chance(odds.escape):
        file.act("jail", "custody.escaped", announced_at, ("booking",), {"facility": "PLACEHOLDER-1"})
        file.pair.in_custody = False
        return
    pending: dict[str, Any] = {"dv": "yes", "reason": reason, "earliest_at": file.text(at)}
    pending["victim_notice_requested"] = draws.chance(0.6)
    file.act("jail", "custody.release_pending", announced_at, _BOOKED, pending)
    told_at = file.done("jail notice", announced_at)
    reached = told_at is not None and draws.chance(odds.victim_reached)
    if told_at is not None:
        attempts = [{"at": file.text(told_at), "channel": "phone", "outcome": "reached" if reached else "no_answer"}]
        notified = {"reached": reached, "attempts_exhausted": not reached, "channel": "phone", "attempts": attempts}
        file.act("jail", "victim.release_notified", told_at, ("booking",), notified)
    out: dict[str, Any] = {"dv": "yes", "reason": reason}
    if draws.chance(0.8):
        out["victim_reached"] = reached and told_at is not None and told_at <= at
    file.act("jail", "custody.released", at, _BOOKED, out)
    if not out.get("victim_reached") and (checked_at := file.done("le welfare check", at)) is not None:
        found = "contact_made" if draws.chance(0.8) else "no_answer"
        file.act("le", "welfare_check.made", checked_at, ("incident", "booking"), {"dv": "yes", "outcome": found})
    yield at
    file.pair.in_custody = False


def _threat(file: CaseFile, at: int) -> None:
    threat = {"medium": file.draws.pick(_MEDIA), "summary": "Invented threat.", "sent_to_pros": False}
    first = file.act("jail", "jail.threat_recorded", at, _BOOKED, threat)
    if (sent_at := file.done("jail threat report", at)) is not None:
        file.act("jail", "jail.threat_recorded", sent_at, _BOOKED, {**threat, "sent_to_pros": True}, causes=first)


def _bail(file: CaseFile, at: int, kinds: tuple[str, ...]) -> None:
    data = {"tool": "invented pretrial scale", "recommendation": "release_with_conditions"}
    file.act("prob", "bail.evaluated", at, kinds, data)


def _told_of_decision(file: CaseFile, at: int) -> None:
    if (told_at := file.done("pros notice", at)) is not None:
        notice = {"notices": ["charge_decision"], "channel": "phone"}
        file.act("pros", "victim.notice_given", told_at, ("incident", "booking"), notice)


def _review(file: CaseFile, at: int) -> None:
    heard_at = office(at + file.draws.whole(2 * DAY, 9 * DAY))
    hearing = {"kind": "release_review", "at": file.text(heard_at)}
    file.act("crim", "hearing.scheduled", at + HOUR, ("court",), hearing)
    if (told_at := file.done("pros notice", at + HOUR)) is not None:
        notice = {"notices": ["hearing"], "channel": "phone"}
        file.act("pros", "victim.notice_given", told_at, ("court",), notice)
    file.act("crim", "hearing.held", heard_at, ("court",), dict(hearing))
