"""The alert stream over a real server and sockets: filters, audience, resuming, slowness, and the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from ccr_events.agencies import Agency
from ccr_events.core.model import Transition
from ccr_events.envelope import BATCH, write_structured
from services.alerts import stream
from services.demo.clock import ScriptClock
from services.embedded import Backbone, Settings, open_backbone
from services.portal.app import StreamSettings, create_app
from services.portal.server import served
from tests.support.doors import T0, an_event
from tests.support.portals import PLANTED, STREET, arrest, keys_of, pointers, problem_of

PATIENCE_S = 20.0
"""Longest wait for what must come; nothing is asserted about how long it took."""
QUIET_S = 1.0
"""Silence after which a broken-off subscriber comes back."""


@dataclass
class Site:
    """A backbone and its portal at an address."""

    backbone: Backbone
    url: str
    keys: dict[str, str] = field(repr=False)
    http: httpx.AsyncClient

    async def publish(self, *events: Any, agency: str = "le") -> None:
        body = orjson.dumps([write_structured(event) for event in events])
        headers = {"authorization": f"Bearer {self.keys[agency]}", "content-type": BATCH}
        response = await self.http.post("/v1/events", content=body, headers=headers)
        assert response.status_code == 202, response.text

    @asynccontextmanager
    async def listening(self, listener: str = "ccr", /, **query: Any) -> AsyncIterator[Ear]:
        """An open stream that follows already; `last_event_id` goes into the header."""
        headers = {"authorization": f"Bearer {self.keys[listener]}"}
        if "last_event_id" in query:
            headers["last-event-id"] = query.pop("last_event_id")
        async with self.http.stream("GET", "/v1/alerts", params=query, headers=headers) as response:
            if response.status_code == 200:
                ear = Ear(response.aiter_lines())
                await ear.comment("following")
            else:
                await response.aread()
                ear = Ear(aiter_of())
            ear.response = response
            yield ear


async def aiter_of(*lines: str) -> AsyncIterator[str]:
    for line in lines:
        yield line


@dataclass
class Ear:
    """Reads one stream."""

    lines: AsyncIterator[str]
    response: httpx.Response = field(init=False)
    raw: list[str] = field(default_factory=list)

    async def comment(self, word: str) -> None:
        """Read on to a comment with this word."""
        await self._until(lambda line: line.startswith(": ") and word in line)

    async def alert(self) -> tuple[int, dict[str, Any]]:
        """The next alert: its place, and the CloudEvent."""
        data = await self._until(lambda line: line.startswith("data: "))
        place = next(line for line in reversed(self.raw) if line.startswith("id: "))
        return int(place[4:]), orjson.loads(data[6:])

    async def alerts(self, count: int) -> list[tuple[int, dict[str, Any]]]:
        return [await self.alert() for _ in range(count)]

    async def rest(self) -> list[str]:
        """Everything until the other end closes."""
        async with asyncio.timeout(PATIENCE_S):
            return [line async for line in self.lines if line]

    async def _until(self, wanted: Any) -> str:
        async with asyncio.timeout(PATIENCE_S):
            async for line in self.lines:
                self.raw.append(line)
                if wanted(line):
                    return line
        raise AssertionError("the stream ended")


@asynccontextmanager
async def a_site(directory: Path, **settings: Any) -> AsyncIterator[Site]:
    clock = ScriptClock(T0)
    async with open_backbone(Settings(data=directory, clock=clock)) as backbone:
        keys = await keys_of(backbone)
        async with (
            served(create_app(backbone, stream=StreamSettings(**settings))) as (url, _),
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE_S) as http,
        ):
            yield Site(backbone, url, keys, http)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(tmp_path / "data") as opened:
        yield opened


async def outbox(site: Site) -> list[tuple[int, Transition]]:
    """(place, transition) of everything that was committed."""
    last = await site.backbone.alerts.last_seq()
    found: list[tuple[int, Transition]] = []
    async for page in site.backbone.alerts.follow(0):
        found += [(item.seq, item.transition) for item in page]
        if found[-1][0] >= last:
            break
    return found


async def test_an_alert_is_a_cloud_event_with_the_words_of_the_policy_and_nothing_sealed(site: Site) -> None:
    async with site.listening("adv") as ear:
        assert ear.response.headers["content-type"].startswith("text/event-stream")
        assert ear.response.headers["cache-control"] == "no-store"
        await site.publish(arrest())
        place, event = await ear.alert()
    assert (event["specversion"], event["type"], event["causationid"]) == ("1.0", "link.opened", arrest().id)
    assert (event["toagency"], event["torole"], event["rule"]) == ("adv", "on-call advocate", "L06b")
    assert event["data"]["rule_title"] == "On-call advocate assigned after an arrest"
    assert event["data"]["action"].startswith("Assign an advocate")
    assert f"event: {event['type']}" in ear.raw
    assert place > 0
    for secret in (PLANTED, STREET):
        assert secret not in "\n".join(ear.raw)


async def test_each_agency_hears_what_is_addressed_to_it_or_becomes_of_its_acts(tmp_path: Path) -> None:
    async with (
        a_site(tmp_path, heartbeat_s=0.02) as site,
        site.listening("le", after="0") as police,
        site.listening("adv", after="0") as advocates,
        site.listening("bip", after="0") as others,
    ):
        await site.publish(arrest())
        everything = await outbox(site)
        for agency, ear in (("le", police), ("adv", advocates)):
            due = [seq for seq, t in everything if agency in (t.to_agency, t.link.agency)]
            assert 0 < len(due) < len(everything)
            assert [seq for seq, _ in await ear.alerts(len(due))] == due
        for _ in range(2):
            await others.comment("still here")
        assert not any(line.startswith("data:") for line in others.raw)


FILTERS: tuple[tuple[dict[str, Any], Callable[[Transition], bool]], ...] = (
    ({"rule": "L06b"}, lambda t: t.link.rule == "L06b"),
    ({"rule": ["L06a", "L06b"]}, lambda t: t.link.rule in ("L06a", "L06b")),
    ({"agency": "adv"}, lambda t: "adv" in (t.to_agency, t.link.agency)),
    ({"role": "arresting officer"}, lambda t: "arresting officer" in (t.to_role, t.link.role)),
    (
        {"urgency": "immediate", "kind": "opened"},
        lambda t: (t.link.urgency, t.kind.value) == ("immediate", "opened"),
    ),
    ({"filter": '{"suffix":{"rule":"b"}}'}, lambda t: t.link.rule.endswith("b")),
    (
        {"filter": ['{"prefix":{"rule":"L06"}}', '{"not":{"exact":{"toagency":"adv"}}}']},
        lambda t: t.link.rule == "L06a",
    ),
)


async def test_filters(site: Site) -> None:
    await site.publish(arrest(), an_event(2, "incident.reported", refs=(("incident_no", "26-0101"),), dv="yes"))
    everything = await outbox(site)
    for query, expected in FILTERS:
        due = [seq for seq, transition in everything if expected(transition)]
        assert 0 < len(due) < len(everything)
        async with site.listening("ccr", after="0", **query) as ear:
            assert [seq for seq, _ in await ear.alerts(len(due))] == due


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"kind": PLANTED}, "kind"),
    ({"agency": PLANTED}, "agency"),
    ({"filter": PLANTED}, "filter"),
    ({"filter": '{"sql":"true"}'}, "filter"),
    ({"filter": f'{{"any":[{{"exact":{{"{PLANTED}":"1"}}}}]}}'}, "filter/any/0/exact"),
    ({"filter": ["{}"] * 9}, "filter"),
    ({"after": PLANTED}, "after"),
    ({"after": "-1"}, "after"),
    ({"last_event_id": "9" * 19}, "after"),
)


async def test_a_subscription_that_cannot_be_read_is_refused(site: Site) -> None:
    for query, pointer in WRONG:
        async with site.listening("le", **query) as ear:
            assert pointers(problem_of(ear.response, 400)) == [pointer]


async def test_a_place_ahead_of_the_log_is_refused_rather_than_silent(site: Site) -> None:
    async with site.listening("le", after="17") as ear:
        assert "after=0" in problem_of(ear.response, 409)["errors"][0]["message"]


async def test_without_a_place_only_what_comes_now(site: Site) -> None:
    await site.publish(arrest())
    last = await site.backbone.alerts.last_seq()
    async with site.listening("le") as ear:
        await site.publish(an_event(2, "incident.reported", refs=(("incident_no", "26-0101"),), dv="yes"))
        place, event = await ear.alert()
    assert place > last
    assert event["causationid"] == an_event(2).id


async def test_broken_and_resumed_again_and_again_there_is_neither_gap_nor_double(site: Site) -> None:
    """The publisher never stops while the subscriber's connection breaks after every few alerts."""
    events = [an_event(n, refs=(("incident_no", f"26-{n}"),), dv="yes") for n in range(1, 41)]

    async def publish() -> None:
        for event in events:
            await site.publish(event)

    heard: list[int] = []
    publishing = asyncio.create_task(publish())
    place = "0"
    while not publishing.done() or not heard or heard[-1] < await site.backbone.alerts.last_seq():
        async with site.listening("ccr", last_event_id=place) as ear:
            for _ in range(7):
                if publishing.done() and heard and heard[-1] >= await site.backbone.alerts.last_seq():
                    break
                try:
                    async with asyncio.timeout(QUIET_S):
                        heard.append((await ear.alert())[0])
                except TimeoutError:  # the last alert may have been heard just before publishing ended
                    break
        place = str(heard[-1]) if heard else "0"
    await publishing
    assert heard == list(range(1, heard[-1] + 1))
    assert heard[-1] > 100


