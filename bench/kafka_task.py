"""What one way of the Kafka bench is told. Peers import this file in their own environments."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Task:
    """Read a topic from its beginning to its end, fold it, keep the views, and say how long that took."""

    bootstrap: str
    source: str
    """Topic of the events; it holds exactly `events`."""
    target: str
    """Compacted topic for the views, for tools that do not make one of their own."""
    events: int
    warm: int
    """So many are folded before the watch starts."""
    name: str
    """Never used before: consumer group, application id."""
    directory: str
    """An empty directory for local state."""
    options: dict[str, str] = field(default_factory=dict)
    """What differs between two ways of one tool."""

    def as_line(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


def told() -> Task:
    """The task that this process was started with."""
    return Task(**json.loads(sys.argv[1]))
