"""How a worker's app is set: what a person may choose, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.engine.kafka.security import Security

SESSION_TIMEOUT_S = 10.0
"""A worker that the broker has not heard of for so long is taken for dead, and others go on with its partitions."""
HEARTBEAT_S = 0.5
"""How often a worker is heard of, and how soon it learns that partitions are given out anew."""
COMMIT_S = 0.5
"""How often offsets are committed."""
REBALANCE_TIMEOUT_S = 30.0
"""How long the others wait for a worker to hand in its partitions."""
SHUTDOWN_S = 0.8 * SESSION_TIMEOUT_S
"""How long a clean stop may take; then the worker ends as one that was killed would."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """One worker of one service."""

    service: str
    """Name of the service: also of its consumer group."""
    bootstrap: str
    """`host:port`, with commas."""
    directory: Path
    """What this worker keeps for itself; no other may use it at the same time."""
    instance: str | None = None
    """Name under which the group knows this worker again after a restart (`group.instance.id`); None: a new one each
    time."""
    web_host: str = "127.0.0.1"
    web_port: int | None = None
    """Where health and metrics are served; None: nowhere."""
    security: Security | None = None
    session_timeout_s: float = SESSION_TIMEOUT_S
