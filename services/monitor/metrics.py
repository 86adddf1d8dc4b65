"""What operators watch, for Prometheus. Labels hold event types, agencies, rules and states: never a case, a person
or a number of theirs, and every set of label values is bounded.

Implements `services.engine.ports.Observer` and `services.alerts.stream.Audience`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_types
from ccr_events.labels import Label
from services.engine.ports import Clock, Counts, Figures

OTHER = "other"
"""Stands for a label value outside the known ones, so that nobody can make series without end."""
FOLD_BUCKETS_S = (0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25)
PUBLISH_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Upper bounds in seconds; five seconds is the longest an alert may take (a target of the domain sheet, [P])."""

_AGENCIES = frozenset(agency.value for agency in Agency)
_TYPES = frozenset(event_types())
_STATUSES = frozenset({"quarantined", "conflict", "forbidden"})
_LABELS = frozenset(label.value for label in Label)
_OUTCOMES = frozenset({"granted", "denied"})


class Metrics:
    """The metrics of one backbone, in a registry of their own."""

    def __init__(self, counts: Counts, clock: Clock) -> None:
        """`counts` is asked once per scrape."""
        self._counts = counts
        self._clock = clock
        self._stored = _StoredFigures()
        self._registry = CollectorRegistry()
        self._registry.register(self._stored)
        ProcessCollector(registry=self._registry)
        r = self._registry
        self._accepted = Counter("ccr_events", "Events accepted, durable and folded.", ("type", "agency"), registry=r)
        self._accepted_of: dict[tuple[str, str], Counter] = {}
        """By type and agency, since looking one up costs more than counting."""
        self._refused = Counter("ccr_refused", "Submissions not accepted.", ("agency", "status"), registry=r)
        self._published = Histogram(
            "ccr_publish_seconds", "From submission to durable.", buckets=PUBLISH_BUCKETS_S, registry=r
        )
        self._folded = Histogram("ccr_fold_seconds", "Folding one event.", buckets=FOLD_BUCKETS_S, registry=r)
        self._alerted = Histogram(
            "ccr_alert_seconds", "From a link's change to a subscriber.", buckets=PUBLISH_BUCKETS_S, registry=r
        )
        self._sealed_reads = Counter(
            "ccr_sealed_reads", "Sealed fields asked for.", ("label", "agency", "outcome"), registry=r
        )
        self._subscribers = Gauge("ccr_alert_subscribers", "Open alert streams.", registry=r)
        Gauge("ccr_build_info", "Version of the backbone.", ("version",), registry=r).labels(
            version("ccr-backbone")
        ).set(1)

    def accepted(self, event_type: str, agency: str) -> None:
        """One event is durable."""
        counter = self._accepted_of.get((event_type, agency))
        if counter is None:
            known = _known(event_type, _TYPES), _known(agency, _AGENCIES)
            counter = self._accepted.labels(*known)
            if known == (event_type, agency):  # so their number is bounded
                self._accepted_of[known] = counter
        counter.inc()

    def refused(self, agency: str, status: str) -> None:
        """One submission was answered with another status than accepted or duplicate."""
        self._refused.labels(_known(agency, _AGENCIES), _known(status, _STATUSES)).inc()

    def published(self, seconds: float) -> None:
        """A `submit` call took this long."""
        self._published.observe(seconds)

    def folded(self, seconds: float) -> None:
        """Folding one event took this long."""
        self._folded.observe(seconds)

    def alerted(self, seconds: float) -> None:
        """An alert reached a subscriber this long after its transition was committed."""
        self._alerted.observe(seconds)

    def sealed_read(self, label: str, agency: str, outcome: str) -> None:
        """A sealed field was asked for."""
        self._sealed_reads.labels(_known(label, _LABELS), _known(agency, _AGENCIES), _known(outcome, _OUTCOMES)).inc()

    def subscribed(self, change: int) -> None:
        """A subscriber came (+1) or went (-1)."""
        self._subscribers.inc(change)

    def add(self, figures: Collector) -> None:
        """From now on show these figures too."""
        self._registry.register(figures)

    async def exposition(self) -> tuple[bytes, str]:
        """What Prometheus scrapes, and its media type. Raises `StorageFailed` or `EngineClosed`."""
        figures = await self._counts.figures()
        self._stored.take(figures, _behind_s(figures, self._clock))
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class _StoredFigures(Collector):
    """Gauges of what is stored, as of the scrape."""

    def __init__(self) -> None:
        self._figures: Figures | None = None
        self._behind_s = 0.0

    def take(self, figures: Figures, behind_s: float) -> None:
        """The figures of this scrape."""
        self._figures, self._behind_s = figures, behind_s

    def describe(self) -> Iterable[Metric]:
        """Nothing before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The gauges."""
        figures = self._figures
        if figures is None:
            return
        for state in ("open", "overdue", "escalated"):
            family = GaugeMetricFamily(f"ccr_links_{state}", f"Protocol links {state} now.", labels=("rule", "agency"))
            for count in figures.links:
                family.add_metric((count.rule, count.agency), getattr(count, state))
            yield family
        yield GaugeMetricFamily("ccr_log_position", "Newest log position.", value=figures.position)
        yield GaugeMetricFamily("ccr_outbox_position", "Newest link transition.", value=figures.outbox_seq)
        yield GaugeMetricFamily("ccr_deadlines_pending", "Deadlines to come.", value=figures.deadlines_pending)
        yield GaugeMetricFamily("ccr_timer_lag_seconds", "Age of the oldest unfired deadline.", value=self._behind_s)
        yield GaugeMetricFamily("ccr_quarantine_waiting", "Refused submissions to repair.", value=figures.quarantined)


def _behind_s(figures: Figures, clock: Clock) -> float:
    if figures.next_deadline_at is None:
        return 0.0
    return max(0.0, (clock.now() - figures.next_deadline_at).total_seconds())


def _known(value: str, allowed: frozenset[str]) -> str:
    return value if value in allowed else OTHER
