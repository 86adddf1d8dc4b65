"""A mapping made ready for the header of one file: which place of a row feeds which field of which event type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ccr_events.catalogue import event_type_named
from ccr_events.registry import EventType
from services.adapters.csv.cells import Convert, converter, word
from services.adapters.csv.clock import Wall
from services.adapters.csv.fields import EVERY, Leaf, Step, UnknownField, leaf_at
from services.adapters.csv.layout import TableError, column_name, places
from services.adapters.csv.loading import table_of, types_of
from services.adapters.csv.mapping import Mapping as Written
from services.adapters.csv.mapping import Reading, Skip, TypeByColumn

Prefix = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one event type."""

    leaf: Leaf
    path: str
    columns: tuple[str, ...]
    """Their names, for problems."""
    places: tuple[int, ...]
    """Empty for a constant."""
    reading: Reading
    convert: Convert


@dataclass(frozen=True, slots=True)
class TypePlan:
    """How rows become events of one type."""

    type: EventType
    fields: tuple[Field, ...]
    from_rows: frozenset[Prefix]
    """List entries that some cell fills: without any of its cells filled, an entry is not there, whatever constants
    it has."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows of one file become events."""

    types: Mapping[str, TypePlan]
    type_of: Callable[[Sequence[str]], str | None]
    """Cells → word that chooses the type; None for a fixed type."""
    chosen: Mapping[str, str | None]
    """Word → event type; `""` → the fixed one."""
    type_column: str
    key: tuple[tuple[str, int], ...]
    id: tuple[str, int] | None
    corrects: tuple[str, int] | None
    occurred: tuple[tuple[str, int], ...]
    skips: tuple[tuple[Skip, int, frozenset[str]], ...]
    wall: Wall


def compiled(mapping: Written, header: Sequence[str]) -> Plan:
    """The plan; raises `TableError` when the header lacks a column."""
    at = places(header, wanted(mapping))
    wall = Wall(ZoneInfo(mapping.timezone), mapping.ambiguous)
    by_column = mapping.type if isinstance(mapping.type, TypeByColumn) else None
    named = _named(mapping, header)
    if by_column is None:
        chosen: dict[str, str | None] = {"": str(mapping.type)}
    else:
        chosen = {word(written): name for written, name in by_column.codes.items()}
    type_place = None if by_column is None else at[by_column.column]
    return Plan(
        types={name: _type_plan(mapping, name, named, header, wall) for name in types_of(mapping)},
        type_of=lambda cells: None if type_place is None else cells[type_place],
        chosen=chosen,
        type_column="" if by_column is None else by_column.column,
        key=tuple((name, at[name]) for name in mapping.key),
        id=None if mapping.id is None else (mapping.id, at[mapping.id]),
        corrects=None if mapping.corrects is None else (mapping.corrects, at[mapping.corrects]),
        occurred=tuple((name, at[name]) for name in mapping.occurred_at.columns),
        skips=tuple((s, at[s.column], frozenset(map(word, (*s.is_, *s.is_not)))) for s in mapping.skip),
        wall=wall,
    )


def wanted(mapping: Written) -> list[str]:
    """Every column that the mapping names and that must be there exactly once."""
    found = [*mapping.key, *mapping.occurred_at.columns, *(skip.column for skip in mapping.skip)]
    found += [name for name in (mapping.id, mapping.corrects) if name is not None]
    if isinstance(mapping.type, TypeByColumn):
        found.append(mapping.type.column)
    for path, reading in mapping.fields.items():
        if EVERY not in path:
            found += _columns(reading)
    return found


def named_by_mapping(mapping: Written) -> list[str]:
    """Every column that the mapping names, for whatever."""
    return [*wanted(mapping), *(name for reading in mapping.fields.values() for name in _columns(reading))]


def _columns(reading: Reading) -> list[str]:
    return [reading.column] if reading.column is not None else list(reading.columns or ())


def _named(mapping: Written, header: Sequence[str]) -> dict[str, Reading]:
    """Columns that are called like a field, when the mapping reads those by name."""
    if not mapping.by_name:
        return {}
    taken = {column_name(name) for name in named_by_mapping(mapping)}
    return {name: Reading(column=name) for name in header if name and column_name(name) not in taken}


def _type_plan(
    mapping: Written, name: str, named: Mapping[str, Reading], header: Sequence[str], wall: Wall
) -> TypePlan:
    declared = event_type_named(name)
    fields: list[Field] = []
    for path, reading in (*mapping.fields.items(), *named.items()):
        try:
            leaf = leaf_at(declared.model, path)
        except UnknownField:  # a field of another of the mapping's types, or a column called otherwise
            continue
        fields.append(_field(mapping, path, reading, leaf, header, wall))
    from_rows = {prefix for field in fields if field.places for prefix in _entries(field.leaf.steps)}
    return TypePlan(declared, tuple(fields), frozenset(from_rows))


def _field(mapping: Written, path: str, reading: Reading, leaf: Leaf, header: Sequence[str], wall: Wall) -> Field:
    table = table_of(mapping, reading)
    by_word = None if table is None else {word(written): value for written, value in table.items()}
    columns = _columns(reading)
    if EVERY in leaf.steps:
        found = [(name, place) for name in columns for place in _every_place(header, name)]
    else:
        found = list(places(header, columns).items())
    return Field(
        leaf=leaf,
        path=path,
        columns=tuple(name for name, _ in found),
        places=tuple(place for _, place in found),
        reading=reading,
        convert=converter(leaf, reading.format, by_word, wall),
    )


def _every_place(header: Sequence[str], name: str) -> list[int]:
    """Every column of a name, when it is repeated; raises `TableError` when there is none."""
    same = [place for place, written in enumerate(header) if column_name(written) == column_name(name)]
    return same or list(places(header, [name]).values())


def _entries(steps: Prefix) -> Iterator[Prefix]:
    """The list entries that a path leads through."""
    for n, step in enumerate(steps, start=1):
        if isinstance(step, int) or step == EVERY:
            yield steps[:n]


__all__ = ["Field", "Plan", "TableError", "TypePlan", "compiled", "named_by_mapping", "wanted"]
