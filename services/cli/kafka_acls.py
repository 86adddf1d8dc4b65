"""`ccr kafka acls`: who may do what on a secure cluster, compared with what each needs, and brought in line with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.kafka_connection import Connection, connected
from services.cli.options import AsJson

if TYPE_CHECKING:
    from services.engine.kafka.security.acls_applied import AclDifference
    from services.engine.kafka.topics import Size


def group() -> typer.Typer:
    """The commands of the group."""
    made = typer.Typer(
        help="Who may do what on a secure cluster, as code: each service what it needs, each agency's adapter to write "
        "its own inbound topic and to read nothing.",
        no_args_is_help=True,
    )
    made.command(epilog="Example: ccr kafka acls plan")(connected(plan))
    made.command(epilog="Example: ccr kafka acls apply --remove-extra")(connected(apply))
    made.command(epilog="Example: ccr kafka acls check --json")(connected(check))
    return made


def plan(
    where: Connection,
    as_json: AsJson = False,
) -> None:
    """Show what differs, and change nothing."""
    _tell(asyncio.run(_differences(where)), as_json=as_json)


def check(
    where: Connection,
    as_json: AsJson = False,
) -> None:
    """As plan, with exit status 1 when anything differs: for scripts and for CI."""
    from services.cli.refused import FAILED

    found = asyncio.run(_differences(where))
    _tell(found, as_json=as_json)
    if found:
        raise typer.Exit(FAILED)


def apply(
    where: Connection,
    remove_extra: Annotated[
        bool, typer.Option("--remove-extra", help="Also take away every ACL that is not in the list.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give what is missing; shows it first. ACLs that are not in the list stay, and exit status 1 tells that.

    Needs the user admin. Run it again after ccr kafka topics repartition: the new topics have other names.
    """
    from services.cli.printing import say
    from services.cli.refused import FAILED

    found = asyncio.run(_differences(where))
    if not as_json:
        _tell(found, as_json=False)
    left = asyncio.run(_applied(where, remove_extra=remove_extra)) if found else ()
    if as_json:
        _tell(left, as_json=True, applied=len(found) - len(left))
    elif found:
        say(f"{len(found) - len(left)} settled, {len(left)} left" + (": see --remove-extra" if left else ""))
    if left:
        raise typer.Exit(FAILED)


async def _differences(where: Connection) -> Sequence[AclDifference]:
    from services.engine.kafka.security.acls import wanted_acls
    from services.engine.kafka.security.acls_applied import acl_differences
    from services.engine.kafka.security.acls_on import acls_on
    from services.engine.kafka.topics import cluster_admin

    wanted = wanted_acls(await _size(where))
    async with cluster_admin(*where) as admin:
        return acl_differences(wanted, await acls_on(admin))


async def _applied(where: Connection, *, remove_extra: bool) -> Sequence[AclDifference]:
    from services.engine.kafka.security.acls import wanted_acls
    from services.engine.kafka.security.acls_applied import apply_acls
    from services.engine.kafka.topics import cluster_admin

    wanted = wanted_acls(await _size(where))
    async with cluster_admin(*where) as admin:
        return await apply_acls(admin, wanted, remove_extra=remove_extra)


async def _size(where: Connection) -> Size:
    """Which topics are in force; copies and partitions do not matter here."""
    from services.engine.kafka.topics import Layout, read_layout

    return (await read_layout(*where) or Layout(1, 1)).size(copies=1)


def _tell(found: Sequence[AclDifference], *, as_json: bool, applied: int | None = None) -> None:
    from services.cli.printing import json_line, table

    if as_json:
        counted = {} if applied is None else {"applied": applied}
        json_line({"differences": [{"what": each.what, **asdict(each.acl)} for each in found], **counted})
        return
    table(
        ["what", "user", "may", "on", "name", "from"],
        [
            (
                each.what,
                each.acl.principal,
                each.acl.operation if each.acl.allows else f"not {each.acl.operation}",
                each.acl.resource,
                f"{each.acl.name}…" if each.acl.prefixed else each.acl.name,
                each.acl.host,
            )
            for each in found
        ],
        none="Every ACL is as it has to be.",
    )
