"""A file of any size, row by row: a bad row costs no other, and reading can go on anywhere between two rows."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.adapters.csv import rows
from services.adapters.csv.layout import Layout
from services.adapters.csv.rows import BadRow, Row, read_rows

LAYOUT = Layout("utf-8", ",", '"', ("a", "b"), 0, 1)
CELLS = st.text(st.characters(exclude_characters="\r\x00", codec="utf-8"), max_size=8)


def read(content: bytes, start: int | None = None, line: int | None = None) -> list[Row | BadRow]:
    return list(read_rows(BytesIO(content), LAYOUT, start, line))


def test_a_quote_that_is_never_closed_costs_its_own_row_only() -> None:
    found = read(b'1,x\n2,"open\n3,y\n4,z\n')
    assert [(row.line, getattr(row, "cells", None)) for row in found] == [
        (1, ("1", "x")),
        (2, None),
        (3, ("3", "y")),
        (4, ("4", "z")),
    ]
    assert isinstance(found[1], BadRow)
    assert found[1].why == "has a quote that is never closed"


def test_a_row_beyond_its_bound_is_given_up_without_being_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROW", 50)
    monkeypatch.setattr(rows, "_CHUNK", 30)
    content = b"1," + b"x" * 400 + b'\n2,y\n3,"' + b"z\n" * 40 + b"4,w\n"
    found = read(content)
    assert [row.line for row in found if isinstance(row, BadRow)] == [1, 3]
    cells = [row.cells for row in found if isinstance(row, Row)]
    assert cells[0] == ("2", "y")
    assert cells[-1] == ("4", "w")


def test_lines_inside_quotes_belong_to_the_row_and_are_counted() -> None:
    found = read(b'1,"a\nb"\n\n2,c\n')
    assert [(row.line, row.next_line) for row in found] == [(1, 3), (4, 5)]


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6), st.data())
def test_reading_goes_on_after_any_row(table: list[tuple[str, str]], data: st.DataObject) -> None:
    content = "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n" for cells in table
    ).encode()
    whole = read(content)
    assert [row.cells for row in whole if isinstance(row, Row)] == [
        cells for cells in table if any(cell.strip() for cell in cells)
    ]
    if whole:
        n = data.draw(st.integers(0, len(whole) - 1))
        assert read(content, whole[n].end, whole[n].next_line) == whole[n + 1 :]


def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "large.csv"
    line = b"1," + b"x" * 998 + b"\n"
    with path.open("wb") as file:
        for _ in range(20):
            file.write(line * 1_000)
    tracemalloc.start()
    with path.open("rb") as file:
        assert sum(1 for _ in read_rows(file, LAYOUT)) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
