"""Following the alert stream: each alert once, also across broken connections."""

from __future__ import annotations

from itertools import islice

import httpx
import pytest

from services.cli.answers import ServerRefused, Unreachable
from services.cli.following import Wanted, follow
from tests.support.answering import Script, frames, json_answer, refuse_connection

BROKEN = httpx.ReadError("broken")


def test_alerts_come_in_order_and_heartbeats_are_silent() -> None:
    script = Script(frames(1, 2, 3))
    with script.client() as client:
        heard = list(islice(follow(client), 3))
    assert [(one.seq, one.event["n"]) for one in heard] == [(1, 1), (2, 2), (3, 3)]


def test_a_broken_connection_resumes_after_the_last_alert() -> None:
    script = Script(frames(1, 2, then=BROKEN), refuse_connection, frames(3))
    with script.client() as client:
        heard = [one.seq for one in islice(follow(client), 3)]
    assert heard == [1, 2, 3]
    first, _, third = script.requests
    assert "last-event-id" not in first.headers
    assert first.url.params["after"] == "now"
    assert third.headers["last-event-id"] == "2"
    assert "after" not in third.url.params


def test_a_stream_that_ends_is_asked_for_again() -> None:
    script = Script(frames(1), frames(2))
    with script.client() as client:
        assert [one.seq for one in islice(follow(client, after="0"), 2)] == [1, 2]
    assert script.requests[0].headers["last-event-id"] == "0"


def test_filters_are_repeated_on_every_connection() -> None:
    script = Script(frames(1), frames(2))
    wanted = Wanted({"kind": ["opened", "overdue"], "role": []}, '{"prefix": {"torole": "on-call"}}')
    with script.client() as client:
        list(islice(follow(client, wanted), 2))
    for request in script.requests:
        assert request.url.params.get_list("kind") == ["opened", "overdue"]
        assert request.url.params["filter"] == '{"prefix": {"torole": "on-call"}}'


def test_whoever_listens_hears_of_a_lost_connection_and_of_its_return() -> None:
    told: list[str | None] = []
    script = Script(frames(1, then=BROKEN), lambda _: httpx.Response(503), frames(2))
    with script.client() as client:
        list(islice(follow(client, told=told.append), 2))
    assert [words is None for words in told] == [True, False, False, True]


def test_waits_grow_while_the_backbone_is_away_and_stay_bounded() -> None:
    script = Script(frames(1), *[refuse_connection] * 12, frames(2))
    with script.client() as client:
        list(islice(follow(client), 2))
    assert max(script.waits) < 11
    assert script.waits[0] < script.waits[5]


def test_a_backbone_that_is_not_there_is_told_at_once() -> None:
    with Script(refuse_connection).client() as client, pytest.raises(Unreachable, match="nothing answers"):
        next(follow(client))


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_ends_following(status: int) -> None:
    script = Script(frames(1), lambda _: json_answer(status, {"title": "no", "detail": "filter/0 must be an object"}))
    with script.client() as client:
        alerts = follow(client)
        next(alerts)
        with pytest.raises(ServerRefused):
            next(alerts)


def test_a_page_that_is_no_stream_is_recognised() -> None:
    page = httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>")
    with Script(lambda _: page).client() as client, pytest.raises(Unreachable, match="not with alerts"):
        next(follow(client))
