"""What an adapter may count on: kept before told, sent in order, refusals set aside, nothing dropped silently."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx
import orjson
import pytest

from ccr_events.client import (
    AdapterClient,
    Bounds,
    Client,
    EventTooLarge,
    RefusedEvent,
    Sending,
    Spool,
    SpoolError,
    SpoolFull,
    SpoolKeyError,
    sender,
    waits,
)
from ccr_events.client import spool as client_spool
from ccr_events.client.spool import DATABASE, KEY
from ccr_events.envelope import MAX_EVENT_BYTES
from tests.support.doors import an_event, event_id

URL = "http://127.0.0.1:8700"
TOKEN = "ccr_0000000000000000_test"
PLANTED = "Testperson-Planted"
PATIENCE_S = 20.0

Answer = Callable[[list[dict[str, Any]]], httpx.Response]


def receipts(statuses: Callable[[dict[str, Any]], str] = lambda _: "accepted") -> Answer:
    def answer(events: list[dict[str, Any]]) -> httpx.Response:
        told = []
        for event in events:
            status = statuses(event)
            more = {} if status == "accepted" else {"title": "breaks a rule", "quarantine_id": "q-1"}
            told.append({"event_id": event["id"], "status": status, **more})
        return httpx.Response(202, content=orjson.dumps({"receipts": told}))

    return answer


def status(code: int, **headers: str) -> Answer:
    return lambda _: httpx.Response(code, headers=headers, content=b"{}")


def lost(_: list[dict[str, Any]]) -> httpx.Response:
    raise httpx.ConnectError("no route")


class Backbone:
    """Answers each request with the next of its answers, the last again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.batches: list[list[str]] = []
        self.queries: list[str] = []
        self.gate = Flag()
        self.gate.set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.gate.wait(PATIENCE_S)
        events = orjson.loads(request.read())
        answer = self.answers[min(len(self.batches), len(self.answers) - 1)]
        self.batches.append([event["id"] for event in events])
        self.queries.append(request.url.query.decode())
        return answer(events)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "LONGEST_S", 0.01)
    monkeypatch.setattr(waits, "LONGEST_ASKED_S", 0.01)
    monkeypatch.setattr(sender, "KEY_S", 0.01)
    monkeypatch.setattr(sender, "LOOK_S", 0.01)


@contextmanager
def client(backbone: Backbone, spool: Path, **more: Any) -> Iterator[Client]:
    with Client(URL, TOKEN, spool=spool, transport=backbone.transport, **more) as opened:
        yield opened


def put(spool: Path, *numbers: int, **more: Any) -> None:
    opened = Spool(spool, **more)
    opened.put([(event_id(n), orjson.dumps({"id": event_id(n), "data": {"surname": PLANTED}})) for n in numbers])
    opened.close()


def until(holds: Callable[[], bool]) -> None:
    gate = Flag()
    for _ in range(int(PATIENCE_S / 0.01)):
        if holds():
            return
        gate.wait(0.01)
    raise AssertionError("it never came to hold")


def test_what_waits_goes_as_one_batch_in_order(tmp_path: Path) -> None:
    put(tmp_path, *range(1, 11))
    backbone = Backbone(receipts())
    with client(backbone, tmp_path) as opened:
        assert opened.flush(PATIENCE_S)
        opened.publish(an_event(11))
        assert opened.flush(PATIENCE_S)
        until(lambda: opened.status().sending is Sending.IDLE)
        told = opened.status()
    assert backbone.batches == [[event_id(n) for n in range(1, 11)], [event_id(11)]]
    assert (told.waiting, told.refused, told.bytes, told.oldest_at, told.last_error) == (0, 0, 0, None, "")
    assert told.counts == {"accepted": 11}


def test_a_lost_network_and_a_busy_backbone_are_tried_again_until_it_arrives(tmp_path: Path) -> None:
    backbone = Backbone(lost, status(503), status(429, **{"retry-after": "1"}), status(404), lost, receipts())
    with client(backbone, tmp_path) as opened:
        opened.publish(an_event(1))
        assert opened.flush(PATIENCE_S)
    assert backbone.batches == [[event_id(1)]] * 6


