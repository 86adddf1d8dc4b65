"""The week in a terminal: progress, cases, the last alerts; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from services.demo.board import COLUMNS, Board, local

REFRESH_PER_S = 8
STYLES = {
    "owed": "cyan",
    "received": "blue",
    "overdue": "red",
    "escalated": "bold red",
    "done": "green",
    "waived": "dim",
}
FRAME_LINES = 7
"""Lines of the screen that are neither a case nor an alert."""
PANEL_COLUMNS = 4
"""Columns of a panel's edges."""
MIN_WHO = 20
"""Who owes what keeps at least so many columns."""
PLAIN_EVERY = 50
"""Without a terminal, progress is told after so many acts."""


class Screen(Protocol):
    """What the run tells of itself while it goes on."""

    def __enter__(self) -> Screen:
        """Begin to show."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop showing."""

    def moved(self, done: int) -> None:
        """So many acts are done; the clock may have moved."""

    def told(self, sentence: str | None) -> None:
        """An alert was read; None when it is only counted."""


def screen_for(console: Console, title: str, board: Board, acts: int, now: Callable[[], datetime]) -> Screen:
    """The screen that suits where the output goes."""
    kind = LiveScreen if console.is_terminal else PlainScreen
    return kind(console, title, board, acts, now)


class LiveScreen:
    """For a terminal."""

    def __init__(self, console: Console, title: str, board: Board, acts: int, now: Callable[[], datetime]) -> None:
        self._console, self._title, self._board, self._now = console, title, board, now
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(), TimeRemainingColumn(), expand=True
        )
        self._task = self._progress.add_task("acts", total=acts)
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=REFRESH_PER_S)

    def __enter__(self) -> LiveScreen:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def moved(self, done: int) -> None:
        """See `Screen`."""
        self._progress.update(self._task, completed=done)

    def told(self, sentence: str | None) -> None:
        """See `Screen`; the board has it already."""

    def _render(self) -> RenderableType:
        room = max(self._console.height - FRAME_LINES, 2)
        told = list(self._board.sentences)[-max(room // 3, 1) :]
        header = Text.assemble((self._title, "bold"), "   ", (local(self._now(), self._board.zone), "bold yellow"))
        return Group(
            header,
            self._progress,
            _table(self._board, room - len(told)),
            Panel(_alerts(told, self._console.width - PANEL_COLUMNS), title="last alerts", title_align="left"),
            _counters(self._board),
        )


class PlainScreen:
    """For a pipe, a file or a log: a line per alert that matters most, and progress now and then."""

    def __init__(self, console: Console, title: str, board: Board, acts: int, now: Callable[[], datetime]) -> None:
        self._console, self._title, self._acts, self._now, self._board = console, title, acts, now, board
        self._said = 0

    def __enter__(self) -> PlainScreen:
        self._console.print(f"{self._title}, from {local(self._now(), self._board.zone)}", highlight=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing to take down."""

    def moved(self, done: int) -> None:
        """See `Screen`."""
        if done // PLAIN_EVERY > self._said:
            self._said = done // PLAIN_EVERY
            self._console.print(
                f"── {done} of {self._acts} acts, {local(self._now(), self._board.zone)}", highlight=False
            )

    def told(self, sentence: str | None) -> None:
        """See `Screen`."""
        if sentence is not None and "escalated" in sentence:
            self._console.print(sentence, highlight=False, soft_wrap=True, markup=False)


def _alerts(told: Sequence[str], width: int) -> Text:
    """A line each; where it is too long, who owes what is cut and what became of it is not."""
    lines = Text(no_wrap=True, overflow="ellipsis")
    for number, sentence in enumerate(told):
        owes, dash, became = sentence.partition(" — ")
        style = "red" if became.startswith("overdue") else "green" if became.startswith("done") else ""
        who = Text(owes)
        who.truncate(max(width - cell_len(dash + became), MIN_WHO), overflow="ellipsis")
        lines.append_text(Text.assemble("\n" if number else "", who, dash, (became, style)))
    return lines


def _counters(board: Board) -> Text:
    told = [f"{board.kinds[f'link.{kind}']} {kind}" for kind in ("opened", "satisfied", "overdue", "escalated")]
    return Text(f"{board.kinds.total()} alerts: {', '.join(told)}", style="dim")


def _table(board: Board, most: int) -> Table:
    table = Table(expand=True, box=None, pad_edge=False)
    table.add_column("case", ratio=3, no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right", style=STYLES[name], ratio=1)
    for history, counts in board.rows(most):
        table.add_row(history, *(str(counts[name] or "·") for name in COLUMNS))
    return table
