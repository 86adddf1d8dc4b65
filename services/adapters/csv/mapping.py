"""A mapping as written: which column of an agency's table becomes which field of which event."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StringConstraints, model_validator

from ccr_events.agencies import Agency
from ccr_events.envelope.attributes import MAX_SOURCE, SOURCE
from ccr_events.policy.words import Part, ZoneName

MAX_FIELDS = 500
"""Most fields of one mapping."""
MAX_WORDS = 2_000
"""Most words of one code table."""
MAX_COLUMNS = 64
"""Most columns that one field is read from."""
MAX_SKIPS = 32
MAX_FORMATS = 8

Column = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\n]+$")]
"""Name of a column in the header row; upper or lower case and spaces do not matter. `Charge#2`: the second of that
name."""
Constant = StrictBool | StrictInt | Annotated[str, StringConstraints(max_length=500)]
TypeName = Annotated[str, StringConstraints(max_length=64)]
Format = Annotated[str, StringConstraints(min_length=2, max_length=64)]
"""In the letters of Python's `strptime`, such as `%m/%d/%Y %H:%M`; `excel` for a spreadsheet's day numbers."""
Words = Annotated[dict[str, Constant | None], Field(max_length=MAX_WORDS)]
"""The agency's word → ours; null: the word says nothing, as an empty cell does."""


def _column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Formats = Annotated[tuple[Format, ...], BeforeValidator(_several), Field(max_length=MAX_FORMATS)]
Columns = Annotated[tuple[Column, ...], BeforeValidator(_several), Field(min_length=1, max_length=MAX_COLUMNS)]


class Reading(Part):
    """Where one field comes from: a column, several, or the same value in every row."""

    column: Column | None = None
    columns: Columns | None = None
    """For a field with `[*]`: an entry of the list from each that is not empty. Otherwise: joined with spaces."""
    value: Constant | None = None
    default: Constant | None = None
    """When the cell is empty."""
    codes: str | Words | None = None
    """A table of words, or the name of one under `codes`."""
    split: Annotated[str, StringConstraints(min_length=1, max_length=3)] | None = None
    """What parts several entries in one cell."""
    format: Formats = ()
    required: StrictBool = False
    """An empty cell is a fault of the row."""

    @model_validator(mode="after")
    def _one_source(self) -> Reading:
        if sum(given is not None for given in (self.column, self.columns, self.value)) != 1:
            raise ValueError("needs exactly one of: column, columns, value")
        return self


AnyReading = Annotated[Reading, BeforeValidator(_column)]


class Moment(Part):
    """When the act happened."""

    columns: Columns = Field(alias="column")
    """One column, or date and time of day apart."""
    format: Formats = ()
    """The first that fits; without one, ISO 8601 (2026-03-01 22:15, with or without an offset)."""


class TypeByColumn(Part):
    """The event type depends on a word in the row."""

    column: Column
    codes: Annotated[dict[str, TypeName | None], Field(min_length=1, max_length=MAX_WORDS)]
    """The agency's word → event type; null: such rows tell no event."""


class Skip(Part):
    """Rows that tell no event."""

    column: Column
    is_: Annotated[tuple[str, ...], BeforeValidator(_several), Field(max_length=MAX_WORDS)] = Field((), alias="is")
    is_not: Annotated[tuple[str, ...], BeforeValidator(_several), Field(max_length=MAX_WORDS)] = ()
    empty: StrictBool | None = None
    """True: rows whose cell is empty; false: rows whose cell is not."""

    @model_validator(mode="after")
    def _one_test(self) -> Skip:
        if sum((bool(self.is_), bool(self.is_not), self.empty is not None)) != 1:
            raise ValueError("needs exactly one of: is, is_not, empty")
        return self


class File(Part):
    """How the file is written."""

    encoding: Annotated[str, StringConstraints(max_length=32)] = "auto"
    delimiter: Literal["auto", ",", ";", "|", "tab"] = "auto"
    quote: Annotated[str, StringConstraints(min_length=1, max_length=1)] = '"'
    header_line: Annotated[StrictInt, Field(ge=1, le=100)] = 1
    """Line of the file that names the columns."""
    empty_words: Annotated[tuple[str, ...], Field(max_length=MAX_SKIPS)] = ()
    """Words that mean an empty cell, such as NULL."""


class Mapping(Part):
    """One table's mapping."""

    mapping: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    """Name of the table; part of every event's identity, so it stays as it is."""
    agency: Agency
    source: Annotated[str, StringConstraints(min_length=1, max_length=MAX_SOURCE, pattern=f"^{SOURCE}$")] | None = None
    """CloudEvents source; made from agency and name when left out."""
    timezone: ZoneName
    ambiguous: Literal["earlier", "later", "refuse"] = "earlier"
    """A time in the hour that comes twice when clocks go back."""
    file: File = File()
    type: TypeName | TypeByColumn
    key: Columns
    """Columns that together name a row once and for all."""
    id: Column | None = None
    """Column of the event's own UUID, where the agency's system gives one."""
    corrects: Column | None = None
    """Column of the id of the event that a row corrects."""
    occurred_at: Moment
    skip: Annotated[tuple[Skip, ...], Field(max_length=MAX_SKIPS)] = ()
    by_name: StrictBool = False
    """Columns that are called like a field (`charges[0].nibrs`) are read into it without being listed."""
    fields: Annotated[dict[str, AnyReading], Field(max_length=MAX_FIELDS)] = Field(default_factory=dict)
    codes: Annotated[dict[str, Words], Field(max_length=MAX_COLUMNS)] = Field(default_factory=dict)
    """Tables of words that several fields use."""
