"""Instants as whole microseconds since 1970, UTC: how records and the local file hold them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """An aware instant as a number; negative before 1970."""
    return (at - _START) // _MICROSECOND


def instant(number: int) -> datetime:
    """The instant of `microseconds`."""
    return _START + timedelta(microseconds=number)
