"""Named conversions from a document's text to a value of the contract. The tables name them, the documentation too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from zoneinfo import ZoneInfo

from ccr_events.codes.courts import CourtCaseKind, CourtOrderKind, HearingKind
from ccr_events.codes.custody import ReleaseReason
from ccr_events.types.order_terms import MAX_CENTS
from services.adapters.niem import code_tables
from services.adapters.niem.code_tables import plain
from services.adapters.niem.times import calendar_date, moment

Value = str | int | bool

MAX_CODE = 64
MAX_SHORT = 500
MAX_LONG = 50_000
"""Bounds of the contract's `Code`, `ShortText` and `LongText`."""

_REFUSALS = ("refused", "refuse", "rejected", "declined", "no")
_NOT_IN_CODES = re.compile(r"[^\w.:/ -]+")


@dataclass(frozen=True, slots=True)
class Converted:
    """A value of the contract, and what had to be assumed to have it."""

    value: Value
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """One way to read a text."""

    name: str
    says: str
    """What it takes and gives, for the documentation."""
    convert: Callable[[str, ZoneInfo], Converted | None]
    """None when the text cannot be read so."""


def _text(limit: int) -> Callable[[str, ZoneInfo], Converted | None]:
    def convert(text: str, _: ZoneInfo) -> Converted | None:
        return Converted(text[:limit], "is longer than the contract allows: cut" if len(text) > limit else "")

    return convert


def code_of(text: str) -> Converted | None:
    """A number or short code: characters the contract does not allow become a hyphen."""
    value = _NOT_IN_CODES.sub("-", text).strip("- ")
    if not value or len(value) > MAX_CODE:
        return None
    return Converted(value, "" if value == text else "has characters that a code may not have: written with hyphens")


def _instant(text: str, zone: ZoneInfo) -> Converted | None:
    found = moment(text, zone)
    return None if found is None else Converted(found.at.isoformat(), found.assumed)


def _date(text: str, zone: ZoneInfo) -> Converted | None:
    found: date | None = calendar_date(text)
    if found is None:
        try:
            found = datetime.fromisoformat(text).date()
        except ValueError:
            return None
    return Converted(found.isoformat())


def _yes_no(text: str, _: ZoneInfo) -> Converted | None:
    known = {"true": True, "1": True, "yes": True, "y": True, "false": False, "0": False, "no": False, "n": False}
    value = known.get(text.casefold())
    return None if value is None else Converted(value)


def _count(text: str, _: ZoneInfo) -> Converted | None:
    return Converted(int(text)) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _cents(text: str, _: ZoneInfo) -> Converted | None:
    try:
        cents = Decimal(text.replace(",", "").lstrip("$")) * 100
    except InvalidOperation:
        return None
    if not cents.is_finite() or not 0 <= cents <= MAX_CENTS:
        return None
    return Converted(int(cents), "" if cents == int(cents) else "has fractions of a cent: left off")


def _paid(text: str, zone: ZoneInfo) -> Converted | None:
    found = _cents(text, zone)
    return found if found is not None and found.value else None


def _coded(table: Mapping[str, StrEnum]) -> Callable[[str, ZoneInfo], Converted | None]:
    def convert(text: str, _: ZoneInfo) -> Converted | None:
        found = table.get(plain(text)) or table.get(plain(text.partition("_")[0]))
        return None if found is None else Converted(found.value)

    return convert


def _level(text: str, _: ZoneInfo) -> Converted | None:
    words = plain(text)
    found = code_tables.LEVELS.get(words) or code_tables.LEVELS.get(re.sub(r"\s*\d+[a-z]?$", "", words))
    return None if found is None else Converted(found.value)


def _phrased(
    phrases: Sequence[tuple[str, StrEnum]], otherwise: StrEnum | None
) -> Callable[[str, ZoneInfo], Converted | None]:
    def convert(text: str, _: ZoneInfo) -> Converted | None:
        words = f" {plain(text)} "
        found = next((code for phrase, code in phrases if f" {phrase} " in words), None)
        if found is not None:
            return Converted(found.value)
        return None if otherwise is None else Converted(otherwise.value, f"has words not in the table: {otherwise}")

    return convert


