"""`ccr demo`: a small county's week, end to end, on this machine."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from services.cli.options import RUN, AsJson
from services.cli.printing import console, json_line, warn
from services.cli.refused import FAILED, Refused
from services.cli.stopping import stop_asked

DEFAULT_SECONDS = 45.0
LONGEST_S = 24 * 3600.0
INTERRUPTED = 130
"""Exit status when it was stopped before its end."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", rich_help_panel=RUN)(demo)


def demo(
    seconds: Annotated[
        float, typer.Option(min=1.0, max=LONGEST_S, metavar="N", help="How long playing the week takes, at best.")
    ] = DEFAULT_SECONDS,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Same seed, same week.")] = 1,
    as_json: AsJson = False,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port to serve on; 0: any free one.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="An empty directory to keep the data in; left out, it is thrown away."),
    ] = None,
    keep_open: Annotated[
        bool, typer.Option("--keep-open", help="Afterwards keep the live page up until Ctrl-C.")
    ] = False,
    no_page: Annotated[bool, typer.Option("--no-page", help="Do not print the live page's address and key.")] = False,
) -> None:
    """Play a scripted week of a small invented county and show what its agencies owe each other.

    Fifteen case histories pass through a real backbone in this process: agencies publish over HTTP, protocol links
    open, are acknowledged, go overdue and escalate, and the alerts are read back as a subscriber reads them. It ends
    with a summary; the exit status is 1 if anything was lost or the log does not replay to the same state.
    """
    with _directory(data) as directory:
        show = _Show(seconds, seed, port, Path(directory), as_json, keep_open, page=not no_page)
        status = asyncio.run(show.until_stopped())
    if status:
        raise typer.Exit(status)


@dataclass(slots=True)
class _Show:
    """One demo, which whoever watches may stop at any time."""

    seconds: float
    seed: int
    port: int
    data: Path
    as_json: bool
    keep_open: bool
    page: bool
    over: bool = False
    """The summary was shown: being stopped from then on is how it ends."""

    async def until_stopped(self) -> int:
        """The exit status."""
        async with stop_asked() as asked:
            playing, stopping = asyncio.create_task(self._play(asked)), asyncio.create_task(asked.wait())
            await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not playing.done() and not self.over:
                playing.cancel()
            try:
                return 0 if await playing else FAILED
            except asyncio.CancelledError:
                warn("ccr: stopped before the end of the week")
                return INTERRUPTED

    async def _play(self, asked: asyncio.Event) -> bool:
        shown = console(stderr=self.as_json)
        shown.print("Opening a backbone in this process …")
        from services.demo.run import Wish, performed  # a whole server: not loaded for other commands
        from services.demo.summary import summarise

        async with performed(Wish(self.seconds, self.seed, self.port, self.data, self.page), shown) as stage:
            summarise(shown, stage.figures)
            if self.as_json:
                json_line(stage.figures.as_json())
            if self.keep_open:
                self.over = True
                shown.print(f"\nThe live page stays up at {stage.page}\nStop with Ctrl-C.", soft_wrap=True)
                await asked.wait()
        return stage.figures.sound


def _directory(data: Path | None) -> AbstractContextManager[str]:
    if data is None:
        return TemporaryDirectory(prefix="ccr-demo-")
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise Refused(f"{data} is not an empty directory: the week starts from nothing, give --data another one")
    return nullcontext(str(data))
