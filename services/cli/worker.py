"""`ccr worker`: the parts of the backbone on Apache Kafka, each in processes of its own."""

from __future__ import annotations

import typer

from services.cli import worker_alerts, worker_casebook, worker_intake, worker_monitor, worker_portal
from services.cli.options import RUN


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="The backbone on Apache Kafka: each part runs in processes of its own, as many as are needed, on as many "
        "machines. For one city, ccr up does it all in one process.",
        no_args_is_help=True,
    )
    worker_casebook.register(group)
    worker_monitor.register(group)
    worker_portal.register(group)
    worker_alerts.register(group)
    worker_intake.register(group)
    app.add_typer(group, name="worker", rich_help_panel=RUN)
