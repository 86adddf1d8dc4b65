"""What a command tells of the spool it used."""

from __future__ import annotations

from pathlib import Path

from services.cli.import_targets import Spooled
from services.cli.printing import say, warn


def tell_spooled(spooled: Spooled, directory: Path) -> None:
    """What got through, what waits and why, what was refused."""
    through = ", ".join(f"{count:,} {status}" for status, count in sorted(spooled.counts.items()))
    if through:
        say(through)
    if spooled.waiting:
        say(f"{spooled.waiting:,} kept in the spool {directory}: {spooled.why}")
        say(f"Nothing is lost. Send them with  ccr spool send {directory}")
    if spooled.refused:
        warn(f"{spooled.refused:,} were refused; see  ccr spool refused {directory}")
