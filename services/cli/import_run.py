"""One run of an import: every file, from where it was confirmed, to a backbone or to a trial one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Drawn

from ccr_events.agencies import Agency
from services.adapters.csv import Ledger, MappingErrors, TableError, load_mapping, open_table
from services.adapters.csv.mapping import Mapping
from services.adapters.csv.payload import Told
from services.cli.import_progress import Known, Progress, identity
from services.cli.import_shipping import IsLive, Shipment
from services.cli.import_sources import (
    DocumentSource,
    JsonSource,
    LinesSource,
    Place,
    Source,
    Step,
    TableSource,
)
from services.cli.import_tally import Fault
from services.cli.import_targets import HttpTarget, Target
from services.cli.refused import Refused

MAX_FILES = 100_000
"""Most files of one import."""
SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml")
TABLES = frozenset({".csv", ".tsv", ".txt"})
LEDGER_SUFFIX = ".rows"
"""The ledger of a table lies beside its mapping: `bookings.yaml` has `bookings.yaml.rows`."""
REJECTED = ".rejected.csv"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was told."""

    files: Sequence[str]
    mapping: Path | None
    agency: Agency | None
    timezone: str
    live_from: datetime | None
    data: Path
    url: str | None
    key: str | None = field(repr=False)
    policies: Path | None = None

    def is_live(self, at: datetime | None) -> bool:
        """Whether an event of this time alerts; one whose time cannot be read does, once it is repaired."""
        return self.live_from is not None and (at is None or at >= self.live_from)


@dataclass(slots=True)
class Seen:
    """What tables brought to light besides their rows."""

    told: list[tuple[str, Told]] = field(default_factory=list)
    """(file, what was assumed in its cells, which words have no code)."""
    guessed: list[tuple[str, str]] = field(default_factory=list)
    """(file, what of its layout had to be guessed)."""

    def look(self, source: TableSource) -> None:
        """Note one table."""
        self.told.append((source.path.name, source.table.told))
        if source.table.layout.guessed:
            self.guessed.append((source.path.name, source.table.layout.guessed))


def run_import(asked: Asked, progress: Progress, *, dry_run: bool, quiet: bool) -> dict[str, int]:
    """Everything; returns what links a dry run made. Raises `Refused` when the backbone cannot be reached."""
    if not dry_run:
        with ExitStack() as opened:
            target = HttpTarget(asked.data, asked.url, asked.key, opened)
            ship_all(asked, progress, target, asked.is_live, quiet=quiet, keep=True)
        return {}
    from services.cli.import_trial import trial

    with trial(asked.policies) as thrown_away:
        ship_all(asked, progress, thrown_away, asked.is_live, quiet=quiet, keep=False)
        return thrown_away.links()


@dataclass(slots=True)
class Tables:
    """Mappings and their ledgers, each opened once. `keep`: False looks only, and writes nothing beside the files."""

    given: Path | None
    """The mapping of every table; None: each has its own beside it, `bookings.mapping.yaml` for `bookings.csv`."""
    run: bytes
    keep: bool
    opened: ExitStack
    _known: dict[Path, tuple[Mapping, Ledger]] = field(default_factory=dict)

    def source(self, path: Path, go_on: int | None) -> TableSource:
        """One table; raises `TableError`, `Refused` or `OSError`."""
        mapping, ledger = self._of(self.given or beside(path))
        return TableSource(path, open_table(path, mapping), ledger, go_on, keep=self.keep)

    def _of(self, path: Path) -> tuple[Mapping, Ledger]:
        if path not in self._known:
            try:
                mapping = load_mapping(path)
            except MappingErrors as error:
                raise Refused(f"the mapping cannot be used:\n{error}") from None
            ledger = Ledger(path.with_name(path.name + LEDGER_SUFFIX) if self.keep else None, self.run)
            self.opened.callback(ledger.close)
            self._known[path] = mapping, ledger
        return self._known[path]


def beside(table: Path) -> Path:
    """The mapping that lies beside a table."""
    return table.with_suffix(".mapping.yaml")


