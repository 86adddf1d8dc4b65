"""`ccr simulate`: an invented county, as much of it and for as long as asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.options import RUN, AsJson, Url
from services.cli.refused import FAILED, INTERRUPTED, Refused

if TYPE_CHECKING:
    from services.cli.simulated_tally import Tally
    from services.simulator import County

Told = Callable[[datetime], None]
MAX_POPULATION = 50_000_000
MAX_DAYS = 3_660.0
MAX_SPEED = 1e6


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate", rich_help_panel=RUN, epilog="Example: ccr simulate --days 30 --seed 7 --data county")(
        simulate
    )


def simulate(
    population: Annotated[
        int, typer.Option(min=1, max=MAX_POPULATION, metavar="N", help="People in the county.")
    ] = 86_000,
    days: Annotated[float, typer.Option(min=0.01, max=MAX_DAYS, metavar="N", help="How long calls come in.")] = 7.0,
    follow: Annotated[
        float,
        typer.Option(min=0, max=MAX_DAYS, metavar="DAYS", help="After the last call, follow the cases for so long."),
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Same seed, same events.")] = 1,
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="How well agencies do: calm, typical or strained.")
    ] = "typical",
    speed: Annotated[
        str, typer.Option(metavar="SPEED", help="max: as fast as it goes; real; or so many times as fast, such as 60x.")
    ] = "max",
    answers: Annotated[
        bool, typer.Option("--answers/--no-answers", help="Whether practitioners answer the links they owe.")
    ] = True,
    broken: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of events with a broken one sent before.")
    ] = 0.0,
    csv: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Only write tables and their mappings, one per agency.")
    ] = None,
    jsonl: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Only write CloudEvents, one a line, a file per agency.")
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Publish to the running service of --data; its log keeps the invented cases."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="An empty directory to keep the data in; with --live, the service's own."),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Run an invented county: calls, arrests, courts, orders, supervision, as its agencies would report them.

    Reports come late and out of order, some twice, some wrong and corrected; deadlines are missed. By default all goes
    through a backbone in this process that lives in simulated time, so that deadlines pass and links escalate as they
    would. With --live it goes to a service that runs: there deadlines pass by the wall clock. At real speed all is as
    it would be; at 60x what takes hours takes minutes, so hardly any deadline passes; at max everything has happened
    in the past, and links may be due when they open. With --csv or --jsonl nothing is published.

    Every person, number and place is made up. How often things happen is set in tables, see services/simulator: many
    figures are not those of your county.
    """
    wish = _Wish(
        county=_county(population, days, follow, profile, broken),
        seed=seed,
        speed=_speed(speed),
        answers=answers,
        as_json=as_json,
    )
    if sum((csv is not None, jsonl is not None, live)) > 1:
        raise typer.BadParameter("give one of --csv, --jsonl and --live")
    if url is not None and not live:
        raise typer.BadParameter("--url is for --live: the service that the invented cases go to")
    if csv is not None or jsonl is not None:
        _files(wish, csv, jsonl)
        return
    tally = _ran(wish, _live(wish, data, url) if live else _own(wish, data))
    if not tally.sound:
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for."""

    county: County
    seed: int
    speed: float | None
    answers: bool
    as_json: bool


def _county(population: int, days: float, follow: float, profile: str, broken: float) -> County:
    from services.simulator import County, Profile

    try:
        named = Profile.named(profile)
    except LookupError as error:
        raise typer.BadParameter(str(error.args[0]), param_hint="--profile") from None
    return County(population=population, days=days, tail_days=follow, profile=named, broken=broken)


def _speed(text: str) -> float | None:
    """Simulated seconds in a real one; None: as fast as it goes."""
    if text == "max":
        return None
    try:
        speed = 1.0 if text == "real" else float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed <= MAX_SPEED:
        raise typer.BadParameter("give max, real, or a number such as 60x", param_hint="--speed")
    return speed


def _files(wish: _Wish, csv: Path | None, jsonl: Path | None) -> None:
    from services.cli.printing import json_line, say
    from services.cli.simulated_files import write_lines, write_tables
    from services.cli.simulated_screen import simulated_hours

    with simulated_hours(wish.county) as passed:
        if csv is not None:
            where, written = csv, write_tables(wish.county, wish.seed, csv, passed)
        else:
            assert jsonl is not None  # noqa: S101  # one of the two was given
            where, written = jsonl, write_lines(wish.county, wish.seed, jsonl, passed)
    if wish.as_json:
        json_line({"directory": str(where), "events_sent": written.total(), "agencies": dict(sorted(written.items()))})
        return
    say(f"{written.total()} events of {len(written)} agencies written to {where}")
    if csv is not None:
        say(f"Take them in, agency by agency: ccr ingest {where}/le.csv --mapping {where}/le.mapping.yaml")
    else:
        say(f"Take them in, agency by agency: ccr import {where}/le.jsonl --agency le")


@dataclass(frozen=True, slots=True)
class _Run:
    """A county about to run, and what to say when it has."""

    begin: Callable[[Path, Told], Coroutine[Any, Any, Tally]]
    directory: AbstractContextManager[str]
    kept: str = ""


def _own(wish: _Wish, data: Path | None) -> _Run:
    from services.cli.simulated_county import simulated

    if data is not None and data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise Refused(
            f"{data} is not an empty directory: a simulation starts from nothing, give --data another one, "
            "or --live to publish to the service that runs on it"
        )
    directory = TemporaryDirectory(prefix="ccr-simulation-") if data is None else nullcontext(str(data))
    kept = "" if data is None else f"Its data is in {data}: see ccr replay --verify --data {data}"
    return _Run(
        lambda where, passed: simulated(
            wish.county, wish.seed, where, answering=wish.answers, speed=wish.speed, passed=passed
        ),
        directory,
        kept,
    )


def _live(wish: _Wish, data: Path | None, url: str | None) -> _Run:
    from ccr_events.policy import load_policies
    from services.cli.local import read_local_keys
    from services.cli.options import DEFAULT_DATA
    from services.cli.simulated_live import ends_before, lived, service_at

    where = data or DEFAULT_DATA
    address, keys = service_at(where, url), read_local_keys(where)
    now = datetime.now(UTC)
    start = ends_before(now, wish.county) if wish.speed is None else now
    county = replace(wish.county, start=start)
    return _Run(
        lambda _, passed: lived(
            county,
            wish.seed,
            address,
            keys,
            load_policies(),
            answering=wish.answers,
            speed=wish.speed,
            passed=lambda at: passed(at - start + wish.county.start),
        ),
        nullcontext(str(where)),
    )


def _ran(wish: _Wish, run: _Run) -> Tally:
    from services.cli.printing import json_line
    from services.cli.simulated_screen import simulated_hours, tell

    with run.directory as directory, simulated_hours(wish.county) as passed:
        tally = asyncio.run(_until_stopped(run, Path(directory), passed))
    if wish.as_json:
        json_line(tally.form())
    else:
        tell(tally, run.kept)
    return tally


async def _until_stopped(run: _Run, directory: Path, passed: Told) -> Tally:
    from services.cli.printing import warn
    from services.cli.stopping import stop_asked

    async with stop_asked() as asked:
        running = asyncio.create_task(run.begin(directory, passed))
        stopping = asyncio.create_task(asked.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not running.done():
            running.cancel()
        try:
            return await running
        except asyncio.CancelledError:
            warn("ccr: stopped before the end of the simulated time")
            raise typer.Exit(INTERRUPTED) from None
