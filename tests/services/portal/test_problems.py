"""Every refusal is a problem document (RFC 9457) in our words, whatever was raised underneath."""

from __future__ import annotations

import httpx
import pytest
from litestar import Litestar, get

from services.engine.transaction import EngineClosed, StorageFailed
from services.identity.proposals import DecisionRefused
from services.intake.holding import QuarantineFull
from services.intake.quarantine import BodyNotKept, NotWaiting, UnknownEntry
from services.portal.problems import HANDLERS, Problem
from services.sealing.access import ReadRefused
from services.sealing.keys import KeyStoreError, KeyUnavailable
from tests.support.portals import PLANTED, Portal, problem_of


async def answer_to(error: Exception) -> httpx.Response:
    """What a route that raises this answers."""

    @get("/")
    async def refuse() -> None:
        raise error

    app = Litestar([refuse], exception_handlers=HANDLERS, openapi_config=None, logging_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as http:
        return await http.get("/")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownEntry("there is no such entry"), 404),
        (NotWaiting("it was discarded before"), 409),
        (BodyNotKept("the bytes were not kept"), 410),
        (KeyUnavailable("the key is destroyed"), 410),
        (ReadRefused("is no purpose that is known"), 400),
        (DecisionRefused("ccr decides"), 403),
        (QuarantineFull("the quarantine is full"), 503),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_a_service_says_for_the_caller_is_passed_on(error: Exception, status: int) -> None:
    assert problem_of(await answer_to(error), status)["detail"] == str(error)


@pytest.mark.parametrize(
    "error", [EngineClosed("closed"), StorageFailed(f"disk full at {PLANTED}"), KeyStoreError(f"cannot read {PLANTED}")]
)
async def test_what_cannot_be_stored_now_is_to_be_sent_again(error: Exception) -> None:
    response = await answer_to(error)
    assert "end it again" in problem_of(response, 503)["detail"]
    assert response.headers["retry-after"] == "1"


async def test_a_defect_tells_its_place_to_the_log_and_its_text_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    problem = problem_of(await answer_to(RuntimeError(PLANTED)), 500)
    assert "send it again, unchanged" in problem["detail"]
    assert "RuntimeError" in caplog.text
    assert "test_problems.py" in caplog.text
    assert PLANTED not in caplog.text


async def test_absent_members_are_left_out() -> None:
    assert Problem(404, "No such thing", quarantine_id=None).document() == {
        "type": "about:blank",
        "title": "No such thing",
        "status": 404,
    }


async def test_addresses_and_methods_that_do_not_exist(desk: Portal) -> None:
    problem_of(await desk.get(f"/v1/{PLANTED}", "le"), 404)
    for method, path in (("GET", "/v1/events"), ("DELETE", "/v1/links"), ("POST", "/metrics")):
        response = await desk.http.request(method, path, headers=desk.headers("le"))
        problem_of(response, 405)
        assert response.headers["allow"]


async def test_the_log_says_once_why_everything_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    for why in ("disk full", "disk full", "Kafka is away", "Kafka is away", "disk full"):
        await answer_to(StorageFailed(f"of this test: {why}"))
    said = [entry.getMessage() for entry in caplog.records]
    assert [line.rpartition(": ")[2] for line in said] == ["disk full", "Kafka is away", "disk full"]
