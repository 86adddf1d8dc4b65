"""How commands speak: plain sentences and tables to people, one line of JSON to programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 200
"""Columns when the output is no terminal, so that a table in a file is not cut."""


def console(*, stderr: bool = False) -> Console:
    """Where to draw; markup in the data means nothing."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDE
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


def json_line(value: Any) -> None:
    """One line of JSON on standard output, at once."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """A sentence for a person."""
    console().print(text, soft_wrap=True)


def warn(text: str) -> None:
    """A sentence on standard error."""
    console(stderr=True).print(text, soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, none: str) -> None:
    """A table; `none` is said when it has no rows."""
    drawn = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*row)
    if drawn.row_count:
        console().print(drawn)
    else:
        say(none)


def pairs(rows: Iterable[tuple[str, str | Text]]) -> None:
    """Names and values, one pair a line."""
    drawn = Table(box=None, pad_edge=False, show_header=False)
    drawn.add_column(style="bold")
    drawn.add_column(overflow="fold")
    for name, value in rows:
        drawn.add_row(name, value)
    console().print(drawn)
