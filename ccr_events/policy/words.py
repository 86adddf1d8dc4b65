"""The kinds of words a policy document is written in: lines, roles, times of day, dates."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

MAX_PARTS = 64
"""Most entries of any other list."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\n]+$")]
"""One line of words."""
Prose = Annotated[str, StringConstraints(min_length=10, max_length=4000)]
RoleName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z' -]*[a-z]$")]
"""A role in lower case, such as `patrol sergeant`: never a worker's name or number."""
TypeName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z_]+\.[a-z_]+$")]
Mark = Literal["F", "K", "P"]
"""F found in a public source · K known, not verified here · P a proposal that local policy decides."""


class Part(BaseModel):
    """Base of every part of a document: immutable, no unknown words."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as America/Chicago") from None
    return name


def _clock(text: Any) -> Any:
    try:
        return time.fromisoformat(text) if isinstance(text, str) and len(text) == 5 else _no_clock()
    except ValueError:
        return _no_clock()


def _no_clock() -> Any:
    raise ValueError('must be a time of day in quotes, such as "16:30"')


def _whole_day(value: Any) -> Any:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("must be a date, such as 2026-01-01")
    return value


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


ClockTime = Annotated[time, BeforeValidator(_clock)]
Day = Annotated[date, BeforeValidator(_whole_day)]
ZoneName = Annotated[str, AfterValidator(_zone)]
Types = Annotated[tuple[TypeName, ...], BeforeValidator(_several), Field(min_length=1, max_length=MAX_PARTS)]
