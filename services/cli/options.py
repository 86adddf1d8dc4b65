"""Options that many commands share, so that they are called and explained alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ccr_events.agencies import Agency

DEFAULT_DATA = Path("ccr-data")
"""Where `ccr up` keeps its data unless told otherwise."""
MAX_LIMIT = 1000
"""Most rows one listing shows."""

RUN = "Run the backbone"
ANSWER = "Alerts and protocol links"
PUBLISH = "Publish events"
KEEP = "Operate and prove"
LEARN = "Written policies and the contract"
"""Panels of `ccr --help`."""

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        envvar="CCR_DATA",
        metavar="DIR",
        help="Data directory; commands on the same machine find the running service and its keys through it.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON on standard output.")]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="CCR_URL", metavar="URL", help="Address of the backbone, when not in --data."),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="CCR_KEY",
        metavar="KEY",
        help="API key, when not in --data. Prefer the variable: others on this machine can see arguments.",
    ),
]
As = Annotated[
    Agency | None,
    typer.Option(
        "--as",
        help="Whose local key to use, ccr's unless told otherwise: the command speaks in that agency's name.",
        show_choices=True,
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=MAX_LIMIT, metavar="N", help="Show at most this many.")]
Spool = Annotated[
    Path | None,
    typer.Option(
        "--spool",
        envvar="CCR_SPOOL",
        metavar="DIR",
        help="Keep every event on this disk, sealed, until the backbone has it: a lost network loses nothing.",
    ),
]
Policies = Annotated[
    Path | None,
    typer.Option(
        "--policies",
        envvar="CCR_POLICIES",
        metavar="DIR",
        help="Folder of written policies; by default those that ship with the backbone.",
    ),
]
