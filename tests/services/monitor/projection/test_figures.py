"""What Prometheus sees of the projection, also while the store does not answer."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from services.monitor.projection.figures import ProjectionFigures, Standing, Totals, read_model_waits


def test_how_far_each_partition_is_and_how_long_the_store_has_been_silent() -> None:
    standings = [Standing("ccr.links", 0, 7, 9, 1.5, 4), Standing("ccr.links", 1, None, None, 31.0, 0)]
    registry = CollectorRegistry()
    registry.register(ProjectionFigures(lambda: standings, lambda: Totals(3, 2, 1)))
    exposed = generate_latest(registry).decode()
    assert 'ccr_projected_position{partition="0",topic="ccr.links"} 7.0' in exposed
    assert 'ccr_projected_lag_records{partition="0",topic="ccr.links"} 2.0' in exposed
    assert 'ccr_projected_behind_seconds{partition="0",topic="ccr.links"} 1.5' in exposed
    assert 'ccr_projected_behind_seconds{partition="1",topic="ccr.links"} 31.0' in exposed
    assert 'ccr_projected_position{partition="1"' not in exposed
    assert "ccr_projected_transitions_total 3.0" in exposed
    assert "ccr_projected_set_aside_total 2.0" in exposed
    assert "ccr_projected_no_room_total 1.0" in exposed


def test_a_read_model_that_waits_is_seen_without_why() -> None:
    failure: str | None = "postgresql://ccr@model/ccr: the database refused"
    registry = CollectorRegistry()
    registry.register(read_model_waits(lambda: failure))
    exposed = generate_latest(registry).decode()
    assert "ccr_read_model_waits 1.0" in exposed
    assert "postgresql" not in exposed
    failure = None
    assert "ccr_read_model_waits 0.0" in generate_latest(registry).decode()
