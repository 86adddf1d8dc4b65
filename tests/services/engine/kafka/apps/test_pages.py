"""What a worker serves over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from services.engine.kafka.apps import PartitionStanding, WorkerStanding, serve_pages

READY = PartitionStanding(3, True, 40, 38, 45, events=40, repeated=2, refused=1, deadlines=4)
RESTORING = PartitionStanding(7, False, 0, 0, None)


class App:
    """Takes pages as Faust's app does."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}

    def page(self, path: str) -> Any:
        return lambda handler: self.pages.setdefault(path, handler)


class View:
    """Answers as Faust's views do."""

    def text(self, text: str, status: int = 200) -> tuple[int, str]:
        return status, text

    def bytes(self, body: bytes, content_type: str) -> tuple[str, str]:
        return content_type, body.decode()

    def json(self, value: Any) -> Any:
        return value


async def asked(path: str, standing: WorkerStanding) -> Any:
    app = App()
    serve_pages(app, lambda: standing, CollectorRegistry())  # type: ignore[arg-type]
    return await app.pages[path](View(), None)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (WorkerStanding("casebook", [READY]), (200, "ready\n")),
        (WorkerStanding("casebook", []), (200, "ready\n")),
        (WorkerStanding("casebook", [READY, RESTORING]), (503, "restoring 7\n")),
        (WorkerStanding("casebook", [READY], "no answer"), (503, "no answer\n")),
    ],
)
async def test_ready_is_who_works_on_all_that_it_has(standing: WorkerStanding, expected: tuple[int, str]) -> None:
    assert await asked("/readyz", standing) == expected
    assert (await asked("/healthz", standing))[0] == 200


async def test_the_lag_of_each_partition_is_a_figure_and_on_its_page() -> None:
    content_type, said = await asked("/metrics", WorkerStanding("casebook", [READY, RESTORING]))
    assert content_type == "text/plain; version=0.0.4"
    for line in (
        'ccr_casebook_lag{partition="3"} 5.0',
        'ccr_casebook_lag{partition="7"} 0.0',
        'ccr_casebook_ready{partition="7"} 0.0',
        'ccr_casebook_events_total{partition="3"} 40.0',
        'ccr_casebook_refused_total{partition="3"} 1.0',
        'ccr_casebook_deadlines_unfolded{partition="3"} 4.0',
    ):
        assert line in said.splitlines()
    page = await asked("/partitions", WorkerStanding("casebook", [READY]))
    assert page["partitions"][0] == {
        "partition": 3, "ready": True, "position": 40, "settled": 38, "end": 45, "events": 40, "repeated": 2,
        "refused": 1, "deadlines": 4, "lag": 5,
    }  # fmt: skip


def test_figures_are_read_when_they_are_asked_for() -> None:
    registry, now = CollectorRegistry(), [WorkerStanding("casebook", [])]
    serve_pages(App(), lambda: now[0], registry)  # type: ignore[arg-type]
    assert b'partition="3"' not in generate_latest(registry)
    now[0] = WorkerStanding("casebook", [READY])
    assert b'ccr_casebook_position{partition="3"} 40.0' in generate_latest(registry)
