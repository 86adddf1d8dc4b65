"""Whether a worker of the reading side can tell what it delivered, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class DeliveryFigures(Collector):
    """Read when it is scraped."""

    def __init__(self, failure: Callable[[], str | None]) -> None:
        """`failure`: why the newest receipts were not written; None when they were."""
        self._failure = failure

    def describe(self) -> Iterable[Metric]:
        """Nothing before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The gauge."""
        yield GaugeMetricFamily(
            "ccr_receipts_refused",
            "1 when Kafka did not take the newest delivery receipts; alerts go out, and links stay marked as not "
            "notified until it does.",
            float(self._failure() is not None),
        )
