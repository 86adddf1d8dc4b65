"""How the inbound topics stand with one worker, for Prometheus. Labels hold agencies alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.intake.inbound import Standing


class InboundFigures(Collector):
    """Read when it is scraped."""

    def __init__(self, standing: Callable[[], Mapping[str, Standing]]) -> None:
        """`standing`: agency → how its topic stands, of the topics this worker reads now."""
        self._standing = standing

    def describe(self) -> Iterable[Metric]:
        """Nothing before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """One sample an agency."""
        lag = GaugeMetricFamily(
            "ccr_inbound_lag_records", "Records of an agency's topic that are not taken in yet.", labels=("agency",)
        )
        waiting = GaugeMetricFamily(
            "ccr_inbound_waiting", "1 when an agency's topic waits for what /readyz says.", labels=("agency",)
        )
        for agency, each in sorted(self._standing().items()):
            lag.add_metric((agency,), each.lag)
            waiting.add_metric((agency,), each.why is not None)
        yield lag
        yield waiting
