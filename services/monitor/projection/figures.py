"""How far the projection is, for Prometheus. Labels hold topics and partitions alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.monitor.failure_figure import FailureFigure

BEHIND = "ccr_projected_behind_seconds"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one partition of a topic stands with the store."""

    topic: str
    partition: int
    position: int | None
    """The first offset that is not in the store; None while the store does not say."""
    end: int | None
    """Offset behind the newest record known of; None while unknown."""
    behind_s: float
    """Age of the oldest record here that is not in the store, 0 when all are; while the store does not say what is in
    it, for how long it has been asked."""
    records: int
    """Brought in since this worker has the partition."""

    @property
    def lag(self) -> int:
        """Records that are not in the store."""
        return 0 if self.end is None or self.position is None else max(0, self.end - self.position)


@dataclass(frozen=True, slots=True)
class Totals:
    """What this worker did since its start."""

    told: int
    """Transitions that were new."""
    set_aside: int
    """Entries written to the store's quarantine."""
    no_room: int
    """Entries that found it full; they are on their topic all the same."""


class ProjectionFigures(Collector):
    """Read when it is scraped."""

    def __init__(self, standings: Callable[[], Sequence[Standing]], totals: Callable[[], Totals]) -> None:
        self._standings = standings
        self._totals = totals

    def describe(self) -> Iterable[Metric]:
        """Nothing before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One sample for each partition of a topic."""
        labels = ("topic", "partition")
        position = GaugeMetricFamily("ccr_projected_position", "First offset not in the store.", labels=labels)
        lag = GaugeMetricFamily("ccr_projected_lag_records", "Records not in the store yet.", labels=labels)
        behind = GaugeMetricFamily(BEHIND, "Age of the oldest record that is not in the store yet.", labels=labels)
        records = CounterMetricFamily("ccr_projected_records", "Records brought into the store.", labels=labels)
        for each in self._standings():
            values = (each.topic, str(each.partition))
            if each.position is not None:
                position.add_metric(values, each.position)
            lag.add_metric(values, each.lag)
            behind.add_metric(values, each.behind_s)
            records.add_metric(values, each.records)
        totals = self._totals()
        yield from (position, lag, behind, records)
        yield _count("ccr_projected_transitions", "Transitions that were new to the store.", totals.told)
        yield _count("ccr_projected_set_aside", "Entries written to quarantine for operators.", totals.set_aside)
        yield _count("ccr_projected_no_room", "Entries for which the quarantine had no room.", totals.no_room)


def read_model_waits(failure: Callable[[], str | None]) -> FailureFigure:
    """Whether the read model is kept up, where there is one."""
    return FailureFigure("ccr_read_model_waits", "1 while the read model cannot be kept up.", failure)


def _count(name: str, words: str, value: int) -> Metric:
    return CounterMetricFamily(name, words, value=value)
