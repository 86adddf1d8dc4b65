"""The call and the scene: dispatch, the report, the risk screen, the arrest or why there was none.

Source: points of intervention and protocol links 1-11, 28, 37 of the domain sheet.
"""

from __future__ import annotations

from typing import Any

from services.simulator.advocacy import refer
from services.simulator.casefile import CaseFile, Story
from services.simulator.custody import custody
from services.simulator.draws import DAY, HOUR, MINUTE, Draws, shares
from services.simulator.odds import Odds
from services.simulator.people import CHILDREN
from services.simulator.protection import protection
from services.simulator.violation import violation

_NATURES = shares(
    [("dv_in_progress", 0.62), ("threat", 0.14), ("hangup", 0.06), ("silent", 0.03), ("welfare", 0.05), ("other", 0.1)]
)
_CALLERS = shares([("victim", 0.6), ("third", 0.15), ("neighbor", 0.2), ("child", 0.05)])
_OFFENSES = shares([("13B", 0.55), ("13A", 0.12), ("13C", 0.18), ("290", 0.07), ("90J", 0.03), ("90Z", 0.05)])
_LEVELS = {"13A": "F", "13B": "M", "13C": "GM"}
_INJURIES = shares([("N", 0.45), ("M", 0.45), ("L", 0.04), ("B", 0.03), ("T", 0.01), ("O", 0.02)])
_NOT_ARRESTED = shares([("no_pc", 0.8), ("self_defense", 0.07), ("prosecutor_review", 0.13)])
_PATTERNS = ("ESCALATING_FREQUENCY", "ESCALATING_VIOLENCE", "THREATENED_TO_KILL", "USED_INTIMIDATION")
_SECOND_LINE = ("q4", "q5", "q6", "q7", "q8", "q9", "q10", "q11")
_SCREENED_IN_BY = 4
_SEARCHED = 72 * HOUR
_SCENE = ("cad", "incident")


def response(file: CaseFile, at: int) -> Story:
    """A call, from the first ring to the closed call; what follows is begun as stories of its own."""
    pair, odds, draws = file.pair, file.odds, file.draws
    again = pair.calls > 0
    pair.calls += 1
    file.opened("cad", at)
    order = pair.no_contact_order or pair.protection_order
    _received(file, at, again=again, order=order is not None)
    sent_at = file.then("psap dispatch", at)
    history_at = file.done("psap history", sent_at)
    dispatched: dict[str, Any] = {"unit_ids": [f"U{draws.whole(10, 69)}"]}
    if history_at is not None:
        dispatched["history_acknowledged"] = True
    file.act("psap", "call.dispatched", history_at or sent_at, ("cad",), dispatched)
    scene_at = file.then("psap arrival", history_at or sent_at)
    file.act("psap", "call.on_scene", scene_at, ("cad",), {"unit_ids": dispatched["unit_ids"]})
    clear_at = file.then("le clear", scene_at)
    pair.busy_until = clear_at + HOUR
    outcome = _outcome(odds, draws)
    yield scene_at
    if outcome in ("arrest", "goa", "report"):
        _scene(file, scene_at, clear_at, outcome, violated=order)
    closed: dict[str, Any] = {"disposition": outcome}
    if again:
        closed["premise_calls_90d"] = min(pair.calls - 1, 40)
    file.act("psap", "call.closed", clear_at, _SCENE, closed)


def _outcome(odds: Odds, draws: Draws) -> str:
    u = draws.random()
    for outcome, share in (
        ("arrest", odds.arrest),
        ("goa", odds.gone),
        ("report", odds.no_cause),
        ("advised", odds.advised),
        ("unfounded", odds.unfounded),
    ):
        if u < share:
            return outcome
        u -= share
    return "cancelled_by_caller"


def _received(file: CaseFile, at: int, *, again: bool, order: bool) -> None:
    draws, odds, pair = file.draws, file.odds, file.pair
    firearm = draws.chance(odds.firearm)
    data: dict[str, Any] = {
        "dv": "yes" if draws.chance(0.85) else "unknown",
        "nature": "op_violation" if order and draws.chance(0.5) else draws.pick(_NATURES),
        "priority": 1 if firearm else draws.whole(1, 3),
        "premise_history": again,
        "weapon_flag": firearm or draws.chance(odds.weapon),
        "firearm_flag": firearm,
        "order_in_effect": order,
        "caller_role": draws.pick(_CALLERS),
        "callback": pair.parties[1]["phone"],
        "address": pair.parties[1]["address"],
        "children_present": pair.children,
    }
    file.act("psap", "call.received", at, ("cad",), data, known_as=again and draws.chance(odds.known_at_call))


