"""YAML to a mapping, checked against the event types it fills: every fault at once, each with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ccr_events.catalogue import event_types
from ccr_events.policy.problems import PolicyErrors, Problem, Report, listed, nearest
from ccr_events.policy.shape import fitted
from ccr_events.policy.source import MAX_BYTES, read_source
from ccr_events.registry import EventType
from services.adapters.csv.cells import CellProblem, constant, word
from services.adapters.csv.fields import EVERY, Leaf, UnknownField, leaf_at
from services.adapters.csv.layout import known_encoding
from services.adapters.csv.mapping import Mapping, Reading, TypeByColumn

_NOT_A_MAP = "holds no policy"
"""What the reader of written documents says of a text that is no list of `word: value` lines."""


class MappingErrors(ValueError):
    """A mapping that cannot be used; `problems` holds all of its faults, each with file, line and column."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def load_mapping(path: Path) -> Mapping:
    """The mapping in a file; raises `MappingErrors`, or `OSError`."""
    with path.open("rb") as file:
        return read_mapping(file.read(MAX_BYTES + 1), str(path))


def read_mapping(raw: bytes, name: str) -> Mapping:
    """The mapping in a text; `name` is shown in errors. Raises `MappingErrors`."""
    try:
        source = read_source(raw, name)
    except PolicyErrors as error:
        raise MappingErrors([_in_our_words(problem) for problem in error.problems]) from None
    report = Report()
    mapping = fitted(source.data, report, Mapping)
    if mapping is not None:
        _check(mapping, report)
    if mapping is None or report.findings:
        raise MappingErrors([source.problem(f.path, f.message, f.suggestion) for f in report.findings])
    return mapping


def types_of(mapping: Mapping) -> Iterator[str]:
    """Names of the event types that a mapping tells, each once."""
    if isinstance(mapping.type, TypeByColumn):
        yield from dict.fromkeys(name for name in mapping.type.codes.values() if name is not None)
    else:
        yield mapping.type


def table_of(mapping: Mapping, reading: Reading) -> dict[str, Any] | None:
    """The code table of a field, as it is written; None when it has none."""
    if isinstance(reading.codes, str):
        return mapping.codes[reading.codes]
    return reading.codes


def _in_our_words(problem: Problem) -> Problem:
    if problem.message != _NOT_A_MAP:
        return problem
    return Problem(problem.file, problem.line, problem.column, "holds no mapping", "start with the line  mapping: NAME")


def _check(mapping: Mapping, report: Report) -> None:
    if not known_encoding(mapping.file.encoding):
        report.at("file", "encoding").say("is not an encoding that is read", "auto, utf-8, windows-1252, iso-8859-1 …")
    types = _check_types(mapping, report)
    for path, reading in mapping.fields.items():
        at = report.at("fields", path)
        if isinstance(reading.codes, str) and reading.codes not in mapping.codes:
            hint = nearest(reading.codes, mapping.codes) or f"tables here: {listed(mapping.codes) or 'none'}"
            at.at("codes").say(f"there is no code table {reading.codes}", hint)
            continue
        if (reading.split or (reading.columns and len(reading.columns) > 1)) and EVERY in path and reading.value:
            at.say("is the same in every row, so it has no columns")
        if reading.split and EVERY not in path:
            at.at("split").say("parts entries of a list: write the field with [*]")
        _check_field(mapping, path, reading, types, at)
    for name, table in mapping.codes.items():
        _check_words(table, report.at("codes", name))


def _check_types(mapping: Mapping, report: Report) -> list[EventType]:
    found = []
    at = report.at("type", "codes") if isinstance(mapping.type, TypeByColumn) else report.at("type")
    for name in types_of(mapping):
        declared = event_types().get(name)
        if declared is None:
            at.say(f"there is no event type {name}", nearest(name, event_types()) or "see ccr schema list")
        elif mapping.agency not in declared.publishers:
            may = listed(agency.value for agency in declared.publishers)
            at.say(f"{mapping.agency.value} may not publish {name}", f"these agencies may: {may or 'none'}")
        else:
            found.append(declared)
    if isinstance(mapping.type, TypeByColumn):
        _check_words(mapping.type.codes, at)
    return found


def _check_words(table: dict[str, Any], report: Report) -> None:
    seen: dict[str, str] = {}
    for written in table:
        other = seen.setdefault(word(written), written)
        if other != written:
            report.at(written).say(f"is the same word as {other}: case and spaces do not matter", "leave one out")


def _check_field(mapping: Mapping, path: str, reading: Reading, types: list[EventType], report: Report) -> None:
    """A field must be one of every type it is written for; a mapping of several types, of at least one."""
    leaf: Leaf | None = None
    faults: list[tuple[str, UnknownField]] = []
    for declared in types:
        try:
            leaf = leaf_at(declared.model, path)
        except UnknownField as error:
            faults.append((declared.name, error))
    if leaf is None:
        if faults:
            name, fault = faults[0]
            hint = nearest(fault.word, fault.known) or (f"known there: {listed(fault.known)}" if fault.known else "")
            report.say(f"{name} {fault}", hint)
        return
    constants = [(("value",), reading.value), (("default",), reading.default)]
    for steps, value in constants:
        if value is not None:
            _check_constant(leaf, value, report.at(*steps))
    table = table_of(mapping, reading)
    at = report.at("codes") if isinstance(reading.codes, dict) else report
    for written, value in (table or {}).items():
        if value is not None:
            _check_constant(leaf, value, at.at(written), f"`{written}` " if at is report else "")
    if isinstance(reading.codes, dict):
        _check_words(reading.codes, at)


def _check_constant(leaf: Leaf, value: Any, report: Report, what: str = "") -> None:
    try:
        constant(leaf, value)
    except CellProblem as error:
        report.say(
            f"{what}{error}",
            nearest(str(value), [str(m.value) for m in getattr(leaf.kind, "__members__", {}).values()]),
        )
