"""`ccr kafka`: a real Apache Kafka on this machine, without Docker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.kafka_acls import group as acls_group
from services.cli.kafka_connection import DEFAULT_DATA
from services.cli.kafka_topics import group as topics_group
from services.cli.kafka_users import group as users_group
from services.cli.options import KEEP, AsJson

if TYPE_CHECKING:
    from services.engine.kafka.broker import NodeStanding

MAX_LINES = 10_000
"""Most lines of a log that are shown at once."""

Directory = Annotated[
    Path,
    typer.Option(
        "--data", envvar="CCR_KAFKA_DATA", metavar="DIR", help="Directory of this cluster: its log, settings and state."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Apache Kafka on this machine, without Docker, for trying out and for tests. It listens on this machine "
        "only and, unless it was made with --secure, asks for no password: keep real data out of it.",
        no_args_is_help=True,
    )
    group.command(epilog="Example: ccr kafka up --brokers 3")(up)
    group.command(epilog="Example: ccr kafka down")(down)
    group.command(epilog="Example: ccr kafka status --json")(status)
    group.command(epilog="Example: ccr kafka logs --node 2 --lines 100")(logs)
    group.add_typer(topics_group(), name="topics")
    group.add_typer(acls_group(), name="acls")
    group.add_typer(users_group(), name="users")
    app.add_typer(group, name="kafka", rich_help_panel=KEEP)


def up(
    data: Directory = DEFAULT_DATA,
    brokers: Annotated[
        int | None,
        typer.Option(metavar="1|3", help="How many brokers; kept for the next start. One unless told otherwise."),
    ] = None,
    heap_mb: Annotated[
        int, typer.Option("--heap", min=128, max=32_768, metavar="MB", help="Memory of Java, for each broker.")
    ] = 384,
    secure: Annotated[
        bool,
        typer.Option(
            "--secure", help="Make it secure: TLS, a password for each user, and only what ccr kafka acls allows."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start Kafka, and return when it answers. Called again, it starts only what does not run.

    The first time, the program is fetched from Maven Central (about 50 MB). Free ports are chosen, and kept for the
    next start. It runs on in the background until ccr kafka down.

    A secure cluster stays secure. Its certificates and passwords are made in the folder security of its directory, for
    your eyes only; other commands with the same --data find them there.
    """
    from services.cli.printing import console, json_line, say
    from services.engine.kafka.broker import start

    with console(stderr=True).status("starting Apache Kafka"):
        cluster = asyncio.run(start(data, brokers=brokers, heap_mb=heap_mb, secure=secure))
    if as_json:
        told = {"bootstrap": cluster.bootstrap, "version": cluster.version, "data": str(data)}
        json_line({**told, "secure": cluster.secure})
        return
    say(f"Apache Kafka {cluster.version}\naddress    {cluster.bootstrap}\ndata       {data.absolute()}")
    if cluster.secure:
        say(f"security   {cluster.secrets.absolute()}")
    for node in cluster.nodes:
        say(f"log        {cluster.log(node).absolute()}")
    then = "ccr kafka topics apply" + ("  and  ccr kafka acls apply" if cluster.secure else "")
    say(f"It runs on in the background until  ccr kafka down. Next, when it is new:  {then}")


def down(data: Directory = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Stop Kafka, with its log closed cleanly. Nothing is deleted."""
    from services.cli.printing import json_line, say
    from services.engine.kafka.broker import stop

    stopped = asyncio.run(stop(data))
    if as_json:
        json_line({"stopped": stopped, "data": str(data)})
    else:
        say("stopped" if stopped else f"no Kafka of {data} was running")


def status(data: Directory = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show each broker: whether its process runs and whether it answers. Exit status 1 unless all answer."""
    from services.cli.printing import json_line, table
    from services.cli.refused import FAILED

    nodes = _nodes(data)
    if as_json:
        rows = [{"node": n.id, "port": n.port, "pid": n.pid, "answers": n.answers, "log": str(n.log)} for n in nodes]
        json_line({"nodes": rows})
    else:
        table(
            ["node", "port", "process", "answers", "log"],
            [(str(n.id), str(n.port), str(n.pid or "gone"), "yes" if n.answers else "no", str(n.log)) for n in nodes],
            none=f"No Kafka was ever started in {data}: ccr kafka up",
        )
    if not nodes or not all(node.answers for node in nodes):
        raise typer.Exit(FAILED)


def logs(
    data: Directory = DEFAULT_DATA,
    node: Annotated[int, typer.Option(min=1, metavar="N", help="Which broker's log.")] = 1,
    lines: Annotated[int, typer.Option(min=1, max=MAX_LINES, metavar="N", help="So many lines from its end.")] = 40,
) -> None:
    """Show the end of a broker's log. The path of the whole log is in ccr kafka status."""
    from services.cli.printing import say
    from services.cli.refused import Refused

    found = next((each for each in _nodes(data) if each.id == node), None)
    if found is None:
        raise Refused(f"there is no broker {node} in {data}: see ccr kafka status")
    if not found.log.exists():
        raise Refused(f"{found.log} does not exist: broker {node} has not written any log yet")
    say("\n".join(found.log.read_text("utf-8", "replace").splitlines()[-lines:]))


def _nodes(data: Path) -> tuple[NodeStanding, ...]:
    from services.engine.kafka.broker import standing

    return asyncio.run(standing(data))
