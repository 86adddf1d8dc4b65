"""Whose history a command looks at: that of `ccr up`, or that of the workers on Kafka."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.casebook.history import History
    from services.casebook.replay_crew import Opened

Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="CCR_STORE",
        metavar="ADDRESS",
        help="The store of ccr worker, in place of --data: postgresql://USER@HOST/NAME or sqlite:///FILE.",
        show_default=False,
    ),
]


def chosen(context: typer.Context, data: Path, store: str | None) -> Opened[History]:
    """How to open it, once or in several processes. Who says --data means it, whatever the environment says.

    Raises `Refused` when the directory holds no log; opening raises `StorageFailed` when the store is none.
    """
    if store is None or (said(context, "data") and not said(context, "store")):
        from services.engine.sqlite.snapshot import open_snapshot

        return partial(open_snapshot, existing(data))
    from services.engine.sql.snapshot import open_store_snapshot

    return partial(open_store_snapshot, store)


def existing(data: Path) -> Path:
    """A data directory that holds a log: looking at a mistyped one must not create it. Raises `Refused`."""
    from services.cli.refused import Refused
    from services.engine.sqlite.database import DATABASE

    if not (data / DATABASE).is_file():
        raise Refused(
            f"{data} holds no log: is it the right directory? --data is that of ccr up. What ccr worker keeps is in "
            "its store: indicators, what-if and --as-of look at it with --store ADDRESS"
        )
    return data


def said(context: typer.Context, name: str) -> bool:
    """Whether a parameter was given on the command line itself."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