def test_history_and_what_alerts_go_in_requests_of_their_own_and_keep_their_order(tmp_path: Path) -> None:
    backbone = Backbone(receipts())
    backbone.gate.clear()
    with client(backbone, tmp_path) as opened:
        opened.publish_all([an_event(1), an_event(2)], alerting=False)
        opened.publish(an_event(3))
        opened.publish(an_event(4), alerting=False)
        backbone.gate.set()
        assert opened.flush(PATIENCE_S)
    assert [n for batch in backbone.batches for n in batch] == [event_id(n) for n in (1, 2, 3, 4)]
    assert "alerting=false" in backbone.queries[0]
    assert [q for b, q in zip(backbone.batches, backbone.queries, strict=True) if b == [event_id(3)]] == [""]


def test_a_batch_that_is_too_large_is_split_until_the_one_at_fault_stands_alone(tmp_path: Path) -> None:
    def answer(events: list[dict[str, Any]]) -> httpx.Response:
        if any(event["id"] == event_id(3) for event in events):
            return status(413)(events)
        return receipts()(events)

    put(tmp_path, *range(1, 6))
    with client(Backbone(answer), tmp_path) as opened:
        assert opened.flush(PATIENCE_S)
        (refused,) = opened.refused()
        assert opened.status().counts == {"accepted": 4, "unreadable": 1}
    assert (refused.event_id, refused.status) == (event_id(3), "unreadable")


def test_what_is_refused_is_set_aside_with_its_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    statuses = {event_id(2): "quarantined", event_id(3): "forbidden", event_id(4): "duplicate"}
    told: list[RefusedEvent] = []
    backbone = Backbone(receipts(lambda event: statuses.get(event["id"], "accepted")))
    put(tmp_path, 1, 2, 3, 4)
    with client(backbone, tmp_path, on_refused=told.append) as opened:
        assert opened.flush(PATIENCE_S)
        until(lambda: len(told) == 2)
        refused = opened.refused()
        assert [(r.event_id, r.status, r.title, r.quarantine_id) for r in refused] == [
            (event_id(2), "quarantined", "breaks a rule", "q-1"),
            (event_id(3), "forbidden", "breaks a rule", "q-1"),
        ]
        assert refused[0].event["data"] == {"surname": PLANTED}
        assert PLANTED not in repr(refused)
        assert told == refused
        statuses.clear()
        opened.again(refused[0])
        opened.forget(refused[1])
        assert opened.flush(PATIENCE_S)
        assert opened.refused() == []
    assert backbone.batches[-1] == [event_id(2)]


def test_a_callback_that_fails_does_not_end_the_sending(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(refused: RefusedEvent) -> None:
        raise ValueError(PLANTED)

    put(tmp_path, 1)
    with client(Backbone(receipts(lambda _: "forbidden")), tmp_path, on_refused=fail) as opened:
        assert opened.flush(PATIENCE_S)
        opened.publish(an_event(2))
        assert opened.flush(PATIENCE_S)
    assert "on_refused failed with ValueError" in caplog.text
    assert PLANTED not in caplog.text


def test_a_refused_key_stops_the_sending_keeps_the_spool_and_shows_no_event_while_it_asks(tmp_path: Path) -> None:
    backbone = Backbone(status(401), status(401), status(401), receipts(), receipts())
    backbone.gate.clear()
    with client(backbone, tmp_path) as opened:
        opened.publish(an_event(1))
        backbone.gate.set()
        until(lambda: len(backbone.batches) >= 5)
        assert opened.flush(PATIENCE_S)
    assert backbone.batches == [[event_id(1)], [], [], [], [event_id(1)]]


def test_a_refused_key_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "KEY_S", 60.0)
    with client(Backbone(status(403)), tmp_path) as opened:
        opened.publish(an_event(1))
        until(lambda: opened.status().sending is Sending.KEY_REFUSED)
        assert not opened.flush(PATIENCE_S)
        told = opened.status()
    assert told.waiting == 1
    assert "the API key was refused (403)" in told.last_error


def test_an_answer_of_something_else_than_a_backbone_loses_nothing(tmp_path: Path) -> None:
    def login_page(_: object) -> httpx.Response:
        return httpx.Response(200, content=b"<html>please log in</html>")

    def short(events: list[dict[str, Any]]) -> httpx.Response:
        return httpx.Response(202, content=b'{"receipts": []}')

    backbone = Backbone(login_page, short, receipts(lambda _: "eaten"), receipts())
    with client(backbone, tmp_path) as opened:
        opened.publish(an_event(1))
        assert opened.flush(PATIENCE_S)
        assert opened.status().counts == {"accepted": 1}


