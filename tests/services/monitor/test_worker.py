"""What an operator sees of an intake worker: whether it is ready, and what waits on the agencies' topics."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
from prometheus_client import CollectorRegistry, generate_latest

from services.engine.ports import Figures
from services.engine.transaction import StorageFailed
from services.intake.inbound import Standing
from services.monitor.inbound_metrics import InboundFigures
from services.monitor.metrics import Metrics
from services.monitor.worker_health import WorkerHealth
from services.portal.operations import create_watch_app
from tests.support.doors import SetClock


class Counting:
    """Counts, or refuses to."""

    def __init__(self, refused: str | None = None) -> None:
        self.refused = refused

    async def figures(self) -> Figures:
        if self.refused is not None:
            raise StorageFailed(self.refused)
        return Figures(3, 2, 1, datetime(2026, 3, 1, tzinfo=UTC), 0, ())


async def well() -> None:
    return None


async def unwell() -> str:
    return "its brokers do not run"


async def test_each_part_is_ready_or_says_why_not() -> None:
    ready = await WorkerHealth(Counting(), {"kafka": well, "keys": unwell}).reasons()
    assert ready == {"store": None, "kafka": None, "keys": "its brokers do not run"}
    assert (await WorkerHealth(Counting("the database refused"), {}).reasons())["store"] == "the database refused"


def test_what_waits_is_counted_by_agency() -> None:
    registry = CollectorRegistry()
    registry.register(InboundFigures(lambda: {"le": Standing(7, "the disk is full"), "jail": Standing(0)}))
    exposed = generate_latest(registry).decode()
    assert 'ccr_inbound_lag_records{agency="le"} 7.0' in exposed
    assert 'ccr_inbound_waiting{agency="le"} 1.0' in exposed
    assert 'ccr_inbound_waiting{agency="jail"} 0.0' in exposed
    assert "the disk is full" not in exposed


async def test_a_worker_without_a_portal_serves_its_figures_and_nothing_else() -> None:
    class Watched:
        metrics = Metrics(Counting(), SetClock())
        health = WorkerHealth(Counting(), {"kafka": unwell})

    Watched.metrics.add(InboundFigures(lambda: {"le": Standing(0)}))
    app = create_watch_app(Watched())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker") as http:
        assert 'ccr_inbound_lag_records{agency="le"} 0.0' in (await http.get("/metrics")).text
        assert (await http.get("/healthz")).status_code == 200
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"]) == (503, {"kafka": "its brokers do not run"})
        assert (await http.get("/v1/links")).status_code == 404
        assert (await http.get("/openapi.json")).status_code == 404
