"""`ccr worker intake`: what agencies write to their own Kafka topics, taken in."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import typer

from services.cli.kafka_connection import Connection, KafkaData, connected
from services.cli.options import AsJson, Policies
from services.cli.worker_options import DEFAULT_MASTER_KEY, Host, Keys, MasterKeyFile, Port, Store

if TYPE_CHECKING:
    from services.distributed import Settings

DEFAULT_PORT = 8701


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(epilog="Example: ccr worker intake --store postgresql://ccr@db/ccr --keys postgresql://ccr@keys/ccr")(
        connected(intake, KafkaData)
    )


def intake(
    store: Store,
    keys: Keys,
    where: Connection,
    master_key: MasterKeyFile = DEFAULT_MASTER_KEY,
    policies: Policies = None,
    host: Host = "127.0.0.1",
    port: Port = DEFAULT_PORT,
    as_json: AsJson = False,
) -> None:
    """Take in what agencies write to their topics ccr.inbound.AGENCY, until Ctrl-C.

    Each record is an event as it would be sent by HTTP, or an array of them; its agency is the topic's. What is refused
    waits in the agency's quarantine (ccr quarantine list). When the store or Kafka refuses, the topics wait and nothing
    is skipped: GET /readyz on --port says why, and GET /metrics how much waits. Several of these share the topics.
    """
    from services.cli.serving import run_serving
    from services.cli.worker_options import say_it_ourselves
    from services.distributed import Settings

    say_it_ourselves()

    settings = Settings(where.bootstrap, store, keys, master_key, where.security, policies)
    run_serving(_run(settings, host, port, as_json=as_json))


async def _run(settings: Settings, host: str, port: int, *, as_json: bool) -> None:
    from services.cli.printing import json_line, say
    from services.cli.refused import Refused
    from services.cli.stopping import stop_asked
    from services.distributed import open_backbone
    from services.portal.operations import create_watch_app
    from services.portal.server import served

    async with (
        stop_asked() as stopping,
        open_backbone(settings, inbound=True) as backbone,
        served(create_watch_app(backbone), host, port) as (url, serving),
    ):
        if as_json:
            json_line({"url": url, "pid": os.getpid()})
        else:
            say(f"figures    {url}/metrics\nkafka      {settings.bootstrap}\nStop with Ctrl-C.")
        assert backbone.inbound is not None  # noqa: S101  # asked for
        reading = asyncio.create_task(backbone.inbound.run(stopping), name="inbound")
        await asyncio.wait({reading, serving}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            stopping.set()
            await reading
            raise Refused("the HTTP server ended by itself; what it said is above, and nothing is skipped")
        reading.result()
    if not as_json:
        say("stopped; what was taken in is in the store and on Kafka, and the rest waits on the topics")