def ship_all(
    asked: Asked,
    progress: Progress,
    target: Target,
    is_live: IsLive,
    *,
    quiet: bool,
    keep: bool,
    seen: Seen | None = None,
) -> None:
    """Every file to a target; `keep`: False looks only, and writes nothing beside the files. Raises `Refused`."""
    paths = named_files(asked.files)
    zone = _zone(asked.timezone)
    _check_mappings(asked.mapping, paths)
    identities: dict[Path, bytes] = {}

    def marked(source: Source, place: Place, done: bool) -> None:
        at = Known(place, done, source.kept())
        progress.mark(source.path, identities[source.path], at, shipment.cases)
        if done:
            source.close()

    shipment = Shipment(target, progress.tally, is_live, marked)
    with ExitStack() as opened, _drawn(paths, quiet=quiet) as advanced:
        tables = Tables(asked.mapping, progress.run, keep, opened)
        for path in paths:
            known = progress.known(path)
            if known is not None and known.done:
                advanced(path.stat().st_size)
                continue
            try:
                identities[path] = identity(path)
                go_on = None if known is None else known.kept
                source = _source(path, asked, zone, tables, go_on)
            except (TableError, OSError) as error:
                _not_read(progress, path, error)
                continue
            opened.callback(source.close)
            if seen is not None and isinstance(source, TableSource):
                seen.look(source)
            start = None if known is None else known.place
            shipment.ship(source, _counted(source.steps(start), path, start, advanced), start)
        shipment.flush()


def named_files(names: Sequence[str]) -> list[Path]:
    """Every file named, directories spelled out, each once, in order; raises `Refused`."""
    found: dict[Path, None] = {}
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            inside = [p for p in inside if not p.name.endswith(REJECTED)]
            if not inside:
                raise Refused(f"{name} holds no file of a kind that is read: {', '.join(SUFFIXES)}")
            found.update(dict.fromkeys(inside))
        elif path.is_file():
            if path.suffix.lower() not in SUFFIXES:
                raise Refused(f"{name} is of no kind that is read: {', '.join(SUFFIXES)}")
            found[path] = None
        else:
            raise Refused(f"there is no file {name}")
        if len(found) > MAX_FILES:
            raise Refused(f"more than {MAX_FILES:,} files: import them in parts")
    return list(found)


def _check_mappings(given: Path | None, files: Sequence[Path]) -> None:
    """Before anything is sent, every table must have its mapping."""
    for file in files:
        mapping = given or beside(file)
        if file.suffix.lower() in TABLES and not mapping.is_file():
            raise Refused(
                f"{file} is a table, and there is no mapping {mapping} that says how it is read: name one with "
                f"--mapping. A first draft:  ccr csv init {file} --type arrest.made   (see docs/csv.md)"
            )


def _source(path: Path, asked: Asked, zone: ZoneInfo, tables: Tables, go_on: int | None) -> Source:
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return DocumentSource(path, zone, asked.agency)
    if suffix in (".jsonl", ".ndjson"):
        return LinesSource(path, asked.agency or _named_for(path))
    if suffix == ".json":
        return JsonSource(path, asked.agency or _named_for(path))
    return tables.source(path, go_on)


def _named_for(path: Path) -> Agency | None:
    """The agency that a file of events is called after, as `le.jsonl` is."""
    return Agency(path.stem) if path.stem in set(Agency) else None


def _not_read(progress: Progress, path: Path, error: TableError | OSError) -> None:
    why = f"cannot be opened: {error.strerror}" if isinstance(error, OSError) else str(error)
    progress.tally.rows["rejected"] += 1
    progress.tally.fault(Fault(path.name, "", why))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(f"there is no time zone {name}: give one such as America/Chicago") from None


@contextmanager
def _drawn(paths: Sequence[Path], *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A bar over the bytes of all files, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    screen = Console(file=sys.stderr)
    with Drawn(*columns, console=screen, transient=True, disable=quiet or not screen.is_terminal) as drawn:
        task = drawn.add_task("reading", total=sum(path.stat().st_size for path in paths))
        yield lambda size: drawn.advance(task, size)


def _counted(steps: Iterator[Step], path: Path, start: Place | None, advanced: Callable[[int], None]) -> Iterator[Step]:
    """The steps, their bytes counted as they pass."""
    size, by_bytes = path.stat().st_size, path.suffix.lower() not in (".xml", ".json")
    at = start.offset if start is not None and by_bytes else 0
    advanced(at)
    for step in steps:
        if by_bytes:
            advanced(step.after.offset - at)
            at = step.after.offset
        yield step
    advanced(size - at)