def test_a_full_spool_refuses_loudly_and_keeps_what_it_has(tmp_path: Path) -> None:
    backbone = Backbone(lost)
    with client(backbone, tmp_path, bounds=Bounds(events=2)) as opened:
        opened.publish_all([an_event(1), an_event(2)])
        with pytest.raises(SpoolFull, match="nothing was put in"):
            opened.publish(an_event(3))
        assert opened.status().waiting == 2
    with client(backbone, tmp_path, bounds=Bounds(bytes=10)) as opened, pytest.raises(SpoolFull):
        opened.publish(an_event(3))


def test_refused_events_take_room_too(tmp_path: Path) -> None:
    with client(Backbone(receipts(lambda _: "forbidden")), tmp_path, bounds=Bounds(events=1)) as opened:
        opened.publish(an_event(1))
        assert opened.flush(PATIENCE_S)
        with pytest.raises(SpoolFull):
            opened.publish(an_event(2))
        opened.forget(opened.refused()[0])
        opened.publish(an_event(2))


def test_an_event_larger_than_the_contract_allows_is_refused_before_it_is_kept(tmp_path: Path) -> None:
    with client(Backbone(receipts()), tmp_path) as opened:
        with pytest.raises(EventTooLarge):
            opened.publish(an_event(1, narrative="x" * MAX_EVENT_BYTES))
        assert opened.status().waiting == 0


