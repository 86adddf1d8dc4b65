"""How a file is written: its encoding, what parts its columns, where its columns are.

The delimiter is the one under which the header holds most of the columns that the mapping wants. Guessing it from the
data, as `csv.Sniffer` and clevercsv do, has to guess; here it is known what must be found.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from services.adapters.csv.mapping import File

SAMPLE_BYTES = 1_000_000
"""Read to tell the encoding."""
MAX_COLUMNS = 2_000
"""Most columns of a table."""
MAX_HEADER_BYTES = 200_000
DELIMITERS = (",", ";", "\t", "|")
_BOM = codecs.BOM_UTF8
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WESTERN = "windows-1252"


class TableError(ValueError):
    """A file that cannot be read as the mapping's table. Names what the mapping wants, nothing that the file holds."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one file is written."""

    encoding: str
    delimiter: str
    quote: str
    header: tuple[str, ...]
    """Columns as the file names them."""
    start: int
    """Byte at which the first row begins."""
    line: int
    """Line at which the first row begins, from 1."""
    guessed: str = ""
    """What had to be guessed, in words."""


def known_encoding(name: str) -> bool:
    """Whether files in this encoding are read: those in which a line ends with one byte."""
    if name == "auto":
        return True
    try:
        return "\n".encode(codecs.lookup(name).name) in (b"\n", _BOM + b"\n")
    except (LookupError, ValueError):
        return False


def column_name(text: str) -> str:
    """A column's name as it is compared: case and spaces do not matter."""
    return "".join(text.split()).casefold()


def read_layout(file: BinaryIO, written: File, wanted: Iterable[str]) -> Layout:
    """The layout of a file at its beginning; `wanted`: columns of the mapping. Raises `TableError`."""
    file.seek(0)
    sample = file.read(SAMPLE_BYTES)
    if sample.startswith(_WIDE):
        raise TableError('is encoded in UTF-16: save it as "CSV UTF-8"')
    skipped = len(_BOM) if sample.startswith(_BOM) else 0
    encoding, guessed = _encoding(written.encoding, sample, cut=len(sample) == SAMPLE_BYTES)
    file.seek(skipped)
    raw = b""
    for number in range(1, written.header_line + 1):
        raw = file.readline(MAX_HEADER_BYTES + 1)
        if len(raw) > MAX_HEADER_BYTES:
            raise TableError(f"has a line {number} of more than {MAX_HEADER_BYTES:,} bytes: that is no header")
    try:
        line = raw.decode(encoding).rstrip("\r\n")
    except UnicodeDecodeError:
        raise TableError(f"is not encoded in {encoding}: give its `encoding` in the mapping") from None
    delimiter, header = _header(line, written, [column_name(name.partition("#")[0]) for name in wanted])
    if len(header) > MAX_COLUMNS:
        raise TableError(f"has more than {MAX_COLUMNS:,} columns")
    return Layout(encoding, delimiter, written.quote, header, file.tell(), written.header_line + 1, guessed)


def places(header: Sequence[str], wanted: Iterable[str]) -> dict[str, int]:
    """Wanted column → its place; raises `TableError` naming those that the header does not have, or has twice."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        found.setdefault(column_name(name), []).append(place)
    missing, twice, result = [], [], {}
    for name in dict.fromkeys(wanted):
        text, _, number = name.rpartition("#") if name[-1:].isdigit() and "#" in name else (name, "", "")
        of_name = found.get(column_name(text), [])
        nth = int(number) if number else 1
        if len(of_name) < nth:
            missing.append(name)
        elif not number and len(of_name) > 1:
            twice.append(name)
        else:
            result[name] = of_name[nth - 1]
    if missing:
        raise TableError(f"has no column {', '.join(missing)}: see the header line, or `header_line` in the mapping")
    if twice:
        raise TableError(f"has the column {', '.join(twice)} more than once: write {twice[0]}#1, {twice[0]}#2 …")
    return result


def _encoding(asked: str, sample: bytes, *, cut: bool) -> tuple[str, str]:
    if asked != "auto":
        name = codecs.lookup(asked).name
        return ("utf-8" if name == "utf-8-sig" else name), ""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=not cut)
    except UnicodeDecodeError:
        return _WESTERN, f"is not UTF-8: read as {_WESTERN}; say its `encoding` in the mapping if that is wrong"
    return "utf-8", ""


def _header(line: str, written: File, wanted: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    asked = {"auto": DELIMITERS, "tab": ("\t",)}.get(written.delimiter, (written.delimiter,))
    tried = [(d, _cells(line, d, written.quote)) for d in asked]
    delimiter, header = max(
        tried, key=lambda pair: (len({column_name(c) for c in pair[1]} & set(wanted)), len(pair[1]))
    )
    return delimiter, tuple(header)


def _cells(line: str, delimiter: str, quote: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, quotechar=quote), [])]
    except csv.Error:
        return []
