"""Cases are written anew from the log by the service itself, for the tracking entity alone."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta

from services.casebook.refold import MAX_CASES
from services.casebook.replay import verify
from tests.support.portals import Portal, arrest, pointers, problem_of

REFOLD = "/v1/operations/refold"


def lose_links(desk: Portal) -> None:
    connection = sqlite3.connect(desk.backbone.directory / "backbone.sqlite", isolation_level=None)
    connection.execute("DELETE FROM links")
    connection.close()


async def test_a_case_that_lost_its_links_has_them_again(desk: Portal) -> None:
    case_id = await desk.accept(arrest())
    before = await desk.link(case_id, "L06b")
    lose_links(desk)
    assert (await desk.get("/v1/links", "ccr", case_id=case_id)).json()["links"] == []
    answered = await desk.post(REFOLD, "ccr", {"case_ids": [case_id]})
    assert (answered.status_code, answered.json()) == (200, {"cases": 1})
    assert await desk.link(case_id, "L06b") == before
    assert (await asyncio.to_thread(verify, desk.backbone.directory, desk.backbone.policies)).identical


async def test_deadlines_that_come_back_fire(desk: Portal) -> None:
    case_id = await desk.accept(arrest())
    due = await desk.backbone.next_deadline()
    assert due is not None
    lose_links(desk)
    desk.clock.move_to(due + timedelta(seconds=1))  # the timer wakes for a deadline that is no more, and waits for any
    await asyncio.sleep(0.05)
    await desk.post(REFOLD, "ccr", {"case_ids": [case_id]})
    for _ in range(100):
        link = await desk.link(case_id, "L06b")
        if (await desk.backbone.next_deadline() or due) > due:
            break
        await asyncio.sleep(0.02)
    assert (await desk.backbone.next_deadline() or due) > due
    assert link["state"] == "opened"


async def test_only_the_tracking_entity_repairs(desk: Portal) -> None:
    problem_of(await desk.post(REFOLD, "le", {"case_ids": []}), 403)
    problem_of(await desk.post(REFOLD, None, {"case_ids": []}), 401)


async def test_too_many_cases_and_odd_bodies_are_refused(desk: Portal) -> None:
    problem_of(await desk.post(REFOLD, "ccr", {"case_ids": ["c"] * (MAX_CASES + 1)}), 400)
    assert pointers(problem_of(await desk.post(REFOLD, "ccr", {"case_ids": [""]}), 400)) == ["/case_ids/0"]
    problem_of(await desk.post(REFOLD, "ccr", {"cases": []}), 400)
