"""Whether a worker has every policy that events were judged by, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from services.monitor.failure_figure import FailureFigure


def policies_missing(failure: Callable[[], str | None]) -> FailureFigure:
    """`failure`: which policy editions are missing; None when there is none."""
    return FailureFigure(
        "ccr_policies_missing",
        "1 when another worker judges events by a policy edition that this one does not have; its log says which.",
        failure,
    )
