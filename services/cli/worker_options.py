"""Options that workers share."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="CCR_STORE",
        metavar="ADDRESS",
        help="Database that all workers share: postgresql://USER@HOST/NAME, or sqlite:///FILE on one machine.",
        show_default=False,
    ),
]
Keys = Annotated[
    str,
    typer.Option(
        "--keys",
        envvar="CCR_KEY_STORE",
        metavar="ADDRESS",
        help="Another database, for the keys that seal confidential fields. Its backups are kept apart.",
        show_default=False,
    ),
]
MasterKeyFile = Annotated[
    Path,
    typer.Option(
        "--master-key",
        envvar="CCR_MASTER_KEY_FILE",
        metavar="FILE",
        help="File of the master key, the same for every worker; CCR_MASTER_KEY goes before it.",
    ),
]
DEFAULT_MASTER_KEY = Path("master.key")
Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, metavar="N", help="Port to listen on; 0: any free one.")]
DEFAULT_STATE = Path("ccr-worker")
"""Where workers keep their state unless told otherwise."""
State = Annotated[
    Path,
    typer.Option(
        "--data",
        envvar="CCR_WORKER_DATA",
        metavar="DIR",
        help="Directory of this command's own state. Nothing is lost with it, but reading it anew takes a while.",
    ),
]
DEFAULT_SESSION_TIMEOUT_S = 10
SessionTimeout = Annotated[
    int,
    typer.Option(
        "--session-timeout",
        min=6,
        max=60,
        metavar="S",
        help="A process that was not heard of for so many seconds is taken for dead: others go on with its partitions. "
        "Kafka takes 6 or more, unless its brokers are set otherwise.",
    ),
]


def say_it_ourselves() -> None:
    """A broker that does not answer is told once, in our words; aiokafka would say so many times a second."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
