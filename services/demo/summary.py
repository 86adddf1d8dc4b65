"""How the demo ends, for a person: what happened, what it was held to, what to try next."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from services.demo.figures import Figures

NEXT = (
    ("make install", "everything into ./.venv"),
    (".venv/bin/ccr up", "the backbone as a service, its data in ./ccr-data"),
    (".venv/bin/ccr watch", "in a second terminal: alerts as they come"),
    (".venv/bin/ccr ingest FILE…", "in a third: NIEM documents of your own"),
    (".venv/bin/ccr policy show jail", "what the policies ask for, and why"),
)
"""Commands a newcomer can go on with, and what each gives."""


def summarise(console: Console, figures: Figures) -> None:
    """Print it."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, told in _rows(figures):
        table.add_row(name, told)
    console.print()
    console.print(table)
    console.print("\nTry next", style="bold")
    for command, gives in NEXT:
        console.print(f"  {command:<32} {gives}", highlight=False, markup=False)


def _rows(f: Figures) -> list[tuple[str, str]]:
    kinds = f.kinds
    return [
        (
            "events",
            f"{f.events} accepted in {f.cases} cases, {f.documents} NIEM documents among them; "
            f"{f.duplicates} sent twice and counted once",
        ),
        (
            "links",
            f"{kinds['link.opened']} opened, {kinds['link.acknowledged']} received, {kinds['link.satisfied']} done, "
            f"{kinds['link.overdue']} overdue, {kinds['link.escalated']} times escalated, "
            f"{kinds['link.waived']} waived, {kinds['link.cancelled']} cancelled, {kinds['link.reopened']} owed again",
        ),
        ("alerts", f"{kinds.total()} delivered, {f.to_advocates} of them to the advocacy program"),
        ("request to alert", f"p50 {f.percentile_ms(50)} ms, p99 {f.percentile_ms(99)} ms"),
        ("quarantine", f"{f.quarantined} refused and kept, {f.redriven} repaired and redriven"),
        ("cases joined", f"{f.merged} by a person's decision"),
        ("lost", f"{f.lost}"),
        ("replay from the log", "identical, byte for byte" if f.replay_identical else "DIFFERS"),
    ]