def _scene(file: CaseFile, at: int, clear_at: int, outcome: str, *, violated: CaseFile | None) -> None:
    pair, draws, odds = file.pair, file.draws, file.odds
    file.opened("incident", at)
    offense = draws.pick(_OFFENSES)
    file.told["charge"] = {"number": 1, "nibrs": offense, "level": _LEVELS.get(offense, "M")}
    dual = outcome == "arrest" and draws.chance(odds.dual_arrest)
    harmed = pair.children and draws.chance(odds.child_harm / CHILDREN)
    strangled = draws.chance(odds.strangulation)
    report: dict[str, Any] = {
        "dv": "yes",
        "offenses": [offense],
        "relationship": "VO" if dual else pair.relationship,
        "suspect_present": outcome != "goa",
        "ofp_in_effect": violated is not None,
        "injury": draws.pick(_INJURIES),
        "weapon": "85" if strangled else "40",
        "strangulation": strangled,
        "narrative": "Invented narrative of a report that nobody wrote.",
        "location": pair.parties[1]["address"],
    }
    if offense == "13A":
        report["circumstances"] = ["06"]
    if draws.chance(0.5):
        report["substances"] = ["A"]
    if draws.chance(0.6):
        report["pattern"] = [draws.one(_PATTERNS)]
    if pair.children:
        report["child_impact"] = ["CHILDREN_ABUSED_BY_SUBJECT" if harmed else "CHILDREN_PRESENT_DURING_INCIDENT"]
    incident = file.act("le", "incident.reported", at + 5 * MINUTE, _SCENE, report, people=True)
    if violated is not None:
        _order_violated(file, violated, at + 6 * MINUTE, in_custody=False)
    _screened(file, at, clear_at, incident)
    if (card_at := file.done("le rights card", at)) is not None:
        notices = {"notices": ["rights_card", "shelter_listing"], "channel": "in_person"}
        file.act("le", "victim.notice_given", card_at, _SCENE, notices)
    if harmed:
        _child_reported(file, at)
    if outcome == "arrest":
        arrested(file, file.then("le arrest", at), incident, dual=dual)
    elif outcome == "goa":
        file.run.begin(at, _searched(file, at, incident))
    else:
        file.act("le", "arrest.not_made", clear_at, _SCENE, {"dv": "yes", "reason": draws.pick(_NOT_ARRESTED)})
        if draws.chance(0.5) and (sent_at := file.done("le referral", at)) is not None:
            refer(file, "le", sent_at, "<24h", "incident", _SCENE)
    if pair.protection_order is None and draws.chance(odds.petition):
        petition_at = at + draws.whole(8 * HOUR, 9 * DAY)
        file.run.begin(petition_at, protection(CaseFile(file.run, pair), petition_at))


def _order_violated(file: CaseFile, order: CaseFile, at: int, *, in_custody: bool) -> None:
    """The report names the incident and the order that was violated, and draws both files together."""
    kind = "nco" if "nco" in order.refs else "ofp"
    file.refs["violated"] = order.refs[kind]
    data = {"dv": "yes", "pco_violated": ["05"], "probable_cause": True, "in_custody": in_custody}
    file.act("le", "order.violation_reported", at, ("incident", "violated"), data)
    under = file.pair.supervised_under
    if under is not None and (alleged_at := file.done("prob answer", at)) is not None:
        file.run.begin(alleged_at, violation(under, alleged_at, kind))


def _screened(file: CaseFile, at: int, clear_at: int, incident: str) -> None:
    screened_at = file.done("le risk", at)
    if screened_at is None:
        return
    draws, odds = file.draws, file.odds
    danger = draws.chance(odds.high_danger)
    data: dict[str, Any] = {"dv": "yes", "instrument": "LAP", "instrument_version": "2023"}
    by_belief = danger and draws.chance(odds.officer_belief)
    data["answers"] = lap_answers(draws, danger=danger and not by_belief)
    if by_belief:
        data["officer_belief"] = True
    data["result"] = "not_screened_in" if not danger else "screened_in_officer" if by_belief else "screened_in_protocol"
    called_at = file.done("le hotline", screened_at) if danger else None
    if called_at is not None:
        data["hotline_called_at"] = file.text(called_at)
    file.act("le", "risk.screened", screened_at, _SCENE, data, causes=incident)
    if called_at is not None:
        refer(file, "le", called_at, "scene", "high_danger", _SCENE)


def lap_answers(draws: Draws, *, danger: bool) -> dict[str, str]:
    """Answers that screen in, or do not, by the instrument's own rule (domain sheet 2.4)."""
    answers = {"q1": "no", "q2": "no", "q3": "no"}
    if danger and draws.chance(0.7):
        answers[f"q{draws.whole(1, 3)}"] = "yes"
        yes = draws.whole(1, len(_SECOND_LINE))
    else:
        yes = draws.whole(_SCREENED_IN_BY, len(_SECOND_LINE)) if danger else draws.whole(0, _SCREENED_IN_BY - 1)
    first = draws.whole(0, len(_SECOND_LINE) - 1)
    for place in range(len(_SECOND_LINE)):
        key = _SECOND_LINE[(first + place) % len(_SECOND_LINE)]
        answers[key] = "yes" if place < yes else "no"
    return answers


