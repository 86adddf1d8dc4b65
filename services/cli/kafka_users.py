"""`ccr kafka users`: passwords of those who may use a secure cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.cli.kafka_connection import (
    DEFAULT_DATA,
    Bootstrap,
    CaFile,
    Connection,
    Data,
    PasswordFile,
    User,
    connection,
)
from services.cli.options import AsJson


def group() -> typer.Typer:
    """The commands of the group."""
    made = typer.Typer(
        help="Users of a secure cluster: each service and each agency's adapter has one of its own, made with the "
        "cluster.",
        no_args_is_help=True,
    )
    made.callback()(_several)
    made.command(epilog="Example: ccr kafka users renew agency-le")(renew)
    return made


def _several() -> None:
    """Makes `users` a group although it has one command."""


def renew(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose password, for example agency-le.")],
    bootstrap: Bootstrap = None,
    data: Data = DEFAULT_DATA,
    ca_file: CaFile = None,
    user: User = None,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a user a new password and show it. The old one lets nobody in any more.

    Needs the user admin. Connections that are open already stay open: restart what uses the old password. On a cluster
    of ccr kafka up, the new password is also put into its file.
    """
    from services.cli.printing import json_line, say, warn

    where = connection(bootstrap, data, ca_file, user, password_file)
    password = asyncio.run(_renewed(where, name))
    kept = None if bootstrap else _keep(data, name, password)
    if as_json:
        json_line({"user": name, "password": password})
    else:
        say(password)
        where_it_is = "keep it now, it cannot be shown again" if kept is None else f"it is also in {kept}"
        warn(f"the new password of {name}; {where_it_is}")


async def _renewed(where: Connection, name: str) -> str:
    from services.engine.kafka.security.users import renew_password
    from services.engine.kafka.topics import cluster_admin

    async with cluster_admin(*where) as admin:
        return await renew_password(admin, name)


def _keep(data: Path, name: str, password: str) -> Path | None:
    """The file that it is put into; None where the cluster has none."""
    from services.engine.kafka.broker import password_file
    from services.engine.kafka.broker.layout import read
    from services.engine.kafka.security.private_files import write_private

    cluster = read(data)
    if cluster is None or not cluster.secure:
        return None
    path = password_file(cluster, name)
    write_private(path, password.encode() + b"\n")
    return path
