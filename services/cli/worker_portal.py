"""`ccr worker portal`: intake and alerts over HTTP, for the backbone on Apache Kafka."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.kafka_connection import Connection, KafkaData, connected
from services.cli.options import AsJson, Policies
from services.cli.worker_options import DEFAULT_MASTER_KEY, Host, Keys, MasterKeyFile, Port, Store

if TYPE_CHECKING:
    from services.distributed import Settings

DEFAULT_PORT = 8700
LINGER_S = 12
"""How long requests under way may take to finish once it is told to stop: longer than Kafka may take to acknowledge
(`services.engine.kafka.outgoing.PATIENCE_S`), so that each is answered, with 202 or with 503."""


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog="Example: ccr worker portal --store postgresql://ccr@db/ccr --keys postgresql://ccr@keys/ccr")(
        connected(portal, KafkaData)
    )


def portal(
    store: Store,
    keys: Keys,
    where: Connection,
    master_key: MasterKeyFile = DEFAULT_MASTER_KEY,
    policies: Policies = None,
    host: Host = "127.0.0.1",
    port: Port = DEFAULT_PORT,
    local_keys: Annotated[
        Path | None,
        typer.Option(
            "--local-keys",
            metavar="DIR",
            help="For trying out: keep a key of every agency in DIR, so that commands on this machine find this portal "
            "with --data DIR as they find ccr up.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the whole HTTP interface until Ctrl-C: agencies publish, alerts, links and cases are read, the live page.

    An event is answered 202 once it is in the store and all replicas of Kafka have it. As many of these as you like
    may run at once, on the same store and keys. Give agencies their keys with ccr keys issue --store.
    """
    from services.cli.serving import run_serving
    from services.cli.worker_options import say_it_ourselves
    from services.distributed import Settings

    say_it_ourselves()

    settings = Settings(where.bootstrap, store, keys, master_key, where.security, policies)
    run_serving(_run(settings, host, port, local_keys, as_json=as_json))


async def _run(settings: Settings, host: str, port: int, local_keys: Path | None, *, as_json: bool) -> None:
    from services.cli.portal_local import found_locally
    from services.cli.printing import json_line, say
    from services.cli.serving import until_stopped
    from services.cli.stopping import stop_asked
    from services.distributed import open_backbone
    from services.portal.app import create_app
    from services.portal.server import served

    async with (
        stop_asked() as stopping,
        open_backbone(settings) as backbone,
        served(create_app(backbone), host, port, linger_s=LINGER_S) as (url, serving),
        found_locally(local_keys, backbone, url),
    ):
        if as_json:
            json_line({"url": url, "pid": os.getpid()})
        else:
            say(f"portal     {url}\nlive page  {url}/\nfigures    {url}/metrics")
            say(f"kafka      {settings.bootstrap}\nStop with Ctrl-C.")
        await until_stopped(stopping, serving, besides=", and nothing accepted is lost")
    if not as_json:
        say("stopped; everything accepted is in the store and on Kafka")
