"""What lies in a cluster's directory: which nodes it has, on which ports, as which processes."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import orjson

from services.engine.kafka.broker.errors import BrokerError

STATE = "cluster.json"
"""Name of the file that tells what runs."""
HOST = "127.0.0.1"
"""Brokers of ours listen on this machine only, since those that are not secure ask nobody for a password."""


@dataclass(frozen=True, slots=True)
class Node:
    """One process: a broker and a controller in one."""

    id: int
    port: int
    """Where clients connect."""
    controller_port: int
    peer_port: int = 0
    """Where the other nodes of a secure cluster connect, known by their certificates."""
    pid: int | None = None
    """The last process that was started; it may be gone."""
    started_at: float = 0.0
    """When that process was created (Unix time): a process of the same number and another birth is a stranger's."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster and everything needed to start it again."""

    directory: Path
    version: str
    cluster_id: str
    nodes: tuple[Node, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    """Broker settings beside ours, kept for the next start."""
    secure: bool = False
    """Whether everything is encrypted and everybody known: see `services.engine.kafka.broker.secured`."""

    @property
    def bootstrap(self) -> str:
        """What a client is given: every node, `host:port` with commas."""
        return ",".join(f"{HOST}:{node.port}" for node in self.nodes)

    def node(self, node_id: int) -> Node:
        """One node. Raises `BrokerError`."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise BrokerError(f"there is no node {node_id}; there are 1 to {len(self.nodes)}")

    @property
    def secrets(self) -> Path:
        """Folder of a secure cluster's keys and passwords."""
        return self.directory / "security"

    def certificate(self, node: Node) -> Path:
        """A node's key and certificate, on a secure cluster."""
        return self.secrets / f"node-{node.id}.pem"

    def home(self, node: Node) -> Path:
        """Folder of one node's files."""
        return self.directory / f"node-{node.id}"

    def data(self, node: Node) -> Path:
        """Where a node keeps its part of the log."""
        return self.home(node) / "data"

    def log(self, node: Node) -> Path:
        """What a node says, for people to read."""
        return self.home(node) / "kafka.log"

    def console(self, node: Node) -> Path:
        """What Java itself says, before and beside Kafka's own log."""
        return self.home(node) / "java.log"

    def with_node(self, changed: Node) -> Cluster:
        """The cluster with one node changed."""
        return replace(self, nodes=tuple(changed if node.id == changed.id else node for node in self.nodes))


def new_cluster_id() -> str:
    """A random id in Kafka's own form (`Uuid.randomUuid`): 22 letters of URL-safe base64, the first no hyphen."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not made.startswith("-"):
            return made


def read(directory: Path) -> Cluster | None:
    """The cluster of a directory; None where none was ever started. Raises `BrokerError` on a damaged file."""
    path = directory / STATE
    try:
        stored = orjson.loads(path.read_bytes())
        return Cluster(
            directory=directory,
            version=stored["version"],
            cluster_id=stored["cluster_id"],
            nodes=tuple(Node(**node) for node in stored["nodes"]),
            settings=stored["settings"],
            secure=stored.get("secure", False),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as damaged:
        raise BrokerError(
            f"{path} cannot be read ({type(damaged).__name__}): move the directory {directory} away and start anew, or "
            "put the file back"
        ) from damaged


def write(cluster: Cluster) -> None:
    """Keep it, whole or not at all."""
    stored = {
        "version": cluster.version,
        "cluster_id": cluster.cluster_id,
        "nodes": [asdict(node) for node in cluster.nodes],
        "settings": dict(cluster.settings),
        "secure": cluster.secure,
    }
    half = cluster.directory / f"{STATE}.new"
    half.write_bytes(orjson.dumps(stored, option=orjson.OPT_INDENT_2))
    os.replace(half, cluster.directory / STATE)
