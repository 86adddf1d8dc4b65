"""How practitioners answer the protocol links they owe: in time, late, after a supervisor has heard, or never.

Pure: from a transition of a link to the answers it will bring, with the times at which they are given. The draws hang
on the link alone, so the answers do not depend on the order in which transitions are shown.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ccr_events.core.ids import answer_event_id
from ccr_events.core.model import Link, Transition, TransitionKind
from ccr_events.core.rules import Policies, Rule
from ccr_events.envelope import Event
from services.simulator.conduct import Answering, Profile
from services.simulator.draws import Draws
from services.simulator.report import Report

ACKNOWLEDGED = "link.acknowledged"
COMPLETED = "link.completed"
WAIVED = "link.waived"
ADVOCACY = "adv"
"""Says who goes, and gives no reason for a waiver: a reason can tell whether help was used."""
_SOURCE = "/ccr/answers"
_KINDS = {ACKNOWLEDGED: "acknowledged", COMPLETED: "completed", WAIVED: "waived"}
_ALL_FAIL = 0.95
"""Highest share of answers that never come, however strained a county is."""
_FIRST_ANSWER = 0.4
"""An act that takes a while is first confirmed, after this share of the time [P]."""


class Desks:
    """Everybody who answers. Holds no state: ask it about every transition, in any order."""

    def __init__(self, policies: Policies, answering: Answering, profile: Profile, seed: int) -> None:
        """`policies`: the written policies that say what an answer is."""
        self._policies = policies
        self._profile = profile
        self._takes = {urgency: delay.scaled(profile.pace) for urgency, delay in answering.takes.items()}
        self._answering = answering
        self._missed = min(_ALL_FAIL, answering.missed * profile.missed)
        self._seed = seed

    def answers(self, transition: Transition, heard_at: datetime) -> list[Report]:
        """What comes of a transition that was heard at `heard_at` (aware UTC), in order of time; mostly nothing.

        An opened link is answered by who owes it, unless it is missed; a missed one may be answered once an escalation
        is heard. Whoever sends the answers looks first whether the link still waits for them.
        """
        link, kind = transition.link, transition.kind
        if link.state.ended or kind not in (TransitionKind.OPENED, TransitionKind.ESCALATED, TransitionKind.REOPENED):
            return []
        draws = Draws("answer", self._seed, link.id, kind.value, transition.step)
        if kind is TransitionKind.ESCALATED:
            if not draws.chance(self._answering.answered_when_escalated):
                return []
        elif draws.chance(self._missed):
            return []
        rule = self._policies.edition(link.edition).rule(link.rule)
        takes = self._takes.get(rule.urgency) or self._takes["routine"]
        at = heard_at + timedelta(seconds=1 + draws.seconds(takes))
        escalated = kind is TransitionKind.ESCALATED
        if rule.waivers and draws.chance(self._answering.let_go_late if escalated else self._answering.waived):
            agency, role = min(rule.waivers)
            reason = "done_otherwise" if escalated else "not_applicable"
            return [_said(WAIVED, link, agency, role, at, reason="other" if agency == ADVOCACY else reason)]
        return self._done(rule, link, heard_at, at)

    def _done(self, rule: Rule, link: Link, heard_at: datetime, at: datetime) -> list[Report]:
        accepted = {one.type for group in rule.satisfied_by for one in group}
        status = "on_call_assigned" if link.agency == ADVOCACY else "received"
        if ACKNOWLEDGED in accepted and any(
            one.type == ACKNOWLEDGED and one.by_owing_agency for group in rule.satisfied_by for one in group
        ):
            return [_said(ACKNOWLEDGED, link, link.agency, link.role, at, status=status)]
        said = []
        if link.acknowledged_at is None:
            first_at = heard_at + (at - heard_at) * _FIRST_ANSWER
            said.append(_said(ACKNOWLEDGED, link, link.agency, link.role, first_at, status="received"))
        if accepted == {COMPLETED} or (COMPLETED in accepted and ACKNOWLEDGED in accepted):
            said.append(_said(COMPLETED, link, link.agency, link.role, at, outcome="done"))
        return said


def _said(type_: str, link: Link, agency: str, role: str, at: datetime, **fields: str) -> Report:
    event = Event(
        id=answer_event_id(_KINDS[type_], link.id, agency, role),
        source=_SOURCE,
        type=type_,
        occurred_at=at,
        data={**fields, "link_id": link.id, "role": role},
        case_id=link.case_id,
        causation_id=link.trigger_id,
    )
    return Report(at, agency, event)