def _child_reported(file: CaseFile, at: int) -> None:
    for act, mode in (("le child report", "oral"), ("le child report in writing", "written")):
        if (told_at := file.done(act, at)) is not None:
            file.act("le", "child.report_made", told_at, ("incident",), {"mode": mode})


def arrested(file: CaseFile, at: int, incident: str, *, dual: bool = False) -> None:
    """An arrest, the call to the program, and the way to jail."""
    pair, draws = file.pair, file.draws
    charge = file.told["charge"]
    data: dict[str, Any] = {
        "dv": "yes",
        "arrest_type": "O",
        "charges": [charge],
        "probable_cause_at": file.text(at),
        "dual_arrest": dual,
        "narrative": "Invented narrative of an arrest that nobody made.",
    }
    file.act("le", "arrest.made", at, _SCENE, data, people=True, causes=incident)
    if (sent_at := file.done("le referral", at)) is not None:
        refer(file, "le", sent_at, "<2h", "arrest", _SCENE)
    if dual:
        _other_arrest(file, at + draws.whole(0, 10 * MINUTE), incident)
    pair.in_custody = True
    file.run.begin(at, custody(file, at))


def _other_arrest(file: CaseFile, at: int, incident: str) -> None:
    """The other person's arrest, looked at by a supervisor and a prosecutor, and declined."""
    suspect, victim = file.pair.parties
    reverse = [{**victim, "role": "suspect"}, {**suspect, "role": "victim"}]
    other = CaseFile(file.run, file.pair)
    other.refs["incident"] = file.refs["incident"]
    charge = {"number": 1, "nibrs": "13B", "level": "M"}
    data = {"dv": "yes", "arrest_type": "O", "charges": [charge], "dual_arrest": True, "parties": reverse}
    other.act("le", "arrest.made", at, ("incident",), data, causes=incident)
    booked_at = other.then("jail booking", at)
    other.opened("booking", booked_at)
    numbers = ("incident", "booking")
    booked = {"hold_reason": "probable_cause", "charges": [charge], "arrested_at": other.text(at)}
    other.act("jail", "jail.booked", booked_at, numbers, booked)
    if (reviewed_at := other.done("le dual review", at)) is not None:
        other.act("le", "arrest.reviewed", reviewed_at, ("incident",), {"finding": "one_predominant_aggressor"})
    if (reviewed_at := other.done("pros dual review", at)) is not None:
        other.act("pros", "arrest.reviewed", reviewed_at, ("incident",), {"finding": "self_defense"})
    declined_at = other.then("pros decision", booked_at)
    other.act("pros", "charge.declined", declined_at, numbers, {"reason": "interest_of_justice"})
    freed_at = declined_at + other.draws.whole(20 * MINUTE, 3 * HOUR)
    other.act("jail", "custody.released", freed_at, ("booking",), {"reason": "charges_declined"})


def _searched(file: CaseFile, at: int, incident: str) -> Story:
    """He had gone: the search, the warrant, and in part of the cases the arrest."""
    draws, odds = file.draws, file.odds
    gone = {"dv": "yes", "reason": "goa", "probable_cause": True, "goa_attempts": 1}
    file.act("le", "arrest.not_made", at + 10 * MINUTE, _SCENE, gone)
    if (sent_at := file.done("le referral", at)) is not None:
        refer(file, "le", sent_at, "<24h", "gone_on_arrival", _SCENE)
    if (sought_at := file.done("le search", at)) is not None:
        file.act("le", "suspect.sought", sought_at, ("incident",), {"status": "searching"})
    if draws.chance(odds.found_in_time):
        found_at = at + draws.whole(HOUR, _SEARCHED)
        yield found_at
        arrested(file, found_at, incident)
        return
    asked_at = file.done("le warrant request", at)
    if asked_at is None:
        return
    sought = {"status": "warrant_sought", "warrant_requested": True}
    file.act("le", "suspect.sought", asked_at, ("incident",), sought)
    issued_at = file.done("crim warrant", asked_at)
    if issued_at is None:
        return
    warrant = {"kind": "arrest", "warrant_no": f"W-{file.number('incident')}"}
    file.act("crim", "warrant.updated", issued_at, ("incident",), {"status": "active", **warrant})
    if not draws.chance(odds.warrant_served):
        return
    served_at = issued_at + draws.whole(DAY, 120 * DAY)
    yield served_at
    if not file.pair.in_custody:
        file.act("le", "warrant.updated", served_at, ("incident",), {"status": "served", **warrant})
        arrested(file, served_at, incident)
