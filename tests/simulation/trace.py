"""What happened in a run, line by line; its digest tells whether another run was the same."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from hashlib import sha256

KEPT = 60
"""Newest lines shown when a law is broken."""


class Trace:
    """Grows with the run; only the newest lines are kept."""

    def __init__(self, time: Callable[[], float], said: Callable[[str], None] | None = None) -> None:
        """`time`: simulated seconds; `said` is told every line (`--seed`)."""
        self._time = time
        self._said = said
        self._digest = sha256()
        self.newest: deque[str] = deque(maxlen=KEPT)
        self.faults: Counter[str] = Counter()
        self.violations: list[str] = []

    def tell(self, line: str) -> None:
        """Something happened."""
        at_s = self._time()
        text = f"day {at_s // 86_400:3.0f} {at_s % 86_400:12.6f} s  {line}"
        self._digest.update(text.encode())
        self.newest.append(text)
        if self._said is not None:
            self._said(text)

    def fault(self, kind: str, more: str = "") -> None:
        """A fault was injected."""
        self.faults[kind] += 1
        self.tell(f"FAULT {kind} {more}".rstrip())

    def violated(self, law: str) -> None:
        """A law was broken."""
        self.violations.append(law)
        self.tell(f"LAW BROKEN: {law}")

    def digest(self) -> str:
        """Of every line so far."""
        return self._digest.hexdigest()