CODE = Conversion("code", "a number or short code; other characters become hyphens", lambda text, _: code_of(text))
SHORT = Conversion("short text", f"text, at most {MAX_SHORT} characters", _text(MAX_SHORT))
LONG = Conversion("long text", f"text, at most {MAX_LONG:,} characters", _text(MAX_LONG))
TIME = Conversion("time", "an instant; without offset in the county's zone, a date at its first instant", _instant)
DATE = Conversion("date", "a calendar date", _date)
YES_NO = Conversion("yes or no", "true, false, 1, 0, yes, no", _yes_no)
COUNT = Conversion("count", "a whole number of at most four digits", _count)
CENTS = Conversion("money", "an amount in dollars, to cents", _cents)
PAID = Conversion("paid", "an amount of more than nothing", _paid)
NIBRS = Conversion("NIBRS offense", "code, or N-DEx or NIEM words, to the NIBRS code", _coded(code_tables.OFFENSES))
RELATIONSHIP = Conversion(
    "NIBRS relationship", "code or N-DEx words to the NIBRS relationship", _coded(code_tables.RELATIONSHIPS)
)
INJURY = Conversion("NIBRS injury", "code or NIEM words to the NIBRS injury", _coded(code_tables.INJURIES))
WEAPON = Conversion("NIBRS weapon", "code or words to the NIBRS weapon", _coded(code_tables.WEAPONS))
LEVEL = Conversion(
    "charge level", "felony, gross misdemeanor, misdemeanor, petty misdemeanor; a class is left off", _level
)
ROLE = Conversion("role", "words for a person's part in the incident", _coded(code_tables.ROLES))
HOLD = Conversion("hold reason", "arrest category, warrant", _coded(code_tables.HOLDS))
RELEASE = Conversion(
    "release reason",
    "phrases in the reason; `other` when none is known",
    _phrased(code_tables.RELEASES, ReleaseReason.OTHER),
)
ORDER = Conversion(
    "order kind",
    "phrases in the order's document type [P]; `other` when none is known",
    _phrased(code_tables.ORDERS, CourtOrderKind.OTHER),
)
HEARING = Conversion(
    "hearing kind",
    "phrases in the court event's type; `other` when none is known",
    _phrased(code_tables.HEARINGS, HearingKind.OTHER),
)
BAIL_STATUS = Conversion("bail status", "phrases in the bond's status", _phrased(code_tables.BAIL, None))
COURT_FILE = Conversion(
    "court file kind",
    "phrases in the case type; `criminal` when none is known, since the exchange is the criminal court's",
    lambda text, zone: _phrased(code_tables.COURT_FILES, None)(text, zone) or Converted(CourtCaseKind.CRIMINAL.value),
)
SCREENING = Conversion(
    "screening decision",
    "`refused` for refused, rejected, declined, no true bill; `accepted` for anything else",
    lambda text, _: Converted("refused" if any(w in plain(text).split() for w in _REFUSALS) else "accepted"),
)
PCO = Conversion(
    "NCIC condition",
    "PCO code 01 to 09, with or without the leading zero",
    lambda text, _: (
        Converted(text.zfill(2)) if text.isdigit() and text.zfill(2) in {f"0{n}" for n in range(1, 10)} else None
    ),
)

CONVERSIONS = (
    CODE, SHORT, LONG, TIME, DATE, YES_NO, COUNT, CENTS, PAID, NIBRS, RELATIONSHIP, INJURY, WEAPON, LEVEL, ROLE, HOLD,
    RELEASE, ORDER, HEARING, BAIL_STATUS, COURT_FILE, SCREENING, PCO,
)  # fmt: skip
"""Every conversion a table may name."""
