"""What the writing connection has read or written lately, so that it need not ask its tables again.

Right because that connection is the only writer, and because everything is forgotten when a work is undone.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from services.engine.sqlite.connections import Executing

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 50_000
"""Answers kept of one kind, the ones last used."""
HELD_NUMBERS = 50_000
"""Numbers of one kind of reference that are held whole; a kind with more of them is asked for each."""


class Remembered(Generic[K, V]):
    """Answers by key; a bounded number of them. Remembers nothing when not `writing`: others write meanwhile."""

    __slots__ = ("_answers", "_writing")

    def __init__(self, *, writing: bool) -> None:
        self._answers: OrderedDict[K, V] = OrderedDict()
        self._writing = writing

    def get(self, key: K) -> V | None:
        """The answer; None when it is to be asked."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def keep(self, key: K, answer: V) -> None:
        """From now on the answer."""
        if self._writing:
            self._answers[key] = answer
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

    def clear(self) -> None:
        """Something was undone."""
        self._answers.clear()


class BoundNumbers:
    """Which numbers of a kind of reference may be bound to a case. Says no only when that is certain.

    Most events bring a number nobody has sent before, or ask whether they are awaited, which hardly any is.
    """

    __slots__ = ("_connection", "_kinds", "_writing")

    def __init__(self, connection: Executing, *, writing: bool) -> None:
        self._connection = connection
        self._kinds: dict[str, set[str] | None] = {}
        """By kind: its numbers, and maybe some that were taken back; None when there are too many of them."""
        self._writing = writing

    def maybe(self, kind: str, number: str) -> bool:
        """False when no number of that kind and text is bound, whoever issued it."""
        if not self._writing:
            return True
        if kind not in self._kinds:
            self._kinds[kind] = self._numbers(kind)
        numbers = self._kinds[kind]
        return numbers is None or number in numbers

    def add(self, kind: str, number: str) -> None:
        """A number was bound."""
        numbers = self._kinds.get(kind)
        if numbers is not None:
            numbers.add(number)
            if len(numbers) > HELD_NUMBERS:
                self._kinds[kind] = None

    def _numbers(self, kind: str) -> set[str] | None:
        query = "SELECT number FROM reference_numbers WHERE kind = ? LIMIT ?"
        rows = self._connection.execute(query, (kind, HELD_NUMBERS + 1)).fetchall()
        return None if len(rows) > HELD_NUMBERS else {number for (number,) in rows}