async def test_last_event_id_goes_before_after(site: Site) -> None:
    await site.publish(arrest())
    first, *_ = await outbox(site)
    async with site.listening("ccr", after="0", last_event_id=str(first[0])) as ear:
        assert (await ear.alert())[0] == first[0] + 1


async def test_an_alert_that_was_sent_is_on_record_and_once(site: Site) -> None:
    async with site.listening("adv", after="0") as one, site.listening("adv", after="0") as other:
        await site.publish(arrest())
        _, event = await one.alert()
        await other.alert()
        link_id = event["subject"]
        while (await one.alert())[1]["type"] != "link.notified":
            pass
    link = await site.backbone.links.link(link_id)
    assert link is not None
    assert link.notified_at is not None
    records = [
        r for r in await site.backbone.log.read(0) if b'"link.notified"' in r.body and link_id.encode() in r.body
    ]
    assert len(records) == 1


async def test_silence_is_filled_with_heartbeats_and_subscribers_are_counted(tmp_path: Path) -> None:
    async with a_site(tmp_path, heartbeat_s=0.01) as site:
        async with site.listening("le") as ear:
            for _ in range(3):
                await ear.comment("still here")
            assert await counted(site) == 1
        await subscribers(site, 0)


async def test_more_subscribers_than_the_bound_are_asked_to_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_SUBSCRIBERS", 1)
    async with site.listening("le"), site.listening("le") as refused:
        problem_of(refused.response, 503)
        assert refused.response.headers["retry-after"] == "5"


