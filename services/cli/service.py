"""`ccr up`: the whole backbone as one process on one directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ccr_events.agencies import Agency
from services.cli.options import DEFAULT_DATA, RUN, AsJson, Data, Policies

if TYPE_CHECKING:
    from services.embedded import Backbone, Settings

DEFAULT_PORT = 8700
LOCAL_LABEL = "this machine"
"""Label of the keys in `local-keys.json`."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=RUN, epilog="Example: ccr up --data county --master-key /media/safe/master.key")(up)


def up(
    data: Data = DEFAULT_DATA,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on; 0: any free one.")
    ] = DEFAULT_PORT,
    policies: Policies = None,
    master_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the master key here, apart from the data; CCR_MASTER_KEY goes before both."
        ),
    ] = None,
    local_keys: Annotated[
        bool, typer.Option("--local-keys/--no-local-keys", help="Make keys for the commands on this machine.")
    ] = True,
    read_model: Annotated[
        str | None,
        typer.Option(
            envvar="CCR_READ_MODEL",
            metavar="ADDRESS",
            help="Keep events and links as SQL tables too, to query: sqlite:///FILE or postgresql://USER@HOST/NAME.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the backbone until Ctrl-C, with its data kept in a directory.

    Everything accepted is on disk before it is answered: stop it, or pull the plug, and start it again. The first start
    makes the directory, a master key that seals confidential fields, and keys with which commands on this machine
    (ccr watch, ccr ingest, ccr ack) reach it by --data alone.
    """
    from services.cli.serving import run_serving
    from services.embedded import Settings

    settings = Settings(data=data, policies=policies, master_key=master_key, read_model=read_model)
    run_serving(_run(settings, host, port, local_keys=local_keys, as_json=as_json))


async def _run(settings: Settings, host: str, port: int, *, local_keys: bool, as_json: bool) -> None:
    from services.cli.local import Server, forget_server, write_server
    from services.cli.printing import say
    from services.cli.serving import until_stopped
    from services.cli.stopping import stop_asked
    from services.embedded import open_backbone
    from services.portal.app import create_app
    from services.portal.server import served

    async with stop_asked() as stopping, open_backbone(settings) as backbone:
        keys = await _local_keys(backbone, settings.data, make=local_keys)
        async with served(create_app(backbone), host, port) as (url, serving):
            write_server(settings.data, Server(url, os.getpid()))
            try:
                _tell(settings, host, url, keys, as_json=as_json)
                await until_stopped(stopping, serving, besides=", and nothing accepted is lost")
            finally:
                forget_server(settings.data)
    if not as_json:
        say("stopped; everything accepted is on disk")


async def _local_keys(backbone: Backbone, data: Path, *, make: bool) -> Mapping[str, str]:
    """The keys of this machine; made when there are none yet."""
    from services.cli.local import read_local_keys, write_local_keys

    keys = read_local_keys(data)
    if keys or not make:
        return keys
    made = {agency.value: await backbone.issue_key(agency, LOCAL_LABEL) for agency in Agency}
    write_local_keys(data, made)
    return made


def _tell(settings: Settings, host: str, url: str, keys: Mapping[str, str], *, as_json: bool) -> None:
    from services.cli.client import is_local
    from services.cli.local import LOCAL_KEYS
    from services.cli.printing import console, json_line, say, warn
    from services.embedded import MASTER_KEY_FILE
    from services.sealing.master_key import ENVIRONMENT

    if as_json:
        json_line({"url": url, "data": str(settings.data), "pid": os.getpid()})
        return
    page = f"{url}/"
    if Agency.CCR.value in keys:
        # A log must not hold a key, so only a person at a terminal is shown it.
        key = keys[Agency.CCR.value] if console().is_terminal else f"<ccr's key from {settings.data / LOCAL_KEYS}>"
        page = f"{page}#key={key}"
    say(f"backbone   {url}\nlive page  {page}\ndata       {settings.data.absolute()}")
    if settings.master_key is None and ENVIRONMENT not in os.environ:
        warn(
            f"\nThe master key lies beside the data, in {settings.data / MASTER_KEY_FILE}: good for a first look. For "
            "real data move it elsewhere and name it with --master-key; without it nothing sealed can ever be opened."
        )
    if not is_local(host):
        warn("\nOthers can reach this address, without TLS: put a proxy that speaks TLS in front.")
    option = "" if settings.data == DEFAULT_DATA else f" --data {settings.data}"
    say(f"\nNow, in a second terminal:  ccr watch{option}")
    say(f"and in a third:             ccr ingest{option} FILE.xml")
    say(f"or without a document:      ccr schema show arrest.made --example | ccr publish -{option}")
    say("Stop with Ctrl-C.")
