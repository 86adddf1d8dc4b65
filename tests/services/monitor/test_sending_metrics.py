"""What an operator sees when Kafka takes nothing, and when the clocks of two machines differ."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from services.monitor.sending_metrics import SendingFigures


def shown(failure: str | None, ahead_s: float) -> list[str]:
    registry = CollectorRegistry()
    registry.register(SendingFigures(lambda: failure, lambda: ahead_s))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_nothing_is_wrong() -> None:
    assert shown(None, 0.0) == ["ccr_sending_refused 0.0", "ccr_recorded_ahead_seconds 0.0"]


def test_a_refusal_and_a_clock_that_is_ahead_are_seen_but_not_the_reason() -> None:
    assert shown("Kafka at 127.0.0.1 did not take it", 600.0) == [
        "ccr_sending_refused 1.0",
        "ccr_recorded_ahead_seconds 600.0",
    ]
