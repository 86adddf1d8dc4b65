"""Mappings that grow by an entry at a time and leave the mapping they grew from as it was.

A small one is copied: nothing is cheaper. From `LARGE` entries on it is a hash array mapped trie (`immutables.Map`, as
of Python's own context variables), so that an entry costs the same in a case with ten facts or ten thousand. Nothing
that is derived may depend on the order of a mapping: a trie has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from immutables import Map

K = TypeVar("K")
V = TypeVar("V")

LARGE = 128
"""Entries from which copying costs more than a trie."""


def with_one(held: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    """The mapping with one entry more, or another value for it."""
    if isinstance(held, dict) and len(held) < LARGE:
        return {**held, key: value}
    return _trie(held).set(key, value)


def with_many(held: Mapping[K, V], new: Mapping[K, V], gone: Iterable[K] = ()) -> Mapping[K, V]:
    """The mapping with these entries and without those keys, which it has."""
    if isinstance(held, dict) and len(held) < LARGE:
        copy = {**held, **new}
        for key in gone:
            del copy[key]
        return copy
    with _trie(held).mutate() as changing:
        changing.update(new)
        for key in gone:
            del changing[key]
    return changing.finish()


def _trie(held: Mapping[K, V]) -> Map[K, V]:
    return held if isinstance(held, Map) else Map(held)
