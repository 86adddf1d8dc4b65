"""The backbone over HTTP, as commands and adapters use it. Synchronous.

Publishing and answering are repeated on a busy or broken connection: event ids are the publisher's and answers'
ids are derived, so saying it twice is saying it once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import quote

import httpx
import orjson

from ccr_events.envelope import BATCH, MAX_BATCH_EVENTS, Event, write_structured
from services.cli.answers import Unreachable, checked, object_in, objects_in, receipts_in
from services.cli.patience import BUSY, MAX_TRIES, asked_wait_s, waits_s
from services.cli.refused import Refused
from services.engine.ports import Receipt

BATCH_EVENTS = 200
"""Most events in one request: small enough that a busy service answers in a moment."""
BATCH_BYTES = 4_000_000
"""Bytes after which a request takes no further event."""
CONNECT_S = 5.0
ANSWER_S = 60.0
"""Longest wait for one answer."""
FIRST_TRIES = 2
"""Tries while nothing has ever answered at the address: a service that is not there is told at once."""

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
"""A name, an IPv4 or an IPv6 address."""

Answer = Literal["acknowledge", "complete", "waive"]


class Client:
    """One agency's connection. Use as a context manager, or `close` it."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`url`: address of the backbone; `key`: API key (None: only what needs none); `sleep`: how to wait between
        tries; `transport`: how requests travel, when not over the network."""
        parsed = _address(url)
        headers = {} if key is None else {"authorization": f"Bearer {_presentable(key)}"}
        # A proxy from the environment must not see a key that was meant for this machine.
        self.http = httpx.Client(
            base_url=parsed,
            headers=headers,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            trust_env=not is_local(parsed.host),
            transport=transport,
        )
        self.url = url.rstrip("/")
        self.sleep = sleep
        self._reached = False

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go."""
        self.http.close()

    def publish(self, events: Sequence[Event], *, alerting: bool = True) -> list[Receipt]:
        """Publish events; one receipt each, in order. Any number: sent in bounded batches.

        `alerting=False` is for backfilled history: it is folded, but nobody is alerted.
        """
        return self.publish_forms([write_structured(event) for event in events], alerting=alerting)

    def publish_forms(
        self, forms: Sequence[object], *, alerting: bool = True, at_once: int = BATCH_EVENTS
    ) -> list[Receipt]:
        """Publish events given as JSON, whatever they hold: what is no event is quarantined with the reason.

        `at_once`: most events of one request; more is faster, and others wait longer for their turn.
        """
        receipts: list[Receipt] = []
        query = {} if alerting else {"alerting": "false"}
        for batch in _batches(forms, at_once):
            body = b"[" + b",".join(batch) + b"]"
            receipts += receipts_in(
                self._request("POST", "/v1/events", body=body, media=BATCH, query=query), len(batch)
            )
        return receipts

    def links(
        self, *, agency: str | None = None, case_id: str | None = None, open_only: bool = True, limit: int = 200
    ) -> list[dict[str, Any]]:
        """Protocol links this agency may see, earliest due first."""
        query = {"agency": agency, "case_id": case_id, "open_only": str(open_only).lower(), "limit": str(limit)}
        return self._listed("/v1/links", "links", query)

    def link(self, link_id: str) -> dict[str, Any]:
        """One protocol link."""
        return self._got(f"/v1/links/{_segment(link_id)}")

    def answer(self, link_id: str, answer: Answer, body: Mapping[str, Any]) -> dict[str, Any]:
        """Acknowledge, complete or waive a link; `body` holds `role` and the fields of the event type."""
        return self._posted(f"/v1/links/{_segment(link_id)}/{answer}", body)

    def case(self, case_id: str) -> dict[str, Any]:
        """Timeline and links of a case."""
        return self._got(f"/v1/cases/{_segment(case_id)}")

    def open_event(self, event_id: str, labels: Sequence[str], purpose: str) -> dict[str, Any]:
        """Sealed fields of one event that this agency may read; the read is audited."""
        return self._posted(f"/v1/events/{_segment(event_id)}/open", {"labels": list(labels), "purpose": purpose})

    def quarantine(self, limit: int = 200) -> list[dict[str, Any]]:
        """What waits in quarantine, oldest first."""
        return self._listed("/v1/quarantine", "quarantined", {"limit": str(limit)})

    def open_quarantined(self, quarantine_id: str, purpose: str) -> bytes:
        """The submitted bytes, for repair; the read is audited."""
        path = f"/v1/quarantine/{_segment(quarantine_id)}/open"
        return self._request("POST", path, body=orjson.dumps({"purpose": purpose})).content

    def redrive(self, quarantine_id: str, repaired: bytes | None = None) -> dict[str, Any]:
        """Submit it again, as it was or repaired."""
        path = f"/v1/quarantine/{_segment(quarantine_id)}/redrive"
        return object_in(self._request("POST", path, body=repaired or b""))

    def discard(self, quarantine_id: str) -> None:
        """Take it out of quarantine for good."""
        self._request("POST", f"/v1/quarantine/{_segment(quarantine_id)}/discard")

    def proposals(self, limit: int = 200) -> list[dict[str, Any]]:
        """Merges that wait for a person, oldest first."""
        return self._listed("/v1/proposals", "proposals", {"limit": str(limit)})

    def decide(self, proposal_id: str, decision: Literal["accept", "reject"]) -> None:
        """Merge the two cases, or leave them apart."""
        self._request("POST", f"/v1/proposals/{_segment(proposal_id)}/{decision}")

    def text(self, path: str) -> str:
        """A plain page, such as `/metrics`."""
        return self._request("GET", path).text

    def ready(self) -> dict[str, Any]:
        """What `/readyz` says, ready or not."""
        return object_in(self._answered("GET", "/readyz", None, None, {}, frozenset()))

    def _got(self, path: str) -> dict[str, Any]:
        return object_in(self._request("GET", path))

    def _posted(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return object_in(self._request("POST", path, body=orjson.dumps(body)))

    def _listed(self, path: str, name: str, query: Mapping[str, str | None]) -> list[dict[str, Any]]:
        given = {key: value for key, value in query.items() if value is not None}
        return objects_in(self._request("GET", path, query=given), name)

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        media: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        return checked(self._answered(method, path, body, media, query or {}, BUSY))

    def _answered(
        self,
        method: str,
        path: str,
        body: bytes | None,
        media: str | None,
        query: Mapping[str, str],
        busy: frozenset[int],
    ) -> httpx.Response:
        headers = {} if not body or media is None else {"content-type": media}
        waits = waits_s()
        for tried in range(1, MAX_TRIES + 1):
            wait_s = next(waits)
            try:
                response = self.http.request(method, path, content=body, params=query, headers=headers)
            except httpx.TransportError as error:
                if tried >= (MAX_TRIES if self._reached else FIRST_TRIES):
                    raise unreachable(self.url, error) from None
            else:
                self._reached = True
                if response.status_code not in busy or tried == MAX_TRIES:
                    return response
                wait_s = max(wait_s, asked_wait_s(response))
            self.sleep(wait_s)
        raise AssertionError("the last try returns or raises")


def unreachable(url: str, error: httpx.TransportError) -> Unreachable:
    """What a broken connection means."""
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return Unreachable(f"the backbone at {url} does not answer in time: see ccr status")
    return Unreachable(
        f"nothing answers at {url} ({type(error).__name__}): is ccr up, or ccr worker portal, running there?"
    )


def is_local(host: str) -> bool:
    """Whether a host name is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if (
        parsed.scheme not in ("http", "https")
        or not _HOST.fullmatch(parsed.host)
        or parsed.userinfo
        or (parsed.port or 1) > 65535
    ):
        raise Refused("the address of the backbone must be a URL such as http://127.0.0.1:8700")
    return parsed


def _presentable(key: str) -> str:
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise Refused("that is no API key: it looks like ccr_<id>_<secret>, on one line")
    return key


def _segment(text: str) -> str:
    """One piece of a path: what a person typed cannot lead elsewhere."""
    if not text or text in (".", ".."):
        raise Refused("an id must not be empty")
    return quote(text, safe="")


def _batches(forms: Sequence[object], at_once: int) -> Iterator[list[bytes]]:
    """Events as JSON, within both bounds; an event larger than the bound goes alone, and the backbone judges it."""
    limit = min(at_once, MAX_BATCH_EVENTS)
    waiting: list[bytes] = []
    size = 0
    for item in forms:
        form = orjson.dumps(item)
        if waiting and (len(waiting) == limit or size + len(form) > BATCH_BYTES):
            yield waiting
            waiting, size = [], 0
        waiting.append(form)
        size += len(form)
    if waiting:
        yield waiting
