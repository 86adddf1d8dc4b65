"""What the case index answered lately, also that something is not there, so that the database need not be asked again.

Right while no other writer had a turn since (`Turn.continued`), and forgotten whenever something is undone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 50_000
"""Answers kept of one kind, the ones last used."""


class Answers(Generic[K, V]):
    """Answers by key; None is an answer too."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: OrderedDict[K, V | None] = OrderedDict()

    def get(self, key: K, ask: Callable[[], V | None]) -> V | None:
        """The answer, asked for now when it is not known."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        answer = ask()
        self.keep(key, answer)
        return answer

    def known(self, key: K) -> V | None:
        """The answer, as far as it is known."""
        return self._kept.get(key)

    def knows(self, key: K) -> bool:
        """Whether it need not be asked."""
        return key in self._kept

    def keep(self, key: K, answer: V | None) -> None:
        """From now on the answer."""
        self._kept[key] = answer
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Nothing is known any more."""
        self._kept.clear()
