"""Rows that could not be mapped, kept beside the file with the reasons: repair them and take that file in.

It holds what the rows hold, so only its owner may read it.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from services.adapters.csv.layout import Layout
from services.adapters.csv.reading import RejectedRow

SUFFIX = ".rejected.csv"
LINE_COLUMN = "ccr_line"
REASON_COLUMN = "ccr_reason"


def rejects_path(file: Path) -> Path:
    """Where the rejected rows of a file go."""
    return file.with_name(f"{file.name.removesuffix('.csv')}{SUFFIX}")


class Rejects:
    """Writes rejected rows; makes the file at the first one. Use as a context manager."""

    def __init__(self, path: Path, layout: Layout, *, go_on: int | None = None) -> None:
        """`go_on`: add to what an interrupted run has written, of which so many bytes were confirmed."""
        self.path = path
        self.count = 0
        self._layout = layout
        self._file: IO[str] | None = None
        if not go_on:
            path.unlink(missing_ok=True)
        elif path.exists() and path.stat().st_size > go_on:
            os.truncate(path, go_on)

    def __enter__(self) -> Rejects:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()

    def size(self) -> int:
        """Bytes written so far, by this run and the ones it continues."""
        if self._file is not None:
            self._file.flush()
        return self.path.stat().st_size if self.path.exists() else 0

    def add(self, row: RejectedRow) -> None:
        """Keep one row."""
        if self._file is None:
            self._file = self._opened()
        width = len(self._layout.header)
        cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
        self._writer().writerow([*cells, str(row.line), reasons(row.problems)])
        self.count += 1

    def flush(self) -> None:
        """Make durable what was added."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def _opened(self) -> IO[str]:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(descriptor, 0o600)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", newline="")
        if os.fstat(descriptor).st_size == 0:
            self._file.write("\ufeff")  # spreadsheets take a file without it for Windows-1252
            self._writer().writerow([*self._layout.header, LINE_COLUMN, REASON_COLUMN])
        return self._file

    def _writer(self) -> Any:
        return csv.writer(self._file, delimiter=self._layout.delimiter, quotechar=self._layout.quote)  # type: ignore[arg-type]


def reasons(problems: Sequence[tuple[str, str]]) -> str:
    """All that is wrong with a row, in one line."""
    return "; ".join(f"{column}: {message}" if column else message for column, message in problems)
