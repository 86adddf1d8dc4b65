"""Deadlines as a policy writer writes them, compiled to pure functions of the triggering fact.

    due: {within: 24 h}                                   # hours elapse; days keep the local time of day
    due: {within: 36 h, from: arrested_at, not_counting: [trigger_day, sundays, holidays]}
    due: {immediate: true, act_within: 15 min}            # act at once; silence is noticed after this
    due: {before: earliest_at, lead: 1 h, otherwise: {within: 30 min}}
    due: {on: expires_at, lead: 60 d}                     # by the end of the court day on that date
    due: {business_days: 2}                               # end of the second court day after the trigger's
    due: {shift_end: true}
    due: {earliest: [{within: 24 h}, {before: hearing_at, lead: 5 d}]}

An act is never due before its trigger occurred: what would be is due at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from ccr_events.core.model import Fact
from ccr_events.core.rules import DueTime
from ccr_events.policy.calendars import SKIPPED, LocalCalendar
from ccr_events.policy.condition_values import instant_of
from ccr_events.policy.problems import Report, listed, nearest
from ccr_events.policy.spans import ZERO, Span
from ccr_events.policy.vocabulary import Kind, Vocabulary
from ccr_events.policy.written_link import Due

FORMS = ("within", "immediate", "before", "on", "business_days", "shift_end", "earliest")
"""A deadline has exactly one of these words."""
MAX_COUNTED = timedelta(days=365)
"""Longest length whose count may leave days out."""
MAX_DAYS_KEPT = 1_000
"""Days whose court deadline is kept: a walk through the calendar takes as long as the rest of a link."""

_GOES_WITH = {
    "within": {"start", "not_counting"},
    "immediate": {"act_within"},
    "before": {"lead", "otherwise"},
    "on": {"lead", "otherwise"},
    "business_days": set[str](),
    "shift_end": set[str](),
    "earliest": set[str](),
}
_Instant = Callable[[Fact], datetime | None]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline that can be computed and said in words."""

    due: DueTime
    words: str
    always: bool
    """Whether every trigger has one."""
    shortest: timedelta | None
    """The time there is to act, where the deadline alone says it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What deadlines are computed from: the contract, the trigger, the local calendar."""

    vocabulary: Vocabulary
    types: tuple[str, ...]
    calendar: LocalCalendar
    ensured: frozenset[str]
    """Fields that the rule's condition makes sure of."""


def compile_deadline(due: Due, setting: Setting, report: Report) -> Deadline | None:
    """The deadline; None, with the reasons in the report, when it cannot be computed for every trigger."""
    found = _form(due, setting, report)
    if found is None:
        return None
    if not found.always:
        report.say(
            "the field may be missing, and then the act would never be due",
            "add  otherwise: {within: ...}  or require the field under trigger with  {present: true}",
        )
        return None
    compute = found.due

    def never_before_the_trigger(trigger: Fact) -> datetime | None:
        at = compute(trigger)
        return None if at is None else max(at, trigger.occurred_at)

    return Deadline(never_before_the_trigger, found.words, True, found.shortest)


def _form(due: Due, setting: Setting, report: Report) -> Deadline | None:
    forms = [word for word in FORMS if getattr(due, word) is not None]
    if len(forms) != 1:
        report.say(f"a deadline needs exactly one of {', '.join(FORMS)}", f"found: {listed(forms) or 'none'}")
        return None
    form = forms[0]
    stray = {n for n in due.model_fields_set if n not in _GOES_WITH[form] and n != form}
    for name in sorted(stray):
        word = "from" if name == "start" else name
        report.at(word).say(f"{word} does not go with {form}", f"leave it out; see docs/policies.md on {form}")
    return None if stray else _COMPILED[form](due, setting, report)


def _within(due: Due, setting: Setting, report: Report) -> Deadline | None:
    length = due.within
    assert length is not None  # noqa: S101  # the form was found by this word
    if not _worth_waiting(length, report.at("within")):
        return None
    calendar, leaving_out = setting.calendar, frozenset(due.not_counting)
    unknown = leaving_out - SKIPPED
    for word in sorted(unknown):
        report.at("not_counting").say(
            f"{word} cannot be left out", nearest(word, SKIPPED) or f"one of {listed(SKIPPED)}"
        )
    if leaving_out and length.elapsed > MAX_COUNTED:
        report.at("within").say(f"a count that leaves days out is at most {MAX_COUNTED.days} days")
        return None
    start = _field(due.start, setting, report.at("from")) if due.start else _trigger_time
    if unknown or start is None:
        return None

    def compute(trigger: Fact) -> datetime:
        since = start(trigger) or trigger.occurred_at
        if leaving_out:
            return calendar.counted(since, length.elapsed, leaving_out)
        return _later(since, length, calendar)

    words = f"within {length}" + (f" of {due.start}" if due.start else "")
    words += f", not counting {', '.join(due.not_counting).replace('_', ' ')}" if leaving_out else ""
    return Deadline(compute, words, True, None if due.start or leaving_out else length.elapsed)


