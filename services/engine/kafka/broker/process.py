"""One node as a process of the operating system: started, known again, stopped, killed."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from services.engine.kafka.broker.errors import BrokerError
from services.engine.kafka.broker.layout import Cluster, Node
from services.engine.kafka.broker.properties import log_configuration, server_properties
from services.engine.kafka.broker.secured import users_to_format

FORMAT_PATIENCE_S = 60.0
"""How long the making of a node's empty store may take."""
TOLD_LINES = 12
"""So many last lines of a log are shown when Java or Kafka fails."""
SAME_BIRTH_S = 1.0
"""Creation times of one process, read twice, differ by less than this."""


@dataclass(frozen=True, slots=True)
class Program:
    """How Kafka is run."""

    java: Path
    class_path: str
    heap_mb: int

    def command(self, *arguments: str, log: Path | None = None) -> list[str]:
        """A command line of Java."""
        logging = [f"-Dlog4j2.configurationFile={log}"] if log else []
        heap = f"-Xmx{self.heap_mb}m"
        return [str(self.java), heap, "-Djava.awt.headless=true", *logging, "-cp", self.class_path, *arguments]


async def prepare(program: Program, cluster: Cluster, node: Node) -> None:
    """Write a node's settings, and make its store the first time. Raises `BrokerError`."""
    home = cluster.home(node)
    home.mkdir(parents=True, exist_ok=True)
    properties = home / "server.properties"
    properties.write_text(server_properties(cluster, node), encoding="utf-8")
    (home / "log4j2.properties").write_text(log_configuration(cluster, node), encoding="utf-8")
    if (cluster.data(node) / "meta.properties").exists():
        return
    formatting = ["kafka.tools.StorageTool", "format", "-t", cluster.cluster_id, "-c", str(properties)]
    with users_to_format(cluster, node) as users:
        made = await asyncio.create_subprocess_exec(
            *program.command(*formatting, *users),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(made.communicate(), FORMAT_PATIENCE_S)
        except BaseException:
            made.kill()
            await made.wait()
            raise
    if made.returncode:
        raise BrokerError(f"Kafka could not make its store in {home}:\n{_last(said.decode(errors='replace'))}")


def launch(program: Program, cluster: Cluster, node: Node) -> Node:
    """Start a prepared node's process, which outlives this one; returns the node with its process."""
    home = cluster.home(node)
    command = program.command("kafka.Kafka", str(home / "server.properties"), log=home / "log4j2.properties")
    with cluster.console(node).open("wb") as console:
        started = subprocess.Popen(  # noqa: S603  # our own command line
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
        )
    started.returncode = 0  # It is known again by number and birth, and reaped by `alive`; Popen must not warn of it.
    return replace(node, pid=started.pid, started_at=psutil.Process(started.pid).create_time())


def process_of(node: Node) -> psutil.Process | None:
    """The node's process while it runs; None when it ended, or its number is now another's."""
    if node.pid is None:
        return None
    try:
        found = psutil.Process(node.pid)
        if abs(found.create_time() - node.started_at) > SAME_BIRTH_S:
            return None
        if found.status() == psutil.STATUS_ZOMBIE:
            _reap(found)
            return None
    except psutil.NoSuchProcess:
        return None
    return found


async def end(processes: Sequence[psutil.Process], patience_s: float) -> bool:
    """Ask processes to end and wait for them; those that do not are killed. True when all ended by themselves."""
    for process in processes:
        _signalled(process.terminate)
    _, left = await asyncio.to_thread(psutil.wait_procs, processes, patience_s)
    await kill(left)
    return not left


async def kill(processes: Sequence[psutil.Process]) -> None:
    """End processes at once (SIGKILL) and wait until they are gone."""
    for process in processes:
        _signalled(process.kill)
    await asyncio.to_thread(psutil.wait_procs, processes)


def last_words(cluster: Cluster, node: Node) -> str:
    """The last lines that a node said, its own log's and Java's."""
    texts = [path.read_text("utf-8", "replace") for path in (cluster.log(node), cluster.console(node)) if path.exists()]
    return _last("\n".join(text for text in texts if text.strip()))


def _last(text: str) -> str:
    """Without the frames of Java's stack traces, which would push out the reason."""
    return "\n".join([line for line in text.splitlines() if not line.startswith("\tat ")][-TOLD_LINES:])


def _reap(process: psutil.Process) -> None:
    """Take the exit status of a child of ours, so that its entry goes; another's child is its own parent's matter."""
    try:
        process.wait(0)
    except psutil.TimeoutExpired:
        return


def _signalled(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
