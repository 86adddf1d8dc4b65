"""One row's cells to the `data` of one event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ccr_events.payload import MAX_LIST
from services.adapters.csv.cells import CellProblem, UnknownWord, plain
from services.adapters.csv.compiled import Field, Prefix, TypePlan
from services.adapters.csv.fields import EVERY, Step

MAX_WORDS = 1_000
"""Most unknown words remembered of one file."""


@dataclass(slots=True)
class Told:
    """What reading a file brought to light, besides its rows."""

    assumed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(column, what was assumed) → in how many cells."""
    unknown_words: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)
    """(column, word) → how often, of open fields with a code table: shown only to whoever asks for them."""

    def unknown(self, column: str, text: str) -> None:
        """Remember a word, within the bound."""
        if (column, text) in self.unknown_words or len(self.unknown_words) < MAX_WORDS:
            self.unknown_words[column, text] += 1


@dataclass(slots=True)
class _Values:
    """Values of one row by path, and which list entries a cell has filled."""

    found: list[tuple[Prefix, Any]] = field(default_factory=list)
    filled: set[Prefix] = field(default_factory=set)

    def put(self, steps: Prefix, value: Any, *, from_row: bool) -> None:
        self.found.append((steps, value))
        if from_row:
            self.filled.update(_entries(steps))


def data_of(
    cells: Sequence[str], plan: TypePlan, empty_words: frozenset[str], told: Told
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """(payload data, problems as (column, message)). What is wrong in one cell keeps no other from being looked at."""
    values, problems = _Values(), list[tuple[str, str]]()
    for one in plan.fields:
        if one.places:
            _read(one, cells, empty_words, told, values, problems)
    for one in plan.fields:
        fallback = one.reading.value if not one.places else one.reading.default
        if fallback is not None:
            _fill_in(one, fallback, values)
    return _built(values, plan), problems


def _read(
    one: Field,
    cells: Sequence[str],
    empty_words: frozenset[str],
    told: Told,
    values: _Values,
    problems: list[tuple[str, str]],
) -> None:
    any_found = False
    for index, column, text in _texts(one, cells, empty_words):
        try:
            value = one.convert(text, partial(_assume, told, column))
        except CellProblem as error:
            problems.append((column, str(error)))
            any_found = True
            if isinstance(error, UnknownWord) and not one.leaf.sealed:
                told.unknown(column, text)
            continue
        if value is not None:
            any_found = True
            values.put(_at(one.leaf.steps, index), value, from_row=True)
    if one.reading.required and not any_found:
        problems.append((one.columns[0], "is empty, and nothing can be told without it"))


def _assume(told: Told, column: str, assumed: str) -> None:
    told.assumed[column, assumed] += 1


def _texts(one: Field, cells: Sequence[str], empty_words: frozenset[str]) -> Iterator[tuple[int, str, str]]:
    """(entry, column, text) of each filled cell, or of each part of one."""
    found = [(column, plain(cells[place], empty_words)) for column, place in zip(one.columns, one.places, strict=True)]
    if EVERY not in one.leaf.steps:
        texts = [text for _, text in found if text]
        if texts:
            yield 0, one.columns[0], " ".join(texts)
        return
    index = 0
    for column, text in found:
        parts = text.split(one.reading.split) if one.reading.split else [text]
        for part in parts[: MAX_LIST + 1]:
            if part := plain(part, empty_words):
                yield index, column, part
            index += 1


def _fill_in(one: Field, value: Any, values: _Values) -> None:
    """A constant, or the default of a field that no cell gave a value."""
    steps = one.leaf.steps
    taken = {path for path, _ in values.found}
    if EVERY not in steps:
        if steps not in taken:
            values.put(steps, value, from_row=False)
        return
    before = steps[: steps.index(EVERY)]
    depth = len(before) + 1
    for entry in sorted(p for p in values.filled if len(p) == depth and p[:-1] == before):
        path = (*entry, *steps[depth:])
        if path not in taken:
            values.put(path, value, from_row=False)


def _built(values: _Values, plan: TypePlan) -> dict[str, Any]:
    data: dict[Step, Any] = {}
    for steps, value in values.found:
        if all(e in values.filled or (e not in plan.from_rows) for e in _entries(steps)):
            place = data
            for step in steps[:-1]:
                place = place.setdefault(step, {})
            place[steps[-1]] = value
    return {str(name): _listed(value) for name, value in data.items()}


def _listed(value: Any) -> Any:
    """Entries by number → a list, empty ones closed up."""
    if not isinstance(value, Mapping):
        return value
    if all(isinstance(step, int) for step in value):
        return [_listed(value[step]) for step in sorted(value)]
    return {step: _listed(inner) for step, inner in value.items()}


def _at(steps: Prefix, index: int) -> Prefix:
    return tuple(index if step == EVERY else step for step in steps)


def _entries(steps: Prefix) -> Iterator[Prefix]:
    for n, step in enumerate(steps, start=1):
        if isinstance(step, int):
            yield steps[:n]