async def test_a_subscriber_that_reads_nothing_is_let_go_and_holds_up_nobody(tmp_path: Path) -> None:
    async with a_site(tmp_path, send_s=0.2) as site, site.listening("ccr", after="0") as quick:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.connect((urlsplit(site.url).hostname, urlsplit(site.url).port))
            key = site.keys["ccr"]
            deaf.sendall(f"GET /v1/alerts?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
            await subscribers(site, 2)
            heard = published = 0
            while await counted(site) == 2:
                assert published < 20_000, "a deaf subscriber is kept"
                numbers = range(published + 1, published + 101)
                await site.publish(*(an_event(n, refs=(("incident_no", f"26-{n}"),), dv="yes") for n in numbers))
                published += 100
                last = await site.backbone.alerts.last_seq()
                while heard < last:
                    heard = (await quick.alert())[0]
        assert await counted(site) == 1


async def counted(site: Site) -> int:
    """Subscribers, as the metrics count them."""
    text, _ = await site.backbone.metrics.exposition()
    line = next(line for line in text.decode().splitlines() if line.startswith("ccr_alert_subscribers "))
    return int(float(line.split()[1]))


async def subscribers(site: Site, count: int) -> None:
    """Return when there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while await counted(site) != count:
            await asyncio.sleep(0.005)


async def test_the_server_stops_with_streams_open_and_tells_them_how_to_resume(tmp_path: Path) -> None:
    async with open_backbone(Settings(data=tmp_path, clock=ScriptClock(T0))) as backbone:
        key = await backbone.issue_key(Agency.CCR, "tests")
        headers = {"authorization": f"Bearer {key}"}
        server = served(create_app(backbone))
        url, serving = await server.__aenter__()
        async with (
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE_S) as http,
            http.stream("GET", "/v1/alerts", headers=headers) as one,
            http.stream("GET", "/v1/alerts", headers=headers, params={"after": "0"}) as two,
        ):
            ears = [Ear(one.aiter_lines()), Ear(two.aiter_lines())]
            for ear in ears:
                await ear.comment("following")
            async with asyncio.timeout(PATIENCE_S):
                await server.__aexit__(None, None, None)
            assert serving.done()
            for ear in ears:
                assert (await ear.rest())[-1] == f": {stream.CLOSING}"
            with pytest.raises(httpx.ConnectError):
                await http.get("/healthz")
