"""An order for protection, from the petition to its end.

Source: protocol links 22-27, 36, 38 and 39 of the domain sheet; times of hearings are configuration [K].
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from services.simulator.advocacy import refer
from services.simulator.casefile import CaseFile, Story, office
from services.simulator.draws import DAY, HOUR, MINUTE, shares
from services.simulator.orders import ORDER_TEXT, entered, firearms_ordered
from services.simulator.people import CHILDREN

_CODES = ["01", "04", "05"]
_MAX_ATTEMPTS = 5
_FAILURES = shares([("not_home", 0.5), ("moved", 0.2), ("evading", 0.25), ("bad_address", 0.05)])
_REMINDERS = (60, 30, 14)
"""Days before its end at which a petitioner who wants it is told how to extend [P]."""
_FAMILY = ("family",)
_ORDER = ("family", "ofp")


def protection(file: CaseFile, at: int) -> Story:
    """From the petition on."""
    draws, odds, pair = file.draws, file.odds, file.pair
    at = office(at)
    file.opened("family", at)
    beside = draws.chance(odds.advocate_beside)
    file.told["notices"] = draws.chance(odds.notice_wanted)
    petition: dict[str, Any] = {
        "dv": "yes",
        "relief": ["no_abuse", "no_contact", "stay_away"],
        "address_confidential": draws.chance(0.4),
        "advocate_with_petitioner": beside,
        "notice_opt_in": file.told["notices"],
        "facts": "Invented facts of an invented petition.",
    }
    if pair.children:
        petition["children"] = draws.whole(1, 3)
    file.act("civ", "ofp.petitioned", at, _FAMILY, petition, people=True)
    if not beside and (sent_at := file.done("civ referral", at)) is not None:
        refer(file, "civ", sent_at, "routine", "petition", _FAMILY)
    decided_at = office(file.then("civ ex parte", at))
    yield decided_at
    hearing_at = office(decided_at + draws.whole(7 * DAY, 14 * DAY))
    if not draws.chance(odds.ex_parte):
        denied = {"ex_parte": True, "hearing_at": file.text(hearing_at)}
        file.act("civ", "ofp.denied", decided_at, _FAMILY, denied)
        return
    file.opened("ofp", decided_at)
    pair.protection_order = file
    granted: dict[str, Any] = {
        "dv": "yes",
        "pco": _CODES,
        "full_text": ORDER_TEXT,
        "effective_at": file.text(decided_at),
        "hearing_at": file.text(hearing_at),
        "brady": False,
    }
    file.act("civ", "ofp.ex_parte_granted", decided_at, _ORDER, granted, known_as=True)
    scheduled = {"kind": "ofp", "at": file.text(hearing_at), "room": "4"}
    file.act("civ", "hearing.scheduled", decided_at + HOUR, _ORDER, scheduled)
    entered(file, "ofp", decided_at, _FAMILY)
    if draws.chance(odds.hearing_requested):
        asked_at = office(decided_at + draws.whole(DAY, 5 * DAY))
        file.act("civ", "ofp.hearing_requested", asked_at, _ORDER, {"requested_by": "respondent"})
    tried_at, served = yield from _served(file, decided_at, hearing_at)
    hearing_at = max(hearing_at, office(tried_at))
    yield hearing_at
    yield from _heard(file, hearing_at, served=served)


def _served(file: CaseFile, at: int, hearing_at: int) -> Generator[int, None, tuple[int, bool]]:
    """Attempts until it is served; a generator that returns when the last one was, and whether it is."""
    draws, odds = file.draws, file.odds
    paper = {"hearing_at": file.text(hearing_at)}
    tried_at = at
    for attempt in range(1, _MAX_ATTEMPTS + 1):
        tried_at = office(file.then("le service", tried_at), closes=21 * HOUR)
        yield tried_at
        service = {"method": "personal", "attempt_no": attempt, **paper}
        if not draws.chance(odds.service_fails):
            file.act("le", "ofp.served", tried_at, _ORDER, {**service, "served_at": file.text(tried_at)})
            if file.told["notices"] and (told_at := file.done("civ notice", tried_at)) is not None:
                _notice(file, told_at, "order_served")
            file.act("reg", "order.validated", file.then("reg entry", tried_at), _ORDER, {"file": "POF"})
            return tried_at, True
        failed = {**service, "failed_reason": draws.pick(_FAILURES)}
        file.act("le", "ofp.service_attempted", tried_at, _ORDER, failed)
        if attempt == 3 and (told_at := file.done("civ notice", tried_at)) is not None:
            _notice(file, office(told_at), "order_service_failed")
    return tried_at, False


def _heard(file: CaseFile, at: int, *, served: bool) -> Story:
    draws, odds, pair = file.draws, file.odds, file.pair
    if not served or not draws.chance(odds.granted):
        if served:
            file.act("civ", "ofp.hearing_held", at, _ORDER, {"findings": "not_found"})
        cause = "petitioner_request" if served and draws.chance(0.5) else "court"
        file.act("civ", "ofp.dismissed", at + HOUR, _ORDER, {"cause": cause})
        _cleared(file, at + HOUR)
        return
    findings = "agreed_without_finding" if draws.chance(0.4) else "abuse_found"
    file.act("civ", "ofp.hearing_held", at, _ORDER, {"findings": findings})
    years = draws.whole(1, 2)
    ends_at = at + years * 365 * DAY
    terms: dict[str, Any] = {"dv": "yes", "pco": _CODES, "full_text": ORDER_TEXT, "expires_at": file.text(ends_at)}
    file.act("civ", "ofp.granted", at + 30 * MINUTE, _ORDER, {**terms, "findings": findings}, known_as=True)
    entered(file, "ofp", at + 30 * MINUTE, _FAMILY)
    if draws.chance(odds.firearms):
        firearms_ordered(file, "civ", at + HOUR, _ORDER)
    if pair.children and draws.chance(odds.supervised_visits / CHILDREN):
        terms_at = at + 40 * MINUTE
        parenting = {"kind": "custody", "title": "Testperson and Testperson", "full_text": ORDER_TEXT}
        file.act("civ", "court.order_entered", terms_at, _FAMILY, parenting)
        _visits(file, at)
    if draws.chance(odds.modified):
        changed_at = office(at + draws.whole(30 * DAY, 200 * DAY))
        yield changed_at
        file.act("civ", "ofp.modified", changed_at, _ORDER, {**terms, "cause": "court"})
    extended = draws.chance(odds.extended)
    for days in _REMINDERS:
        told_at = office(ends_at - days * DAY)
        yield told_at
        if file.told["notices"] and file.done("civ notice", told_at) is not None:
            _notice(file, told_at, "order_expiring", days)
        if extended and days == _REMINDERS[-1]:
            ends_at += 365 * DAY
            longer = {**terms, "expires_at": file.text(ends_at), "cause": "petitioner_request"}
            file.act("civ", "ofp.extended", told_at + HOUR, _ORDER, longer)
    yield ends_at
    file.act("civ", "ofp.expired", ends_at, _ORDER, {"cause": "expiry"})
    _cleared(file, ends_at)


def _notice(file: CaseFile, at: int, notice: str, days: int | None = None) -> None:
    data: dict[str, Any] = {"notices": [notice], "channel": "text"}
    if days is not None:
        data["days_before"] = days
    file.act("civ", "victim.notice_given", at, _ORDER, data)


def _visits(file: CaseFile, at: int) -> None:
    if not file.draws.chance(file.odds.visit_incident):
        return
    incident_at = file.then("visit incident", at)
    file.act("visit", "visit.incident", incident_at, _ORDER, {"kind": "rule_broken"})
    file.act("visit", "visit.suspended", incident_at + DAY, _ORDER, {"cause": "safety"})


def _cleared(file: CaseFile, at: int) -> None:
    if file.pair.protection_order is file:
        file.pair.protection_order = None
    file.act("reg", "order.cleared", file.then("reg entry", at), _ORDER, {"file": "POF"})
