"""How an intake worker stands with Kafka and with the clocks of the others, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class SendingFigures(Collector):
    """Read when it is scraped."""

    def __init__(self, failure: Callable[[], str | None], ahead_s: Callable[[], float]) -> None:
        """`failure`: why the newest events were not sent; `ahead_s`: by how many seconds the log is ahead of the
        clock here."""
        self._failure = failure
        self._ahead_s = ahead_s

    def describe(self) -> Iterable[Metric]:
        """Nothing before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The gauges."""
        yield GaugeMetricFamily(
            "ccr_sending_refused",
            "1 when Kafka did not take the newest events; /readyz says why, and publishers are answered 503.",
            float(self._failure() is not None),
        )
        yield GaugeMetricFamily(
            "ccr_recorded_ahead_seconds",
            "How far the newest event was recorded after the time here: some intake worker's clock is ahead, or this "
            "one's behind.",
            self._ahead_s(),
        )
