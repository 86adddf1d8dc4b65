"""A small set of compiled rules that between them use every feature the core offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from ccr_events.core.model import Fact
from ccr_events.core.plan import plan_of
from ccr_events.core.rules import Facts, LadderStep, Owing, Plan, Rule, Satisfier

T0 = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fact(
    number: int,
    type_: str,
    hours: float = 0,
    *,
    agency: str = "le",
    edition: str = "e1",
    corrects: int | None = None,
    late: float = 0,
    case_id: str = "case-1",
    refs: tuple[tuple[str, str], ...] = (),
    **data: object,
) -> Fact:
    """One invented fact `hours` after T0, recorded `late` hours afterwards."""
    at = T0 + timedelta(hours=hours)
    if refs:
        data["references"] = [{"kind": kind, "number": n} for kind, n in refs]
    return Fact(
        id=event_id(number),
        type=type_,
        agency=agency,
        case_id=case_id,
        occurred_at=at,
        recorded_at=at + timedelta(hours=late),
        edition=edition,
        data=data,
        corrects=None if corrects is None else event_id(corrects),
    )


def event_id(number: int) -> str:
    """A readable UUID."""
    return f"00000000-0000-4000-8000-{number:012d}"


def satisfier(type_: str, **more: object) -> Satisfier:
    """A satisfier with the usual defaults."""
    defaults: dict[str, object] = {
        "when": None,
        "same": (),
        "look_back": timedelta(0),
        "by_owing_agency": False,
    }
    return Satisfier(type=type_, **{**defaults, **more})  # type: ignore[arg-type]


def rule(
    key: str, trigger: str, satisfied_by: Sequence[Sequence[Satisfier]], edition: str = "e1", **more: object
) -> Rule:
    """A rule with the usual defaults: due 4 h after its trigger, a sergeant, then the tracking entity."""
    defaults: dict[str, object] = {
        "title": key,
        "trigger_types": frozenset({trigger}),
        "when": None,
        "count": 1,
        "consecutive_reset": None,
        "owing": (Owing("le", "officer"),),
        "urgency": "immediate",
        "due": lambda f: f.occurred_at + 4 * HOUR,
        "pulled_by": (),
        "satisfied_by": tuple(tuple(g) for g in satisfied_by),
        "acknowledged_by": (),
        "ladder": (LadderStep(timedelta(0), "le", "sergeant"), LadderStep(2 * HOUR, "ccr", "coordinator")),
        "waivers": frozenset({("le", "sergeant")}),
        "action": "Do what is owed.",
    }
    return Rule(key=key, edition=edition, **{**defaults, **more})  # type: ignore[arg-type]


@dataclass(frozen=True)
class OneEdition:
    """Implements `Edition`."""

    id: str
    rules: tuple[Rule, ...]

    @property
    def by_trigger(self) -> Mapping[str, Sequence[Rule]]:
        found: dict[str, list[Rule]] = {}
        for r in self.rules:
            for t in r.trigger_types:
                found.setdefault(t, []).append(r)
        return found

    @cached_property
    def plan(self) -> Plan:
        return plan_of(self.rules)

    def rule(self, key: str) -> Rule:
        return next(r for r in self.rules if r.key == key)


@dataclass(frozen=True)
class Book:
    """Implements `Policies`."""

    editions: Mapping[str, OneEdition] = field(default_factory=dict)

    def edition(self, edition_id: str) -> OneEdition:
        return self.editions[edition_id]


def _on_probation(_: Fact, facts: Facts) -> bool:
    return bool(facts.of_type("probation.opened"))


def _rules(edition: str, due_hours: float) -> tuple[Rule, ...]:
    return (
        rule(
            "R1",
            "arrest.made",
            [[satisfier("jail.booked", same=("incident_no",)), satisfier("link.completed", by_owing_agency=True)]],
            edition,
            when=lambda f, _: f.data.get("dv") == "yes",
            due=lambda f: f.occurred_at + due_hours * HOUR,
            acknowledged_by=(satisfier("call.closed"),),
        ),
        rule(
            "R2",
            "arrest.made",
            [[satisfier("risk.screened", look_back=2 * HOUR)], [satisfier("referral.advocacy_accepted")]],
            edition,
            owing=(Owing("le", "officer"), Owing("adv", "on call")),
        ),
        rule(
            "R3",
            "jail.booked",
            [[satisfier("victim.release_notified")]],
            edition,
            pulled_by=(satisfier("custody.released"),),
            due=lambda f: f.occurred_at + 48 * HOUR,
            ladder=(LadderStep(-6 * HOUR, "le", "commander"), LadderStep(HOUR, "ccr", "coordinator")),
        ),
        rule(
            "R4",
            "order.violation_reported",
            [[satisfier("link.acknowledged", by_owing_agency=True)]],
            edition,
            when=_on_probation,
            asks=frozenset({"probation.opened"}),
            asks_later=frozenset({"probation.opened"}),
        ),
        rule(
            "R5",
            "bip.session_recorded",
            [[satisfier("violation.alleged")]],
            edition,
            when=lambda f, _: f.data.get("present") is False,
            count=2,
            consecutive_reset=lambda f, _: f.data.get("present") is True,
            ladder=(),
        ),
    )


BOOK = Book({"e1": OneEdition("e1", _rules("e1", 4)), "e2": OneEdition("e2", _rules("e2", 1))})
"""Two editions that differ in R1's deadline."""
