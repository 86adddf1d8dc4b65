"""One figure that says whether something fails now, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class FailureFigure(Collector):
    """1 while there is a reason, 0 while there is none. Read when it is scraped."""

    def __init__(self, name: str, words: str, failure: Callable[[], str | None]) -> None:
        """`words` describe it; `failure`: why it fails, None when it does not. The reason itself is not shown."""
        self._name = name
        self._words = words
        self._failure = failure

    def describe(self) -> Iterable[Metric]:
        """Nothing before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One sample."""
        yield GaugeMetricFamily(self._name, self._words, float(self._failure() is not None))