def test_a_spool_is_private_and_holds_nothing_in_clear(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    put(spool, 1, 2)
    assert stat.S_IMODE(spool.stat().st_mode) == 0o700
    for path in spool.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert PLANTED.encode() not in path.read_bytes()


def test_a_spool_whose_key_is_missing_open_to_others_or_another_one_is_not_used(tmp_path: Path) -> None:
    put(tmp_path, 1)
    key = tmp_path / KEY
    kept = key.read_bytes()
    key.chmod(0o644)
    with pytest.raises(SpoolKeyError, match="chmod 600"):
        put(tmp_path, 2)
    key.unlink()
    with pytest.raises(SpoolKeyError, match="put it back"):
        put(tmp_path, 2)
    put(tmp_path / "other", 1)
    (tmp_path / "other" / KEY).rename(key)
    with client(Backbone(receipts()), tmp_path) as opened:
        until(lambda: opened.status().sending is Sending.BROKEN)
        assert "another key" in opened.status().last_error
        assert opened.status().waiting == 1
    key.write_bytes(kept)
    with client(Backbone(receipts()), tmp_path) as opened:
        assert opened.flush(PATIENCE_S)


@contextmanager
def another_writing(directory: Path) -> Iterator[None]:
    with closing(sqlite3.connect(directory / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_a_spool_that_another_process_holds_too_long_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_spool, "BUSY_S", 0.01)
    put(tmp_path, 1)
    backbone = Backbone(receipts())
    backbone.gate.clear()
    with client(backbone, tmp_path) as opened:
        until(lambda: opened.status().sending is Sending.SENDING)
        with another_writing(tmp_path):
            backbone.gate.set()  # it has arrived, and cannot be crossed off
            until(lambda: len(backbone.batches) >= 3 and opened.status().sending is Sending.RETRYING)
            told = opened.status()
        assert (told.waiting, told.counts) == (1, {})
        assert "cannot be used: database is locked" in told.last_error
        assert opened.flush(PATIENCE_S)
        opened.publish(an_event(2))
        assert opened.flush(PATIENCE_S)
        until(lambda: opened.status().sending is Sending.IDLE)
        assert (opened.status().last_error, opened.status().counts) == ("", {"accepted": 2})
    assert backbone.batches[-1] == [event_id(2)]


def failing(calls: int, then: Callable[..., Any]) -> Callable[..., Any]:
    left = iter(range(calls))

    def call(*args: Any, **more: Any) -> Any:
        if next(left, None) is not None:
            raise SpoolError("the spool cannot be used: database or disk is full")
        return then(*args, **more)

    return call


@pytest.mark.parametrize("step", ["first", "settle", "refused"])
def test_a_disk_that_fails_for_a_while_ends_nothing_and_every_refusal_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    told: list[RefusedEvent] = []
    monkeypatch.setattr(Spool, step, failing(5, getattr(Spool, step)))
    put(tmp_path, 1, 2)
    answer = receipts(lambda event: "forbidden" if event["id"] == event_id(2) else "accepted")
    with client(Backbone(answer), tmp_path, on_refused=told.append) as opened:
        assert opened.flush(PATIENCE_S)
        until(lambda: bool(told) and opened.status().sending is Sending.IDLE)
        assert opened.status().last_error == ""
    assert [refused.event_id for refused in told] == [event_id(2)]
    assert "disk is full" in caplog.text


def test_a_spool_that_cannot_be_opened_for_a_while_is_opened_later(tmp_path: Path) -> None:
    backbone, stays = Backbone(receipts()), tmp_path / "spool"
    put(stays, 1)
    with httpx.Client(base_url=URL, transport=backbone.transport) as http:
        sends = sender.Sender(failing(3, lambda: Spool(stays)), stays, http)
        sends.start()
        until(lambda: sends.counts == {"accepted": 1})
        sends.stop(PATIENCE_S)
    assert sends.state is Sending.STOPPED


@pytest.mark.parametrize("words", ["cannot be opened", "cannot be locked"])
def test_a_lock_file_that_is_none_is_told_and_tried_again(tmp_path: Path, words: str) -> None:
    lock = tmp_path / sender.LOCK
    put(tmp_path, 1)
    if words == "cannot be opened":
        lock.mkdir()
    else:
        lock.write_bytes(b"no database" * 1_000)
    with client(Backbone(receipts()), tmp_path) as opened:
        until(lambda: opened.status().sending is Sending.RETRYING)
        assert words in opened.status().last_error
        assert opened.status().waiting == 1
        if lock.is_dir():
            lock.rmdir()
        else:
            lock.unlink()
        assert opened.flush(PATIENCE_S)


def test_of_two_clients_on_one_spool_one_sends_and_the_other_follows(tmp_path: Path) -> None:
    first, second = Backbone(receipts()), Backbone(receipts())
    with client(second, tmp_path) as waits_for_it:
        with client(first, tmp_path) as sends:
            until(lambda: {waits_for_it.status().sending, sends.status().sending} == {Sending.IDLE, Sending.ELSEWHERE})
            sends.publish(an_event(1))
            waits_for_it.publish(an_event(2))
            assert sends.flush(PATIENCE_S)
            assert waits_for_it.flush(PATIENCE_S)
        waits_for_it.publish(an_event(3))
        assert waits_for_it.flush(PATIENCE_S)
    assert sorted(n for batch in first.batches + second.batches for n in batch) == [event_id(n) for n in (1, 2, 3)]


def test_what_waits_when_a_client_is_closed_goes_with_the_next(tmp_path: Path) -> None:
    with client(Backbone(lost), tmp_path) as opened:
        opened.publish(an_event(1))
    backbone = Backbone(receipts())
    with client(backbone, tmp_path) as opened:
        assert opened.flush(PATIENCE_S)
    assert backbone.batches == [[event_id(1)]]


def test_a_damaged_spool_says_so(tmp_path: Path) -> None:
    put(tmp_path, 1)
    for path in tmp_path.glob(f"{DATABASE}*"):
        path.write_bytes(os.urandom(8_192))
    with pytest.raises(RuntimeError, match="cannot be used"):
        put(tmp_path, 2)


@pytest.mark.parametrize(("url", "key"), [("ftp://x", TOKEN), ("http://u:p@x", TOKEN), (URL, "two words"), (URL, "")])
def test_an_address_or_a_key_that_cannot_be_one_is_refused(tmp_path: Path, url: str, key: str) -> None:
    with pytest.raises(ValueError, match=r"must be|is no"):
        Client(url, key, spool=tmp_path)


async def test_the_asyncio_client_does_the_same(tmp_path: Path) -> None:
    statuses = {event_id(2): "quarantined"}
    backbone = Backbone(receipts(lambda event: statuses.get(event["id"], "accepted")))
    async with AdapterClient(URL, TOKEN, spool=tmp_path, transport=backbone.transport) as opened:
        await asyncio.gather(*(opened.publish(an_event(n)) for n in (1, 2, 3)))
        await opened.publish_all([an_event(4)])
        assert await opened.flush(PATIENCE_S)
        (refused,) = await opened.refused()
        await opened.again(refused)
        assert await opened.flush(PATIENCE_S)
        (refused,) = await opened.refused()
        await opened.forget(refused)
        assert (await opened.status()).refused == 0


def test_waits_grow_to_a_bound_and_are_never_in_step() -> None:
    assert {waits.wait_s(1) == waits.wait_s(1) for _ in range(20)} != {True}
    assert waits.wait_s(10_000) <= waits.LONGEST_S


@pytest.mark.parametrize(("text", "seconds"), [("2", 2.0), ("99999", 300.0), ("soon", 0.0), ("-1", 0.0), ("", 0.0)])
def test_retry_after_is_heard_within_reason(text: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert waits.asked_s(text) == seconds
