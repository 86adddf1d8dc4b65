"""A file of any size, row by row: never more in memory than one row, and a bad row costs no other.

`csv` reads one row from lines handed to it. A quote that is never closed would swallow the rest of the file; here a
row that grows beyond its bound is given up, named by the line it begins on, and reading goes on at the next line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from services.adapters.csv.layout import Layout

MAX_ROW = 1_000_000
"""Most bytes of one row, line ends inside quotes included."""
_CHUNK = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row."""

    line: int
    """Line of the file on which it begins, from 1: what a spreadsheet shows when no cell holds a line end."""
    cells: tuple[str, ...] = field(repr=False)
    end: int
    """Byte after it."""
    next_line: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that is no row, and why."""

    line: int
    why: str
    end: int
    next_line: int


class _GivenUp(Exception):
    """A row that cannot be read as one."""


class _Lines:
    """Lines of a file as text, counted; raises `_GivenUp` in the middle of a row that cannot be one."""

    def __init__(self, file: BinaryIO, encoding: str, start: int, line: int) -> None:
        self._file, self._encoding = file, encoding
        self.at, self.line = start, line
        self._row_start = start
        self.first_end = start
        self._first = True
        file.seek(start)

    def begin_row(self) -> None:
        self._row_start, self._first = self.at, True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = part = self._file.readline(MAX_ROW + 1)
        if not raw:
            raise StopIteration
        size = len(raw)
        while size > MAX_ROW and not part.endswith(b"\n"):  # pass over the rest of a line that is far too long
            part = self._file.readline(_CHUNK)
            size += len(part)
            if not part:
                break
        self.at += size
        self.line += 1
        if self._first:
            self.first_end, self._first = self.at, False
        if self.at - self._row_start > MAX_ROW:
            raise _GivenUp(f"is longer than {MAX_ROW:,} bytes: is a quote not closed?")
        try:
            return raw.decode(self._encoding)
        except UnicodeDecodeError:
            raise _GivenUp(f"is not encoded in {self._encoding}: give the file's `encoding` in the mapping") from None


def read_rows(
    file: BinaryIO, layout: Layout, start: int | None = None, line: int | None = None
) -> Iterator[Row | BadRow]:
    """Every row from a place between two rows on; by default from the first. Rows without any text are left out."""
    csv.field_size_limit(MAX_ROW)  # one limit for the whole process; rows are bounded by it as well
    at = layout.start if start is None else start
    number = layout.line if line is None else line
    while True:
        lines = _Lines(file, layout.encoding, at, number)
        reader = csv.reader(lines, delimiter=layout.delimiter, quotechar=layout.quote, strict=True)
        while True:
            begins = lines.line
            lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (_GivenUp, csv.Error) as error:
                why = str(error) if isinstance(error, _GivenUp) else _words(error)
                at, number = lines.first_end, begins + 1
                yield BadRow(begins, why, at, number)
                break
            if any(cell.strip() for cell in cells):
                yield Row(begins, tuple(cells), lines.at, lines.line)


def _words(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "has a quote that is never closed"
    if "expected after" in text:
        return "has a quote in the middle of a cell: double it, or give the `quote` of the mapping"
    if "NUL" in text:
        return "holds a NUL character"
    return "is not readable as a row: check the file's `delimiter` and `quote` in the mapping"
