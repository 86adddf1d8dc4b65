"""The text of a cell to the value of a field, or why not: never quoting the cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

from ccr_events.placeholders import is_placeholder
from services.adapters.csv.clock import NoTime, Wall, calendar_day
from services.adapters.csv.fields import Leaf

Note = Callable[[str], None]
"""Is told what had to be assumed."""
Convert = Callable[[str, Note], Any]
"""A cell's text to a JSON value; None: it says nothing. Raises `CellProblem`."""

MAX_LISTED = 40
"""Most allowed words listed in one message."""
YES = frozenset({"yes", "y", "true", "t", "1", "x"})
NO = frozenset({"no", "n", "false", "f", "0"})
SPREADSHEET_ERRORS = frozenset({"#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!"})
_FORMULA = re.compile(r'="(.*)"')
_MARKED = re.compile(r"'[0-9=+@-]")
"""How a spreadsheet marks that a number is text; a name may begin with an apostrophe."""
_CUT = re.compile(r"[+-]?\d(?:[.,]\d+)?E[+-]?\d{1,3}", re.IGNORECASE)
_WHOLE = re.compile(r"([+-]?\d{1,15})(?:[.,]0+)?")


class CellProblem(ValueError):
    """A cell that cannot become its field; the text names rules and allowed words, never the cell."""


class UnknownWord(CellProblem):
    """A word that a code table does not have."""


def plain(cell: str, empty_words: frozenset[str]) -> str:
    """A cell without what spreadsheets put around it; empty when it only says that there is nothing."""
    text = cell.strip()
    if _MARKED.match(text):
        text = text[1:]
    elif found := _FORMULA.fullmatch(text):
        text = found[1].strip()
    return "" if is_placeholder(text) or text.casefold() in empty_words else text


def word(text: str) -> str:
    """A word as code tables compare it: case and the number of spaces do not matter."""
    return " ".join(text.split()).casefold()


def exact(text: str) -> str:
    """A number or text that a spreadsheet has not spoilt: two cases would meet under one cut number."""
    if _CUT.fullmatch(text):
        raise CellProblem("was cut by a spreadsheet (scientific notation): format the column as text and export again")
    if text.startswith("####") or text.casefold() in SPREADSHEET_ERRORS:
        raise CellProblem("holds an error of a spreadsheet instead of a value")
    return text


def converter(leaf: Leaf, formats: tuple[str, ...], table: Mapping[str, Any] | None, wall: Wall) -> Convert:
    """How cells of a field are read. `table`: `word` → value."""
    by_kind = _by_kind(leaf.kind, formats, wall)
    if table is None:
        return by_kind

    def by_table(text: str, _: Note) -> Any:
        try:
            return table[word(text)]
        except KeyError:
            raise UnknownWord("holds a word that its code table does not have") from None

    return by_table


def constant(leaf: Leaf, value: Any) -> Any:
    """A value of a mapping as the field takes it; raises `CellProblem`."""
    kind = leaf.kind
    if issubclass(kind, Enum):
        allowed = [str(member.value) for member in kind]
        if str(value) not in allowed:
            raise CellProblem(f"must be one of: {_listed(allowed)}")
        return str(value)
    if kind is bool or kind is int:
        if type(value) is not kind:
            raise CellProblem("must be true or false" if kind is bool else "must be a whole number")
        return value
    if not isinstance(value, str):
        raise CellProblem("must be text: put it in quotes")
    return value


def _by_kind(kind: type, formats: tuple[str, ...], wall: Wall) -> Convert:
    if issubclass(kind, Enum):
        return _enumeration(kind)
    if kind is bool:
        return _flag
    if kind is int:
        return _number
    if issubclass(kind, datetime) or kind.__name__ == "AwareDatetime":
        return _instant(formats, wall)
    if issubclass(kind, date):
        return _day(formats)
    return lambda text, _: exact(text)


def _enumeration(kind: type[Enum]) -> Convert:
    values = [str(member.value) for member in kind]
    known = {word(value): value for value in values} | {word(value.replace("_", " ")): value for value in values}

    def convert(text: str, _: Note) -> Any:
        try:
            return known[word(text)]
        except KeyError:
            raise UnknownWord(f"must be one of: {_listed(values)}; or give its words in `codes`") from None

    return convert


def _flag(text: str, _: Note) -> bool:
    said = word(text)
    if said in YES:
        return True
    if said in NO:
        return False
    raise UnknownWord("must be yes or no; or give its words in `codes`")


def _number(text: str, _: Note) -> int:
    found = _WHOLE.fullmatch(exact(text))
    if found is None:
        raise CellProblem("must be a whole number")
    return int(found[1])


def _instant(formats: tuple[str, ...], wall: Wall) -> Convert:
    def convert(text: str, note: Note) -> str:
        try:
            at, assumed = wall.instant(text, formats)
        except NoTime as error:
            raise CellProblem(str(error)) from None
        if assumed:
            note(assumed)
        return at.isoformat().replace("+00:00", "Z")

    return convert


def _day(formats: tuple[str, ...]) -> Convert:
    def convert(text: str, _: Note) -> str:
        try:
            return calendar_day(text, formats).isoformat()
        except NoTime as error:
            raise CellProblem(str(error)) from None

    return convert


def _listed(values: list[str]) -> str:
    more = f" … ({len(values)} in all)" if len(values) > MAX_LISTED else ""
    return ", ".join(values[:MAX_LISTED]) + more
