"""`ccr kafka topics`: the topics of a cluster compared with the catalogue, and brought in line with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.kafka_connection import Connection, connected
from services.cli.options import AsJson

if TYPE_CHECKING:
    from services.engine.kafka.topics import Difference, Topic
    from services.engine.kafka.topics.repartition import Repartitioned

Partitions = Annotated[
    int | None,
    typer.Option(
        "--partitions",
        min=1,
        max=1024,
        metavar="N",
        help="Partitions of the topics keyed by case; by default as many as the cluster was given, or 12.",
    ),
]
Copies = Annotated[
    int | None,
    typer.Option(
        "--copies",
        min=1,
        max=3,
        metavar="N",
        help="Brokers that keep each record; by default as many as there are, on a new cluster 3, or 1 on one broker.",
    ),
]
DEFAULT_PARTITIONS = 12


def group() -> typer.Typer:
    """The commands of the group."""
    made = typer.Typer(
        help="Topics as code: the cluster's topics compared with what the backbone needs. Services refuse to start on "
        "a difference.",
        no_args_is_help=True,
    )
    made.command(epilog="Example: ccr kafka topics plan --partitions 24")(connected(plan))
    made.command(epilog="Example: ccr kafka topics apply --bootstrap kafka1:9092")(connected(apply))
    made.command(epilog="Example: ccr kafka topics check --json")(connected(check))
    made.command(epilog="Example: ccr kafka topics repartition --partitions 24")(connected(repartition))
    return made


def plan(
    where: Connection,
    partitions: Partitions = None,
    copies: Copies = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs, and change nothing."""
    _, found = asyncio.run(_differences(where, partitions, copies))
    _tell(found, as_json=as_json)


def check(
    where: Connection,
    partitions: Partitions = None,
    copies: Copies = None,
    as_json: AsJson = False,
) -> None:
    """As plan, with exit status 1 when anything differs: for scripts and for CI."""
    from services.cli.refused import FAILED

    _, found = asyncio.run(_differences(where, partitions, copies))
    _tell(found, as_json=as_json)
    if found:
        raise typer.Exit(FAILED)


def apply(
    where: Connection,
    partitions: Partitions = None,
    copies: Copies = None,
    as_json: AsJson = False,
) -> None:
    """Make the missing topics and set what is set otherwise; shows it first. Nothing is ever deleted.

    Partition counts and copies of topics that exist are left alone, and exit status 1 tells that they differ.
    """
    from services.cli.refused import FAILED

    found, left = asyncio.run(_applied(where, partitions, copies, quiet=as_json))
    if as_json:
        _tell(left, as_json=True, applied=len(found) - len(left))
    elif left:
        _tell(left, as_json=False)
    if left:
        raise typer.Exit(FAILED)


def repartition(
    partitions: Annotated[int, typer.Option("--partitions", min=2, max=1024, metavar="N", help="How many; only more.")],
    where: Connection,
    as_json: AsJson = False,
) -> None:
    """Give the topics keyed by case more partitions. Every service must be stopped, with everything read.

    Adding partitions in place would part a case from its history. So the topics are written anew, each case in order,
    and put in force at the end; until then the old ones count, and it can be run again. From its beginning the old ones
    take nothing more: who still writes is refused, and has to be started again. They are kept, for the way back: delete
    them when you are sure. On a secure cluster it needs the user admin, and then ccr kafka acls apply.
    """
    from services.cli.printing import json_line, say
    from services.cli.progress import progress

    with progress("records") as drawn:
        done = asyncio.run(_repartitioned(where, partitions, drawn))
    if as_json:
        json_line(asdict(done))
        return
    rights = "" if where.security is None else "ccr kafka acls apply --remove-extra gives the services the new topics. "
    say(
        f"{done.records:,} records copied into {done.after.partitions} partitions each; generation "
        f"{done.after.generation} is in force. Readers that go on: {', '.join(done.groups) or 'none'}. {rights}Start "
        "the services."
    )


async def _repartitioned(where: Connection, partitions: int, drawn: Callable[[int, int], None]) -> Repartitioned:
    from services.cli.refused import Refused
    from services.engine.kafka.topics import TopicsMismatch, catalogue, cluster_admin, plan, read_layout
    from services.engine.kafka.topics.in_force import NO_LAYOUT, copies_in_force
    from services.engine.kafka.topics.repartition import repartition as write_anew

    layout = await read_layout(*where)
    if layout is None:
        raise Refused(NO_LAYOUT)
    if partitions <= layout.partitions:
        raise Refused(f"partitions can only be added: there are {layout.partitions}")
    async with cluster_admin(*where) as admin:
        now = layout.size(await copies_in_force(admin))
    found = [each for each in await plan(where.bootstrap, catalogue(now), where.security) if not each.closed]
    if found:
        raise TopicsMismatch(found, None if where.security is None else where.security.user)
    return await write_anew(where.bootstrap, now, partitions, drawn, where.security)


async def _applied(
    where: Connection, partitions: int | None, copies: int | None, *, quiet: bool
) -> tuple[Sequence[Difference], Sequence[Difference]]:
    from services.cli.printing import say
    from services.engine.kafka.topics import Layout, cluster_admin, read_layout, write_layout
    from services.engine.kafka.topics import apply as settle

    wanted, found = await _differences(where, partitions, copies)
    if not quiet:
        _tell(found, as_json=False)
    async with cluster_admin(*where) as admin:
        left = await settle(admin, wanted, found)
        if not left and await read_layout(*where) is None:
            layout = Layout(1, next(topic.partitions for topic in wanted if topic.by_case))
            await write_layout(where.bootstrap, layout, where.security)
    if found and not quiet:
        say(f"{len(found) - len(left)} settled, {len(left)} left for a person")
    return found, left


async def _differences(
    where: Connection, partitions: int | None, copies: int | None
) -> tuple[Sequence[Topic], Sequence[Difference]]:
    from services.engine.kafka.topics import (
        Layout,
        Size,
        catalogue,
        cluster_admin,
        differences,
        read_layout,
        topics_on,
    )
    from services.engine.kafka.topics.in_force import copies_in_force

    async with cluster_admin(*where) as admin:
        if copies is None:
            copies = await copies_in_force(admin)
        layout = await read_layout(*where) or Layout(1, partitions or DEFAULT_PARTITIONS)
        wanted = catalogue(Size(partitions or layout.partitions, copies, layout.generation))
        return wanted, differences(wanted, await topics_on(admin, [topic.name for topic in wanted]))


def _tell(found: Sequence[Difference], *, as_json: bool, applied: int | None = None) -> None:
    from services.cli.printing import json_line, table

    if as_json:
        counted = {} if applied is None else {"applied": applied}
        json_line({"differences": [asdict(each) for each in found], **counted})
        return
    table(
        ["topic", "what", "is", "has to be", "how"],
        [(d.topic, d.name, d.has, d.wants, d.remedy or "ccr kafka topics apply") for d in found],
        none="Every topic is as it has to be.",
    )