def _immediate(due: Due, setting: Setting, report: Report) -> Deadline | None:
    if due.act_within is None:
        report.say("how soon silence is noticed is missing", "add  act_within: 15 min")
        return None
    length, calendar = due.act_within, setting.calendar
    if not _worth_waiting(length, report.at("act_within")):
        return None
    words = f"at once; silence is noticed after {length}"
    return Deadline(lambda trigger: _later(trigger.occurred_at, length, calendar), words, True, length.elapsed)


def _before(due: Due, setting: Setting, report: Report) -> Deadline | None:
    lead, calendar = due.lead or ZERO, setting.calendar
    said = f"{lead} before {due.before}" if lead.number else f"before {due.before}"
    return _by_field(
        "before", due, said, setting, report, lambda at: _later(at, Span(-lead.number, lead.unit), calendar)
    )


def _on(due: Due, setting: Setting, report: Report) -> Deadline | None:
    lead, calendar = due.lead or ZERO, setting.calendar
    if lead.unit != "d" and lead.number:
        report.at("lead").say("the lead of a date is counted in days", "write it as  30 d")
        return None

    def compute(at: datetime) -> datetime:
        return calendar.end_of_court_day(calendar.local_day(at) - timedelta(days=lead.number))

    said = f"on the day {lead} before {due.on}" if lead.number else f"on the day of {due.on}"
    return _by_field("on", due, said, setting, report, compute)


def _by_field(
    word: str,
    due: Due,
    said: str,
    setting: Setting,
    report: Report,
    compute: Callable[[datetime], datetime],
) -> Deadline | None:
    name: str = getattr(due, word)
    at = _field(name, setting, report.at(word))
    instead = _form(due.otherwise, setting, report.at("otherwise")) if due.otherwise else None
    if at is None or (due.otherwise and instead is None):
        return None

    def of_field(trigger: Fact) -> datetime | None:
        value = at(trigger)
        if value is not None:
            return compute(value)
        return instead.due(trigger) if instead else None

    field = setting.vocabulary.field(setting.types, name, Report())
    sure = name in setting.ensured or (field is not None and field.required)
    words = f"{said}, or {instead.words} when that is not known" if instead else said
    return Deadline(of_field, words, sure or (instead is not None and instead.always), None)


def _business_days(due: Due, setting: Setting, report: Report) -> Deadline | None:
    number, calendar = due.business_days, setting.calendar
    assert number is not None  # noqa: S101  # the form was found by this word
    words = f"by the end of the {'next' if number == 1 else f'{number}th'} court day"
    words = words.replace("2th", "2nd").replace("3th", "3rd") if number in (2, 3) else words
    end = lru_cache(MAX_DAYS_KEPT)(lambda day: calendar.court_days_after(day, number))
    return Deadline(lambda trigger: end(calendar.local_day(trigger.occurred_at)), words, True, None)


def _shift_end(due: Due, setting: Setting, report: Report) -> Deadline | None:
    calendar = setting.calendar
    return Deadline(lambda trigger: calendar.shift_end(trigger.occurred_at), "before the shift ends", True, None)


def _earliest(due: Due, setting: Setting, report: Report) -> Deadline | None:
    found = [_form(each, setting, report.at("earliest", n)) for n, each in enumerate(due.earliest or ())]
    parts = [deadline for deadline in found if deadline is not None]
    if len(parts) < len(found):
        return None
    computes = tuple(part.due for part in parts)

    def compute(trigger: Fact) -> datetime | None:
        return min((at for each in computes if (at := each(trigger)) is not None), default=None)

    words = "whichever is first: " + "; ".join(part.words for part in parts)
    return Deadline(compute, words, any(part.always for part in parts), None)


_COMPILED = {
    "within": _within,
    "immediate": _immediate,
    "before": _before,
    "on": _on,
    "business_days": _business_days,
    "shift_end": _shift_end,
    "earliest": _earliest,
}


def _field(name: str, setting: Setting, report: Report) -> _Instant | None:
    """How to read an instant of the trigger."""
    field = setting.vocabulary.field(setting.types, name, report)
    if field is None:
        return None
    if field.kind is not Kind.INSTANT or any(field.many) or len(field.path) > 1:
        report.say(f"{name} is no instant, so nothing can be due by it", f"it is {field.kind.value}")
        return None

    def read(trigger: Fact) -> datetime | None:
        value = trigger.data.get(name)
        return None if value is None else instant_of(value)

    return read


def _trigger_time(trigger: Fact) -> datetime:
    return trigger.occurred_at


def _later(at: datetime, length: Span, calendar: LocalCalendar) -> datetime:
    """Hours and minutes elapse; days keep the local time of day."""
    return calendar.days_from(at, length.number) if length.unit == "d" else at + length.elapsed


def _worth_waiting(length: Span, report: Report) -> bool:
    if length.number > 0:
        return True
    report.say("leaves no time to act", "write a length above zero")
    return False
