"""A cluster brought up, looked at and stopped. Called twice, each changes nothing the second time."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from services.engine.kafka.broker.answers import brokers_seen_by, in_service
from services.engine.kafka.broker.errors import BrokerError
from services.engine.kafka.broker.guard import stopped_with_us
from services.engine.kafka.broker.jars import KAFKA_VERSION, class_path, java
from services.engine.kafka.broker.layout import Cluster, Node, new_cluster_id, read, write
from services.engine.kafka.broker.ports import all_free, free_ports
from services.engine.kafka.broker.process import Program, end, kill, last_words, launch, prepare, process_of
from services.engine.kafka.broker.secured import keep_secrets
from services.engine.unversioned import make_unversioned

HEAP_MB = 384
"""Java heap of one node, MiB."""
SIZES = (1, 3)
"""How many brokers a cluster of ours may have."""
READY_PATIENCE_S = 90.0
"""A cluster that does not answer after this long is given up."""
STOP_PATIENCE_S = 30.0
"""Nodes that have not ended this long after being asked are killed; Kafka recovers its log at the next start."""
_ASK_EVERY_S = 0.2
_TRIES = 3
"""A port can be taken between being chosen and being used; other ports are then tried, so often in all."""


@dataclass(frozen=True, slots=True)
class NodeStanding:
    """How one node is."""

    id: int
    port: int
    pid: int | None
    """None when its process is gone."""
    answers: bool
    log: Path


async def start(
    directory: Path,
    *,
    brokers: int | None = None,
    heap_mb: int = HEAP_MB,
    settings: Mapping[str, str] | None = None,
    secure: bool = False,
) -> Cluster:
    """Bring up the cluster of a directory, making it the first time; returns when every node really answers.

    Nodes that run already are left alone, those that died are started again. `brokers`: None: as many as it has, one in
    a new cluster. `settings` are broker settings beside
    ours, kept with the cluster. One made `secure` stays so: TLS, users with passwords (`security_of`), and nobody may
    what no ACL allows. Raises `BrokerError`: not fetched, Java failed, another size or version lies there
    already, or one that is not secure; `SecurityRefused` when its key files are damaged.
    """
    if brokers is not None and brokers not in SIZES:
        raise BrokerError(f"a cluster has one or three brokers, not {brokers}")
    program = Program(java(), await asyncio.to_thread(class_path), heap_mb)
    await asyncio.to_thread(make_unversioned, directory)
    async with _alone(directory):
        for remaining in reversed(range(_TRIES)):
            cluster = _with_ports(_known(directory, brokers, settings or {}, secure=secure))
            write(cluster)
            cluster = await _launched(program, cluster)
            try:
                return await _ready(cluster)
            except BaseException as failed:
                # What was started half is not left running behind an error.
                await end(_processes(cluster), STOP_PATIENCE_S)
                taken = isinstance(failed, BrokerError) and "Address already in use" in str(failed)
                if not (taken and remaining):
                    raise
    raise AssertionError("unreachable: the last try returns or raises")


async def stop(directory: Path) -> bool:
    """End the nodes of a directory, the log closed cleanly; False when none ran. Raises `BrokerError`."""
    if read(directory) is None:
        return False
    async with _alone(directory):
        cluster = read(directory)
        found = _processes(cluster) if cluster else []
        await end(found, STOP_PATIENCE_S)
        return bool(found)


async def kill_node(directory: Path, node_id: int) -> None:
    """End one node at once, as a power cut would; `start` brings it back. Raises `BrokerError`."""
    cluster = read(directory)
    if cluster is None:
        raise BrokerError(f"no cluster was ever started in {directory}")
    found = process_of(cluster.node(node_id))
    await kill([found] if found else [])


async def standing(directory: Path) -> tuple[NodeStanding, ...]:
    """How the nodes of a directory are; none when no cluster was ever started there. Raises `BrokerError`."""
    cluster = read(directory)
    if cluster is None:
        return ()
    seen = []
    for node in cluster.nodes:
        found = process_of(node)
        answers = found is not None and node.id in await brokers_seen_by(cluster, node)
        seen.append(NodeStanding(node.id, node.port, found.pid if found else None, answers, cluster.log(node)))
    return tuple(seen)


@asynccontextmanager
async def broker(
    directory: Path,
    *,
    brokers: int = 1,
    heap_mb: int = HEAP_MB,
    settings: Mapping[str, str] | None = None,
    secure: bool = False,
    keep: bool = False,
) -> AsyncIterator[str]:
    """A cluster for as long as the block lasts; yields its bootstrap address.

    It ends with this process, however that ends. The directory's cluster is thrown away at the end unless `keep`.
    Raises `BrokerError` as `start` does.
    """
    async with stopped_with_us(directory, sys.executable):
        cluster = await start(directory, brokers=brokers, heap_mb=heap_mb, settings=settings, secure=secure)
        try:
            yield cluster.bootstrap
        finally:
            if keep:
                await stop(directory)
            else:
                # Nothing is kept, so nothing need be closed cleanly.
                await kill(_processes(read(directory) or cluster))
                await asyncio.to_thread(shutil.rmtree, directory)


def _known(directory: Path, brokers: int | None, settings: Mapping[str, str], *, secure: bool) -> Cluster:
    """The directory's cluster, or a new one."""
    cluster = read(directory)
    if cluster is None:
        nodes = tuple(Node(id=number, port=0, controller_port=0) for number in range(1, (brokers or 1) + 1))
        return Cluster(directory, KAFKA_VERSION, new_cluster_id(), nodes, dict(settings), secure)
    if brokers is not None and len(cluster.nodes) != brokers:
        raise BrokerError(
            f"{directory} holds a cluster of {len(cluster.nodes)} broker(s), not {brokers}: ask for as many as it "
            "has, or use another directory"
        )
    if cluster.version != KAFKA_VERSION:
        raise BrokerError(
            f"{directory} was written by Apache Kafka {cluster.version}, this is {KAFKA_VERSION}: use another "
            "directory; this one's topics can be read with the version that wrote them"
        )
    if secure and not cluster.secure:
        raise BrokerError(f"{directory} holds a cluster that is not secure: use another directory for a secure one")
    return replace(cluster, settings={**cluster.settings, **settings})


