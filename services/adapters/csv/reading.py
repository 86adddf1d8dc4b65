"""The door of the adapter: a table to events, one row at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from ccr_events.core.ids import derived, is_reserved
from ccr_events.envelope import Event
from services.adapters.csv.cells import CellProblem, exact, plain, word
from services.adapters.csv.clock import NoTime
from services.adapters.csv.compiled import Plan, compiled, named_by_mapping
from services.adapters.csv.layout import Layout, TableError, column_name, read_layout
from services.adapters.csv.mapping import Mapping
from services.adapters.csv.payload import Told, data_of
from services.adapters.csv.rows import BadRow, Row, read_rows

__all__ = ["MappedRow", "ReadRow", "RejectedRow", "SkippedRow", "Table", "TableError", "Told", "open_table"]


@dataclass(frozen=True, slots=True)
class MappedRow:
    """A row that tells an event."""

    line: int
    """Line of the file on which it begins."""
    event: Event = field(repr=False)
    """Under the id of the row, whatever it says by now: `Ledger` knows whether it is another version."""
    cells: tuple[str, ...] = field(repr=False)
    end: int
    """Byte after the row."""
    next_line: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that tells no event because something is wrong with it."""

    line: int
    problems: tuple[tuple[str, str], ...]
    """(column, or empty for the whole row; message). No value of the row."""
    cells: tuple[str, ...] = field(repr=False)
    """What the row holds, for the file of rejects; empty when it could not be taken apart."""
    end: int
    next_line: int


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that the mapping leaves out."""

    line: int
    end: int
    next_line: int


ReadRow = MappedRow | RejectedRow | SkippedRow


class Table:
    """One open file and its mapping; a context manager that closes it."""

    def __init__(self, file: BinaryIO, mapping: Mapping) -> None:
        """Raises `TableError`."""
        self.mapping = mapping
        self.layout: Layout = read_layout(file, mapping.file, named_by_mapping(mapping))
        self.told = Told()
        self._file = file
        self._plan: Plan = compiled(mapping, self.layout.header)
        self._empty = frozenset(word(text) for text in mapping.file.empty_words)
        self._header = tuple(map(column_name, self.layout.header))
        self._source = mapping.source or f"/{mapping.agency.value}/csv/{mapping.mapping}"

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def rows(self, start: int | None = None, line: int | None = None) -> Iterator[ReadRow]:
        """Every row, in order; from a place (`end`, `next_line` of the row before) on."""
        for row in read_rows(self._file, self.layout, start, line):
            if isinstance(row, BadRow):
                yield RejectedRow(row.line, (("", row.why),), (), row.end, row.next_line)
            else:
                yield self._read(row)

    def _read(self, row: Row) -> ReadRow:
        cells = row.cells + ("",) * (len(self._header) - len(row.cells))
        if any(cell.strip() for cell in cells[len(self._header) :]):
            return _rejected(row, [("", "has more cells than the header has columns: is a delimiter not quoted?")])
        if self._is_header(cells) or self._skipped(cells):
            return SkippedRow(row.line, row.end, row.next_line)
        problems: list[tuple[str, str]] = []
        name = self._type(cells, problems)
        if name is None:
            return _rejected(row, problems) if problems else SkippedRow(row.line, row.end, row.next_line)
        plan = self._plan.types[name]
        data, wrong = data_of(cells, plan, self._empty, self.told)
        event_id = self._id(cells, name, problems)
        corrects = self._uuid(cells, self._plan.corrects, problems)
        at = self._occurred_at(cells, problems)
        problems += wrong
        if problems or at is None:
            return _rejected(row, problems)
        event = Event(
            id=event_id,
            source=self._source,
            type=name,
            occurred_at=at,
            data=data,
            schema_version=plan.type.version,
            corrects=corrects,
        )
        return MappedRow(row.line, event, row.cells, row.end, row.next_line)

    def _is_header(self, cells: Sequence[str]) -> bool:
        """Whether it is the header once more: exports are sometimes put together."""
        return cells[0].strip() == self.layout.header[0] and tuple(map(column_name, cells)) == self._header

    def _skipped(self, cells: Sequence[str]) -> bool:
        for skip, place, words in self._plan.skips:
            text = plain(cells[place], self._empty)
            asked, wanted = (
                (text == "", skip.empty) if skip.empty is not None else (word(text) in words, bool(skip.is_))
            )
            if asked is wanted:
                return True
        return False

    def _type(self, cells: Sequence[str], problems: list[tuple[str, str]]) -> str | None:
        chosen = self._plan.type_of(cells)
        if chosen is None:
            return self._plan.chosen[""]
        said = word(plain(chosen, self._empty))
        if said in self._plan.chosen:
            return self._plan.chosen[said]
        column = self._plan.type_column
        problems.append((column, "holds a word for which no event type is given" if said else "is empty"))
        if said:
            self.told.unknown(column, chosen.strip())
        return None

    def _id(self, cells: Sequence[str], name: str, problems: list[tuple[str, str]]) -> str:
        if self._plan.id is not None:
            if not plain(cells[self._plan.id[1]], self._empty):
                return self._missing(self._plan.id[0], problems)
            return self._uuid(cells, self._plan.id, problems) or ""
        key = []
        for column, place in self._plan.key:
            text = plain(cells[place], self._empty)
            if not text:
                return self._missing(column, problems)
            try:
                key.append(exact(text))
            except CellProblem as error:
                problems.append((column, str(error)))
        return derived("csv", self.mapping.agency.value, self.mapping.mapping, name, *key)

    def _missing(self, column: str, problems: list[tuple[str, str]]) -> str:
        problems.append((column, "is empty, and says which row this is"))
        return ""

    def _uuid(self, cells: Sequence[str], at: tuple[str, int] | None, problems: list[tuple[str, str]]) -> str | None:
        text = "" if at is None else plain(cells[at[1]], self._empty)
        if at is None or not text:
            return None
        try:
            found = str(UUID(text))
        except ValueError:
            found = ""
        if not found or is_reserved(found):
            problems.append((at[0], "must be a UUID, of another version than 8"))
        return found or None

    def _occurred_at(self, cells: Sequence[str], problems: list[tuple[str, str]]) -> datetime | None:
        column = self._plan.occurred[0][0]
        texts = [plain(cells[place], self._empty) for _, place in self._plan.occurred]
        if not all(texts):
            empty = next(name for (name, _), text in zip(self._plan.occurred, texts, strict=True) if not text)
            problems.append((empty, "is empty: it says when the act happened"))
            return None
        try:
            at, assumed = self._plan.wall.instant(" ".join(texts), self.mapping.occurred_at.format)
        except NoTime as error:
            problems.append((column, str(error)))
            return None
        if assumed:
            self.told.assumed[column, assumed] += 1
        return at


def open_table(path: Path, mapping: Mapping) -> Table:
    """The table in a file, open until it is closed; raises `TableError` or `OSError`."""
    file = path.open("rb")
    try:
        return Table(file, mapping)
    except BaseException:
        file.close()
        raise


def _rejected(row: Row, problems: Sequence[tuple[str, str]]) -> RejectedRow:
    return RejectedRow(row.line, tuple(dict.fromkeys(problems)), row.cells, row.end, row.next_line)
