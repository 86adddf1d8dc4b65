"""One written link → one `Rule` of the core, with everything that is wrong with it in the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from ccr_events.core.rules import LadderStep, Owing, Rule, Satisfier
from ccr_events.policy.calendars import LocalCalendar, has_holidays, public_holidays
from ccr_events.policy.compiled import Compiled, Place, any_stirred
from ccr_events.policy.conditions import compile_condition
from ccr_events.policy.deadlines import Deadline, Setting, compile_deadline
from ccr_events.policy.document import Document
from ccr_events.policy.link_rules import SAFE_CONTACT, check_link, too_early
from ccr_events.policy.problems import Report
from ccr_events.policy.vocabulary import Vocabulary
from ccr_events.policy.written_link import Act, NoLadder, NoWaiver, WrittenLink, groups


@dataclass(frozen=True, slots=True)
class CompiledLink:
    """A rule beside the words it was written in."""

    rule: Rule
    """Its `edition` is empty: the same compiled link serves every edition its document is part of."""
    written: WrittenLink
    document: Document
    when: Compiled | None
    reset_by: Compiled | None
    due_words: str
    acts: tuple[tuple[Act, Satisfier, Compiled | None], ...] = field(repr=False)
    """Every act the link names: as written, as compiled, and its condition."""


def calendar_of(document: Document, report: Report) -> LocalCalendar | None:
    """The document's local calendar; None, with the reason in the report, when its holidays are not known."""
    where = document.jurisdiction
    if not has_holidays(where.country, where.subdivision):
        place = "subdivision" if has_holidays(where.country, None) else "country"
        report.at("jurisdiction", place).say(
            f"the holidays of {where.country} {where.subdivision or ''} are not known".replace("  ", " "),
            "use codes of ISO 3166-2, such as country: US, subdivision: MN",
        )
        return None
    # The first look at a country's holidays takes 0.4 s: take it here and not when a deadline is computed.
    public_holidays(where.country, where.subdivision, document.effective.year)
    local = document.local
    return LocalCalendar(
        ZoneInfo(where.timezone),
        where.country,
        where.subdivision,
        frozenset(local.court_closures),
        local.court_day_ends,
        tuple(sorted(local.shifts)),
    )


def compile_links(document: Document, vocabulary: Vocabulary, report: Report) -> tuple[CompiledLink, ...]:
    """Every link of a document that is right; what is wrong with the others is in the report."""
    calendar = calendar_of(document, report)
    if calendar is None:
        return ()
    compiled = []
    for n, link in enumerate(document.links):
        place = report.at("links", n)
        before = len(report.findings)
        found = _compile(link, document, vocabulary, calendar, place)
        check_link(link, document, vocabulary, place)
        if found is not None and len(report.findings) == before:
            compiled.append(found)
    return tuple(compiled)


def _compile(
    link: WrittenLink, document: Document, vocabulary: Vocabulary, calendar: LocalCalendar, report: Report
) -> CompiledLink | None:
    trigger = link.trigger
    known = [vocabulary.known(name, report.at("trigger", "type")) for name in trigger.type]
    acts = _Acts(vocabulary)
    satisfied_by = tuple(
        acts.compiled(group, report.at("satisfied_by", *(("all", g) if len(groups(link)) > 1 else ())))
        for g, group in enumerate(groups(link))
    )
    acknowledged_by = acts.compiled(link.acknowledged_by, report.at("acknowledged_by"))
    pulled_by = acts.compiled(link.due_at_once_on, report.at("due_at_once_on"))
    if None in known:
        return None
    place = Place(vocabulary, trigger.type, is_trigger=True)
    when = _optional(trigger.when, place, report.at("trigger", "when"))
    reset_by = _optional(trigger.reset_by, place, report.at("trigger", "reset_by"))
    if trigger.reset_by is not None and trigger.count == 1:
        report.at("trigger", "reset_by").say("there is no count to set back", "add  count:")
    setting = Setting(vocabulary, trigger.type, calendar, when.ensures if when else frozenset())
    deadline = compile_deadline(link.due, setting, report.at("due"))
    if deadline is None:
        return None
    _check_warnings(link, deadline, report)
    judging = [condition for condition in (when, reset_by) if condition is not None]
    rule = Rule(
        key=link.key,
        edition="",
        title=link.title,
        trigger_types=frozenset(trigger.type),
        when=when.test if when else None,
        count=trigger.count,
        consecutive_reset=reset_by.test if reset_by else None,
        owing=tuple(Owing(role.agency.value, role.role) for role in link.owed_by),
        urgency=link.urgency,
        due=deadline.due,
        pulled_by=pulled_by,
        satisfied_by=satisfied_by,
        acknowledged_by=acknowledged_by,
        ladder=_ladder(link),
        waivers=frozenset((w.agency.value, w.role) for w in link.may_waive if not isinstance(w, NoWaiver)),
        action=f"{link.action} {SAFE_CONTACT}" if link.victim_contact else link.action,
        asks=frozenset().union(*(asked.mentions for asked in judging)),
        asks_later=frozenset().union(*(asked.later for asked in judging)),
        stirred=any_stirred(judging),
        acts_ask=acts.asked,
        remind_every=document.local.remind_every.elapsed,
    )
    return CompiledLink(rule, link, document, when, reset_by, deadline.words, tuple(acts.found))


@dataclass(slots=True)
class _Acts:
    """Compiles the acts of a link and remembers them."""

    vocabulary: Vocabulary
    found: list[tuple[Act, Satisfier, Compiled | None]] = field(default_factory=list)
    asked: frozenset[str] = frozenset()
    """Event types that conditions on acts look at besides the act."""

    def compiled(self, acts: Sequence[Act], report: Report) -> tuple[Satisfier, ...]:
        compiled = []
        for n, act in enumerate(acts):
            condition = None
            if act.type in self.vocabulary.types:
                place = Place(self.vocabulary, (act.type,), is_trigger=False)
                condition = _optional(act.when, place, report.at(n, "when"))
            satisfier = Satisfier(
                type=act.type,
                when=condition.test if condition else None,
                same=tuple(kind.value for kind in act.same),
                look_back=act.look_back.elapsed if act.look_back else timedelta(0),
                by_owing_agency=act.by == "owing",
            )
            compiled.append(satisfier)
            self.found.append((act, satisfier, condition))
            self.asked |= condition.mentions if condition else frozenset()
        return tuple(compiled)


def _optional(raw: object, place: Place, report: Report) -> Compiled | None:
    return None if raw is None else compile_condition(raw, place, report)


def _ladder(link: WrittenLink) -> tuple[LadderStep, ...]:
    if isinstance(link.escalate, NoLadder):
        return ()
    return tuple(LadderStep(r.after.elapsed, r.to.agency.value, r.to.role) for r in link.escalate)


def _check_warnings(link: WrittenLink, deadline: Deadline, report: Report) -> None:
    if isinstance(link.escalate, NoLadder):
        return
    for n, rung in enumerate(link.escalate):
        if too_early(rung, deadline.shortest):
            report.at("escalate", n, "after").say(
                f"would warn before the clock has started: the act is due {deadline.words}", "warn later"
            )