def _with_ports(cluster: Cluster) -> Cluster:
    """The same ports as before, which clients remember, unless a stranger took one while no node ran."""
    if _processes(cluster):
        return cluster
    ports = [
        port
        for node in cluster.nodes
        for port in (node.port, node.controller_port, *([node.peer_port] if cluster.secure else []))
    ]
    if all(ports) and all_free(ports):
        return cluster
    chosen = iter(free_ports(len(ports)))
    nodes = tuple(
        replace(
            node,
            port=next(chosen),
            controller_port=next(chosen),
            peer_port=next(chosen) if cluster.secure else 0,
        )
        for node in cluster.nodes
    )
    return replace(cluster, nodes=nodes)


async def _launched(program: Program, cluster: Cluster) -> Cluster:
    """Start the nodes that do not run; each is written down as soon as it has a process."""
    asleep = [node for node in cluster.nodes if process_of(node) is None]
    if cluster.secure and asleep:
        await asyncio.to_thread(keep_secrets, cluster)
    await asyncio.gather(*(prepare(program, cluster, node) for node in asleep))
    for node in asleep:
        cluster.log(node).unlink(missing_ok=True)
        cluster = cluster.with_node(launch(program, cluster, node))
        write(cluster)
    return cluster


async def _ready(cluster: Cluster) -> Cluster:
    """Wait until all nodes answer. Raises `BrokerError` with the last words of one that ended or does not answer."""
    try:
        async with asyncio.timeout(READY_PATIENCE_S):
            while not await in_service(cluster):
                for node in cluster.nodes:
                    if process_of(node) is None:
                        raise BrokerError(f"Kafka's node {node.id} ended at once:\n{last_words(cluster, node)}")
                await asyncio.sleep(_ASK_EVERY_S)
    except TimeoutError as waited:
        raise BrokerError(
            f"Kafka did not answer within {READY_PATIENCE_S:.0f} s; its log {cluster.log(cluster.nodes[0])} "
            f"ends with:\n{last_words(cluster, cluster.nodes[0])}"
        ) from waited
    return cluster


def _processes(cluster: Cluster) -> list[psutil.Process]:
    return [found for node in cluster.nodes if (found := process_of(node))]


@asynccontextmanager
async def _alone(directory: Path) -> AsyncIterator[None]:
    """Two that bring up or stop the same directory take turns."""
    with (directory / "lock").open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield
