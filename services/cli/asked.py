"""What commands about indicators are asked: the time, the window, the small-cell rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.monitor.indicators.case import Window

SMALLEST_CELL = 6
"""Fewest of anything that is told, unless local policy decides otherwise; a test holds it to the monitor's own."""

Since = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Only acts that occurred from this time on; a day alone: its start."),
]
Until = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Only acts that occurred until then; a day alone: its end.")
]
SmallestCell = Annotated[
    int,
    typer.Option(
        "--smallest-cell",
        min=1,
        metavar="N",
        help="Counts below N are shown as <N, so that nobody is recognized. Local policy decides. 1 shows all.",
    ),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """As typed."""

    as_of: str
    since: str | None
    until: str | None
    smallest: int
    names: tuple[str, ...]

    def window(self) -> Window:
        """As instants; raises `Refused`."""
        from services.cli.moments import moment, past_moment
        from services.cli.refused import Refused
        from services.monitor.indicators.case import Window

        now = datetime.now(UTC)
        as_of = past_moment(self.as_of, now)
        since = None if self.since is None else moment(self.since, now)
        until = None if self.until is None else moment(self.until, now, end_of_day=True)
        if since is not None and until is not None and since >= until:
            raise Refused("--from must be before --to")
        return Window(since, until, as_of)
