"""Every way of the Kafka bench: how it is started, in which environment, and what it makes durable when.

A peer's environment is made on demand below `bench/peers/.env`, from its hash-locked requirements; Kafka Streams is
fetched from Maven Central and compiled there with Eclipse's compiler, so that a Java without a compiler will do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "bench" / "peers"
ENVIRONMENTS = PEERS / ".env"
UV = ROOT / ".tools" / "bin" / "uv"
STREAMS = "org.apache.kafka:kafka-streams:4.1.2"
COMPILER = "org.eclipse.jdt:ecj:3.42.0"
JAVA_SOURCE = "17"
"""Version of Java that the source is written in; the one that runs it may be newer."""
PATIENCE_S = 600.0
"""How long fetching an environment may take."""


class Refused(Exception):
    """A tool cannot be had here; the text says what was refused."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to fold the events."""

    name: str
    command: Callable[[], Sequence[str]]
    """The process, but for its task. Makes the environment when it is not there. Raises `Refused`."""
    durable: str
    """What it makes durable, and when."""
    part: int = 1
    """It reads only every so-and-so-many part of the events: at its rate, all would take most of the time."""
    options: Mapping[str, str] = field(default_factory=dict)


def environment(name: str) -> Path:
    """The Python of a peer's environment, made anew when its locked requirements changed. Raises `Refused`."""
    requirements = PEERS / name / "requirements.txt"
    home = ENVIRONMENTS / name
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    mark, python = home / "ready", home / "bin" / "python"
    if mark.exists() and mark.read_text() == wanted:
        return python
    if not UV.exists():
        raise Refused(f"{UV.relative_to(ROOT)} is missing: make bench-kafka installs it")
    shutil.rmtree(home, ignore_errors=True)
    _run(name, [str(UV), "venv", "--quiet", "--python", os.path.realpath(sys.executable), str(home)])
    _run(
        name,
        [str(UV), "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(requirements)],
    )
    mark.write_text(wanted)
    return python


def java_classes() -> tuple[Path, str]:
    """Java, and the class path with Kafka Streams and the compiled peer. Raises `Refused`."""
    import jgo
    from jgo.config import GlobalSettings

    from services.engine.kafka.broker.jars import java

    source = PEERS / "kafka_streams" / "CaseViews.java"
    repositories = GlobalSettings.load().repositories
    try:
        jars = [str(jar) for jar in jgo.build(STREAMS, repositories=repositories).all_jars]
        compiler = [str(jar) for jar in jgo.build(COMPILER, repositories=repositories).all_jars]
    except (OSError, RuntimeError) as failed:
        raise Refused(f"{STREAMS} and {COMPILER} from Maven Central: {type(failed).__name__}") from failed
    home = ENVIRONMENTS / "kafka_streams"
    wanted = hashlib.sha256(source.read_bytes() + "".join(sorted(jars)).encode()).hexdigest()
    mark, libraries = home / "ready", os.pathsep.join(sorted(jars))
    if not (mark.exists() and mark.read_text() == wanted):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        compiled = ["-cp", os.pathsep.join(compiler), "org.eclipse.jdt.internal.compiler.batch.Main"]
        versions = ["-source", JAVA_SOURCE, "-target", JAVA_SOURCE]
        _run("kafka_streams", [str(java()), *compiled, *versions, "-cp", libraries, "-d", str(home), str(source)])
        mark.write_text(wanted)
    return java(), os.pathsep.join([str(home), libraries])


def _run(name: str, command: Sequence[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, cwd=PEERS / name)
    if ran.returncode:
        raise Refused(f"{name}: {Path(command[0]).name} ended with {ran.returncode}: {ran.stderr.strip()[-1_000:]}")


def _own(module: str) -> Callable[[], Sequence[str]]:
    return lambda: [sys.executable, "-m", module]


def _python(name: str) -> Callable[[], Sequence[str]]:
    return lambda: [str(environment(name)), str(PEERS / name / "run.py")]


def _streams() -> Sequence[str]:
    java, classes = java_classes()
    return [str(java), "-cp", classes, "CaseViews"]


CHANGED = "newest views that a batch changed to a compacted topic, acknowledged, then the position; views in memory"
WAYS = (
    Way(
        "ours",
        _own("bench.kafka_ours"),
        "newest views to a changelog each second, acknowledged, then to a local SQLite file with the position, then "
        "the position; ready views in memory",
    ),
    Way("librdkafka", _python("librdkafka"), CHANGED),
    Way("aiokafka", _python("aiokafka"), CHANGED),
    Way(
        "kafka_streams",
        _streams,
        "RocksDB behind a cache of 10 MB; newest views to a changelog, acknowledged, and the position, every 30 s "
        "and at the end",
        options={"guarantee": "at_least_once"},
    ),
    Way(
        "kafka_streams_exactly_once",
        _streams,
        "the same in a Kafka transaction every 100 ms",
        options={"guarantee": "exactly_once_v2"},
    ),
    Way(
        "bytewax",
        _python("bytewax"),
        "newest views that a batch changed to a topic, acknowledged; no position, no recovery: a crash loses the state",
        options={"recovery": "no"},
    ),
    Way(
        "quix",
        _python("quix"),
        "RocksDB; newest views to a changelog, acknowledged, and the position, every 5 s and at the end",
        options={"guarantee": "at-least-once"},
    ),
    Way(
        "faust_table",
        _python("faust_table"),
        "every change to the table's changelog, acknowledged; the position every 2.8 s; views in memory",
        part=20,
        options={"partitions": "4"},
    ),
    Way(
        "bytewax_recovery",
        _python("bytewax"),
        "the same, and a snapshot of changed views and positions to SQLite every 10 s",
        part=4,
        options={"recovery": "yes"},
    ),
    Way(
        "quix_exactly_once",
        _python("quix"),
        "as quix, in a Kafka transaction every 5 s",
        part=4,
        options={"guarantee": "exactly-once"},
    ),
    Way("fold", _own("bench.kafka_alone"), "nothing: no engine, no broker, views in memory"),
)
"""Every way, ours first."""
KEYS = ("ours", "faust_table", "quix", "bytewax", "aiokafka", "librdkafka", "kafka_streams", "fold")
"""Names of `events_per_s` in the line of JSON; the other ways stand beside."""
