"""The clocks of workers' machines: files that the test moves on. Each worker reads its own, or else the one of all."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path


class Clocks:
    """Of the workers that were started with this directory."""

    def __init__(self, directory: Path, now: datetime) -> None:
        """`now`: where the clock of all stands."""
        self._directory = directory
        self.move_to(now)

    def move_to(self, at: datetime) -> None:
        """The clock of all, at once."""
        _write(self._directory / "clock", at)

    def set_wrong(self, number: int, at: datetime) -> None:
        """One worker's clock stands there, also of its successors, until it is set right."""
        _write(_of(self._directory, number), at)

    def set_right(self, number: int) -> None:
        """It is that of all again."""
        _of(self._directory, number).unlink(missing_ok=True)


class WorkersClock:
    """Implements `services.engine.ports.Clock`."""

    def __init__(self, directory: Path, number: int) -> None:
        self._all, self._own = directory / "clock", _of(directory, number)

    def now(self) -> datetime:
        """Aware UTC datetime."""
        try:
            text = self._own.read_text()
        except FileNotFoundError:
            text = self._all.read_text()
        return datetime.fromisoformat(text)


def _of(directory: Path, number: int) -> Path:
    return directory / f"clock-{number}"


def _write(path: Path, at: datetime) -> None:
    """Readers see the old or the new."""
    made = path.with_suffix(".new")
    made.write_text(at.isoformat())
    made.replace(path)
