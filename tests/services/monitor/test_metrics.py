"""What operators see: counted, bounded, and free of anything about a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from services.engine.ports import Figures, LinkCount
from services.monitor.metrics import Metrics

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _Clock:
    def now(self) -> datetime:
        return NOW


class _Counts:
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    async def figures(self) -> Figures:
        return self._figures


def _figures(next_at: datetime | None = None) -> Figures:
    links = (LinkCount("L17a", "jail", open=3, overdue=2, escalated=1), LinkCount("L02", "le", 1, 0, 0))
    return Figures(
        position=40, outbox_seq=90, deadlines_pending=7, next_deadline_at=next_at, quarantined=2, links=links
    )


async def _samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    body, media = await metrics.exposition()
    assert media.startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


async def test_events_refusals_and_reads_are_counted() -> None:
    metrics = Metrics(_Counts(_figures()), _Clock())
    metrics.accepted("arrest.made", "le")
    metrics.accepted("arrest.made", "le")
    metrics.refused("jail", "quarantined")
    metrics.sealed_read("VLOC", "le", "denied")
    metrics.subscribed(+1)
    metrics.published(0.004)
    metrics.folded(0.0003)
    metrics.alerted(0.02)
    samples = await _samples(metrics)
    assert samples["ccr_events_total", (("agency", "le"), ("type", "arrest.made"))] == 2
    assert samples["ccr_refused_total", (("agency", "jail"), ("status", "quarantined"))] == 1
    assert samples["ccr_sealed_reads_total", (("agency", "le"), ("label", "VLOC"), ("outcome", "denied"))] == 1
    assert samples["ccr_alert_subscribers", ()] == 1
    assert samples["ccr_publish_seconds_count", ()] == 1
    assert samples["ccr_publish_seconds_bucket", (("le", "0.002"),)] == 0
    assert samples["ccr_publish_seconds_bucket", (("le", "0.005"),)] == 1
    assert samples["ccr_fold_seconds_count", ()] == 1
    assert samples["ccr_alert_seconds_count", ()] == 1


async def test_open_overdue_and_escalated_links_are_told_by_rule_and_agency() -> None:
    samples = await _samples(Metrics(_Counts(_figures()), _Clock()))
    jail = (("agency", "jail"), ("rule", "L17a"))
    assert [samples[f"ccr_links_{state}", jail] for state in ("open", "overdue", "escalated")] == [3, 2, 1]
    assert samples["ccr_log_position", ()] == 40
    assert samples["ccr_outbox_position", ()] == 90
    assert samples["ccr_deadlines_pending", ()] == 7
    assert samples["ccr_quarantine_waiting", ()] == 2


async def test_a_timer_that_is_behind_shows_by_how_much() -> None:
    late = await _samples(Metrics(_Counts(_figures(NOW - timedelta(seconds=90))), _Clock()))
    early = await _samples(Metrics(_Counts(_figures(NOW + timedelta(seconds=90))), _Clock()))
    assert late["ccr_timer_lag_seconds", ()] == 90
    assert early["ccr_timer_lag_seconds", ()] == 0


async def test_values_nobody_knows_make_no_series_of_their_own() -> None:
    metrics = Metrics(_Counts(_figures()), _Clock())
    for number in range(50):
        metrics.accepted(f"made.up{number}", f"agency{number}")
    samples = await _samples(metrics)
    assert samples["ccr_events_total", (("agency", "other"), ("type", "other"))] == 50
    assert sum(name == "ccr_events_total" for name, _ in samples) == 1
