"""Whether a worker of the reading side can tell what it delivered, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from services.monitor.failure_figure import FailureFigure


def receipts_refused(failure: Callable[[], str | None]) -> FailureFigure:
    """`failure`: why the newest receipts were not written; None when they were."""
    return FailureFigure(
        "ccr_receipts_refused",
        "1 when Kafka did not take the newest delivery receipts; alerts go out, and links stay marked as not "
        "notified until it does.",
        failure,
    )
