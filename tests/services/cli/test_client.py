"""Publishing and answering: bounded batches, bounded tries, problems in words."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import orjson
import pytest

from services.cli.answers import MAX_SHOWN, ServerRefused, Unreachable
from services.cli.client import BATCH_BYTES, BATCH_EVENTS, FIRST_TRIES, Client
from services.cli.patience import LONGEST_RETRY_AFTER_S, MAX_TRIES
from services.cli.refused import Refused
from tests.support.answering import KEY, Script, json_answer, refuse_connection
from tests.support.envelopes import EVENT


def receipts(request: httpx.Request) -> httpx.Response:
    sent = orjson.loads(request.content)
    return json_answer(202, {"receipts": [{"event_id": e["id"], "status": "accepted", "position": 1} for e in sent]})


def sizes(requests: Sequence[httpx.Request]) -> list[int]:
    return [len(orjson.loads(request.content)) for request in requests]


def test_events_go_out_as_one_batch_and_come_back_as_receipts() -> None:
    script = Script(receipts)
    (receipt,) = script.client().publish([EVENT])
    assert (receipt.event_id, receipt.status, receipt.position) == (EVENT.id, "accepted", 1)
    (request,) = script.requests
    assert request.headers["content-type"] == "application/cloudevents-batch+json"
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_many_events_are_split_by_number() -> None:
    script = Script(receipts)
    found = script.client().publish_forms([{"id": str(n)} for n in range(2 * BATCH_EVENTS + 1)])
    assert [receipt.event_id for receipt in found] == [str(n) for n in range(2 * BATCH_EVENTS + 1)]
    assert sizes(script.requests) == [BATCH_EVENTS, BATCH_EVENTS, 1]


def test_large_events_are_split_by_bytes() -> None:
    script = Script(receipts)
    script.client().publish_forms([{"id": str(n), "data": "x" * (BATCH_BYTES // 2)} for n in range(3)])
    assert sizes(script.requests) == [1, 1, 1]


def test_nothing_to_publish_asks_nothing() -> None:
    script = Script(receipts)
    assert script.client().publish([]) == []
    assert script.requests == []


def test_a_quarantined_event_is_a_receipt_with_its_problems() -> None:
    body = {
        "event_id": "e",
        "status": "quarantined",
        "quarantine_id": "q",
        "title": "does not fit",
        "errors": [{"pointer": "/data/x", "message": "is required"}],
    }
    (receipt,) = Script(lambda _: json_answer(207, {"receipts": [body]})).client().publish([EVENT])
    assert (receipt.quarantine_id, receipt.title) == ("q", "does not fit")
    assert [(p.pointer, p.message) for p in receipt.problems] == [("/data/x", "is required")]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_backbone_is_asked_again(status: int) -> None:
    script = Script(lambda _: httpx.Response(status), receipts)
    assert len(script.client().publish([EVENT])) == 1
    assert script.requests[0].content == script.requests[1].content


def test_retry_after_is_honoured_within_its_bound() -> None:
    script = Script(
        lambda _: httpx.Response(429, headers={"retry-after": "7"}),
        lambda _: httpx.Response(429, headers={"retry-after": "86400"}),
        lambda _: httpx.Response(503, headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}),
        receipts,
    )
    script.client().publish([EVENT])
    assert script.waits[:2] == [7.0, LONGEST_RETRY_AFTER_S]
    assert 0 < script.waits[2] < LONGEST_RETRY_AFTER_S


def test_a_backbone_that_stays_busy_is_given_up() -> None:
    script = Script(lambda _: json_answer(503, {"title": "not ready", "detail": "the disk is full"}))
    with pytest.raises(ServerRefused, match="not ready: the disk is full"):
        script.client().publish([EVENT])
    assert len(script.requests) == MAX_TRIES


def test_a_connection_that_broke_after_it_stood_is_tried_for_a_while() -> None:
    script = Script(receipts, refuse_connection, refuse_connection, refuse_connection, receipts)
    client = script.client()
    client.publish([EVENT])
    assert len(client.publish([EVENT])) == 1


def test_an_address_where_nothing_ever_answered_is_told_soon() -> None:
    script = Script(refuse_connection)
    with pytest.raises(Unreachable, match=r"nothing answers at http://127\.0\.0\.1:8700"):
        script.client().publish([EVENT])
    assert len(script.requests) == FIRST_TRIES


def test_a_refused_key_is_told_as_such_and_not_repeated() -> None:
    script = Script(lambda _: json_answer(401, {"title": "Unauthorized"}))
    with pytest.raises(ServerRefused, match="API key was not accepted") as refused:
        script.client().links()
    assert len(script.requests) == 1
    assert refused.value.status == 401
    assert KEY not in str(refused.value)


def test_a_problem_names_its_fields_and_counts_the_rest() -> None:
    errors = [{"pointer": f"/data/{n}", "message": "is required"} for n in range(MAX_SHOWN + 3)]
    script = Script(lambda _: json_answer(422, {"title": "does not fit", "errors": errors}))
    with pytest.raises(ServerRefused, match=r"(?s)does not fit.*/data/0 is required.*and 3 more"):
        script.client().answer("link", "acknowledge", {"role": "clerk"})


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b'"text"', b""])
def test_another_program_at_the_address_is_recognised(body: bytes) -> None:
    script = Script(lambda _: httpx.Response(200, content=body))
    with pytest.raises(Unreachable, match="not as a backbone does"):
        script.client().links()


def test_an_error_page_of_another_program_is_still_words() -> None:
    with pytest.raises(ServerRefused, match="the backbone answered 500"):
        Script(lambda _: httpx.Response(500, content=b"<html>")).client().links()


def test_what_a_person_types_stays_one_piece_of_the_path() -> None:
    script = Script(lambda _: json_answer(200, {}))
    script.client().link("../../metrics?x=1#y")
    assert script.requests[0].url.raw_path == b"/v1/links/..%2F..%2Fmetrics%3Fx%3D1%23y"


@pytest.mark.parametrize("typed", ["", ".", ".."])
def test_an_empty_id_is_refused(typed: str) -> None:
    with pytest.raises(Refused, match="must not be empty"):
        Script(refuse_connection).client().link(typed)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8700", "ftp://127.0.0.1", "http://", "http://[bad", "http://user:secret@127.0.0.1:8700"]
)
def test_an_address_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Refused, match="must be a URL such as") as refused:
        Client(url, None)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_a_header_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(Refused, match="that is no API key") as refused:
        Client("http://127.0.0.1:8700", key)
    assert not key.strip() or key not in str(refused.value)
