"""What a worker serves over HTTP: whether it lives, whether it works, and its figures. Nothing of any event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import faust
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

METRICS_TYPE = "text/plain; version=0.0.4"


@dataclass(frozen=True, slots=True)
class PartitionStanding:
    """How one partition of this worker is."""

    partition: int
    ready: bool
    """Its state is open; false while it is being restored."""
    position: int
    """Offset up to which everything is folded."""
    settled: int
    """Offset of the last checkpoint: what would survive this worker."""
    end: int | None
    """Offset behind the newest record known of; None while unknown."""
    events: int = 0
    """Folded anew since this worker has the partition."""
    repeated: int = 0
    """Were in their case already."""
    refused: int = 0
    """Set aside in quarantine."""
    deadlines: int = 0
    """Fired, and not folded yet."""

    @property
    def lag(self) -> int:
        """Records that wait to be folded."""
        return 0 if self.end is None else max(0, self.end - self.position)


@dataclass(frozen=True, slots=True)
class WorkerStanding:
    """How a worker is."""

    service: str
    partitions: Sequence[PartitionStanding]
    unwell: str | None = None
    """What is wrong; None when nothing is."""

    @property
    def ready(self) -> bool:
        """Every partition it has is being worked on."""
        return self.unwell is None and all(partition.ready for partition in self.partitions)


def serve_health(app: faust.App, standing: Callable[[], WorkerStanding], registry: CollectorRegistry) -> None:
    """Add `/healthz`, `/readyz` and `/metrics` to an app's web server."""

    @app.page("/healthz")
    async def healthz(view: Any, request: Any) -> Any:
        return view.text("ok\n")

    @app.page("/readyz")
    async def readyz(view: Any, request: Any) -> Any:
        now = standing()
        waiting = [str(each.partition) for each in now.partitions if not each.ready]
        words = now.unwell or (f"restoring {', '.join(waiting)}" if waiting else "ready")
        return view.text(f"{words}\n", status=200 if now.ready else 503)

    @app.page("/metrics")
    async def metrics(view: Any, request: Any) -> Any:
        return view.bytes(generate_latest(registry), content_type=METRICS_TYPE)


def serve_pages(app: faust.App, standing: Callable[[], WorkerStanding], registry: CollectorRegistry) -> None:
    """The same, and `/partitions`: how each partition is that a worker keeps state of."""
    registry.register(_Figures(standing))
    serve_health(app, standing, registry)

    @app.page("/partitions")
    async def partitions(view: Any, request: Any) -> Any:
        now = standing()
        return view.json({"partitions": [{**asdict(each), "lag": each.lag} for each in now.partitions]})


class _Figures(Collector):
    """The standing as metrics, read when it is asked for."""

    def __init__(self, standing: Callable[[], WorkerStanding]) -> None:
        self._standing = standing

    def collect(self) -> list[GaugeMetricFamily | CounterMetricFamily]:
        """One sample a partition."""
        now = self._standing()
        families: list[GaugeMetricFamily | CounterMetricFamily] = []
        for name, words, kind, value in _FIGURES:
            family = kind(f"ccr_{now.service}_{name}", words, labels=["partition"])
            for each in now.partitions:
                family.add_metric([str(each.partition)], float(value(each)))
            families.append(family)
        return families


_FIGURES: Sequence[tuple[str, str, Any, Callable[[PartitionStanding], float]]] = (
    ("lag", "Records that wait to be folded.", GaugeMetricFamily, lambda p: p.lag),
    ("position", "Offset up to which everything is folded.", GaugeMetricFamily, lambda p: p.position),
    ("settled", "Offset of the last checkpoint.", GaugeMetricFamily, lambda p: p.settled),
    ("ready", "1 when the partition's state is open.", GaugeMetricFamily, lambda p: p.ready),
    (
        "deadlines_unfolded",
        "Deadlines that were fired and are not folded yet.",
        GaugeMetricFamily,
        lambda p: p.deadlines,
    ),
    ("events", "Events folded anew.", CounterMetricFamily, lambda p: p.events),
    ("repeated", "Events that were in their case already.", CounterMetricFamily, lambda p: p.repeated),
    ("refused", "Records set aside in quarantine.", CounterMetricFamily, lambda p: p.refused),
)
