"""A simulated county as files, as agencies would export them: nothing is published.

A folder with a file per agency: CloudEvents, one a line (`le.jsonl`, for `ccr import` and `ccr publish`), or a table
(`le.csv`) with the mapping that reads it (`le.mapping.yaml`). A column is called like the field it holds, such as
`charges[0].nibrs`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from io import BufferedWriter
from pathlib import Path
from typing import Any, TextIO

import orjson
from ruamel.yaml import YAML

from ccr_events.envelope import write_structured
from ccr_events.envelope.wire import instant_text
from services.cli.refused import Refused
from services.simulator import County, Report, reports

ATTRIBUTES = ("id", "type", "occurred_at", "corrects", "sent_at")
"""Columns that every table begins with; the fields of the data follow."""
TIMEZONE = "Etc/UTC"
"""Of the mapping: times in the tables say their offset themselves."""


def write_lines(county: County, seed: int, directory: Path, passed: Callable[[datetime], None]) -> Counter[str]:
    """Agency → events written, in the order in which they are sent. Raises `Refused` when the folder is not empty."""
    _made(directory)
    written: Counter[str] = Counter()
    with ExitStack() as opened:
        files: dict[str, BufferedWriter] = {}
        for report in reports(county, seed):
            if report.agency not in files:
                files[report.agency] = opened.enter_context((directory / f"{report.agency}.jsonl").open("wb"))
            files[report.agency].write(orjson.dumps(write_structured(report.event)) + b"\n")
            written[report.agency] += 1
            passed(report.at)
    return written


def write_tables(county: County, seed: int, directory: Path, passed: Callable[[datetime], None]) -> Counter[str]:
    """Agency → rows written. The county is run twice: once to know the columns, once to fill them, so that one of any
    size needs no memory. Raises `Refused` when the folder is not empty."""
    _made(directory)
    columns, types = _columns(county, seed)
    written: Counter[str] = Counter()
    with ExitStack() as opened:
        tables: dict[str, Any] = {}
        for agency, fields in columns.items():
            file: TextIO = opened.enter_context((directory / f"{agency}.csv").open("w", encoding="utf-8", newline=""))
            tables[agency] = csv.DictWriter(file, (*ATTRIBUTES, *fields))
            tables[agency].writeheader()
            with (directory / f"{agency}.mapping.yaml").open("w", encoding="utf-8") as mapping:
                YAML(typ="safe").dump(_mapping(agency, types[agency]), mapping)
        for report in reports(county, seed):
            tables[report.agency].writerow(_row(report))
            written[report.agency] += 1
            passed(report.at)
    return written


def _made(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise Refused(f"{directory} is not an empty folder: give another one for the files")
    directory.mkdir(parents=True, exist_ok=True)


def _columns(county: County, seed: int) -> tuple[dict[str, dict[str, None]], dict[str, dict[str, None]]]:
    """Agency → its columns, and agency → its event types, in the order in which they are first met."""
    columns: dict[str, dict[str, None]] = {}
    types: dict[str, dict[str, None]] = {}
    for report in reports(county, seed):
        of_agency = columns.setdefault(report.agency, {})
        types.setdefault(report.agency, {})[report.event.type] = None
        for name, _ in flat(report.event.data):
            of_agency[name] = None
    return columns, types


def _row(report: Report) -> dict[str, str]:
    event = report.event
    attributes = (event.id, event.type, instant_text(event.occurred_at), event.corrects or "", instant_text(report.at))
    return {**dict(zip(ATTRIBUTES, attributes, strict=True)), **dict(flat(event.data))}


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(dotted path, text) of every value in some data, lists by their place: `parties[0].name.surname`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from flat(inner, f"{path}[{place}]")
    elif isinstance(value, bool):
        yield path, "yes" if value else "no"
    else:
        yield path, str(value)


def _mapping(agency: str, types: Mapping[str, None]) -> dict[str, Any]:
    return {
        "mapping": f"simulated-{agency}",
        "agency": agency,
        "timezone": TIMEZONE,
        "type": {"column": "type", "codes": {name: name for name in types}},
        "key": "id",
        "id": "id",
        "corrects": "corrects",
        "occurred_at": {"column": "occurred_at"},
        "by_name": True,
    }
