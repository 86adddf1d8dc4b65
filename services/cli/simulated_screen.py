"""What a person sees of a simulated county: how far it is, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from services.cli.printing import pairs, say, warn
from services.cli.progress import progress
from services.cli.simulated_tally import Tally
from services.simulator import County


@contextmanager
def simulated_hours(county: County) -> Iterator[Callable[[datetime], None]]:
    """A progress bar that is told simulated instants; it counts hours."""
    total = max(1, round((county.days + county.tail_days) * 24))
    with progress("Simulated hours") as drawn:
        yield lambda at: drawn(int((at - county.start) / timedelta(hours=1)), total)


def tell(tally: Tally, kept: str) -> None:
    """The summary; `kept`: where the data lies, if it is kept."""
    form = tally.form()
    said: Counter[str] = tally.answers
    pairs(
        [
            ("Events sent", f"{form['events_sent']} in {tally.seconds:.1f} s"),
            ("Accepted", f"{form['accepted']}, {form['duplicates']} sent twice, {form['refused']} refused"),
            ("Links opened", str(form["links_opened"])),
            ("Acknowledged in time", str(form["acknowledged_in_time"])),
            ("Satisfied", f"{form['satisfied']}, {form['satisfied_in_time']} of them in time"),
            ("Waived", str(form["waived"])),
            ("Overdue", str(form["overdue"])),
            ("Escalated", str(form["escalated"])),
            ("Answers", ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(said.items())) or "0"),
            ("Cases merged", str(tally.merged)),
        ]
    )
    if tally.broken:
        say(f"{tally.broken} events were made to be refused, and were.")
    for words in tally.wrong:
        warn(f"not as expected: {words}")
    if tally.not_as_expected > len(tally.wrong):
        warn(f"and {tally.not_as_expected - len(tally.wrong)} more")
    if kept:
        say(kept)
