"""Which faults a seed brings, and how often. Every seed has its own mix: a fault in every run would hide the others
(A. Groce et al., "Swarm Testing", ISSTA 2012)."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Plan:
    """Rates are per simulated day, the others shares of all messages."""

    days: int
    """Over how many days the histories begin."""
    invented: bool
    """Whether the reports are an invented county's; else histories of the scripted week."""
    histories: int
    """How many of them."""
    broken: float
    """Share of reports of an invented county that come with a broken one."""
    lost_requests: float
    lost_answers: float
    repeated: float
    slow_network: bool
    crashes: float
    restarts: float
    refusals: float
    jumps: float
    slow_listeners: bool
    broken_streams: float
    """Share of alerts after which the connection breaks."""
    small_buffers: bool
    """Whether subscribers are let go after a few waiting alerts."""
    checkpoint_pages: int
    """Pages in the write-ahead log after which it is copied back."""
    batches: float
    """Share of reports that are sent with others."""


def plan_of(random: Random) -> Plan:
    """A plan; about half of the faults are left out."""

    def some(most: float) -> float:
        return random.random() * most if random.random() < 0.5 else 0.0

    days = random.choice((3, 14, 60, 120))
    return Plan(
        days=days,
        invented=random.random() < 0.5,
        broken=some(0.2),
        histories=random.randint(1, 3),
        lost_requests=some(0.3),
        lost_answers=some(0.3),
        repeated=some(0.3),
        slow_network=random.random() < 0.3,
        crashes=some(30.0 / days),
        restarts=some(4.0 / days),
        refusals=some(8.0 / days),
        jumps=some(8.0 / days),
        slow_listeners=random.random() < 0.4,
        broken_streams=some(0.1),
        small_buffers=random.random() < 0.3,
        checkpoint_pages=random.choice((8, 60, 16_000)),
        batches=some(0.5),
    )


CALM = Plan(
    days=14,
    invented=False,
    broken=0.0,
    histories=1,
    lost_requests=0.0,
    lost_answers=0.0,
    repeated=0.0,
    slow_network=False,
    crashes=0.0,
    restarts=0.0,
    refusals=0.0,
    jumps=0.0,
    slow_listeners=False,
    broken_streams=0.0,
    small_buffers=False,
    checkpoint_pages=16_000,
    batches=0.0,
)
"""Nothing goes wrong."""
