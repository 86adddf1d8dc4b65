"""What a measurement says, and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Asked:
    """How much to measure, and where."""

    events: int
    """Length of the log that is filled."""
    requests: int
    """Events sent over HTTP."""
    data: Path | None
    """An empty directory on the disk to measure; None: a temporary one."""
    full: bool
    """The sizes that the goals name, which takes long; else ones that end in about a minute."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement beside its goal."""

    part: str
    what: str
    value: float
    unit: str
    goal: float | None = None
    lower_is_better: bool = False
    extra: Mapping[str, float | int | str] = field(default_factory=dict)
    """What else is worth knowing of it, by name."""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.lower_is_better else self.value >= self.goal

    def as_row(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "reached": self.reached}
