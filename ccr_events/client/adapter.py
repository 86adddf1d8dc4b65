"""What an adapter holds: `Client` in plain scripts, `AdapterClient` in asyncio. Both put events into a spool and let
one background thread send them, so that neither a lost network nor a blocked event loop holds anything up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import orjson

from ccr_events.client.sender import Sender, Sending
from ccr_events.client.spool import Bounds, RefusedEvent, Spool
from ccr_events.envelope import Event, write_structured

CONNECT_S = 10.0
ANSWER_S = 60.0
"""Longest wait for one answer."""
CLOSE_S = 5.0
"""Longest wait for a request under way when a client is closed; what it carried is sent again next time."""
_LOOK_S = 0.02

Publishable = Event | Mapping[str, Any]
"""An event, or its JSON form (CloudEvents structured mode)."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a client stands. Holds nothing of an event."""

    sending: Sending
    waiting: int
    """Events that the backbone has not confirmed yet."""
    refused: int
    """Events that it refused and that nobody has looked at yet."""
    bytes: int
    """Size of the spool."""
    oldest_at: datetime | None
    """Since when the first of those has been waiting."""
    last_error: str
    """Why the last try failed; empty when it did not."""
    counts: Mapping[str, int]
    """Events by what became of them since this client was opened: accepted, duplicate, quarantined …"""


class Client:
    """Publishes one agency's events. Use as a context manager, or `close` it.

    Raises `ValueError` for an address or a key that cannot be one, and what `Spool` raises.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        spool: Path,
        key_file: Path | None = None,
        bounds: Bounds | None = None,
        on_refused: Callable[[RefusedEvent], None] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`url`, `key`: of the backbone and for it. `spool`: a directory of its own on a local disk. `key_file`: the
        spool's own key, better on another disk. `on_refused` is called on another thread. `transport`: how requests
        travel, when not over the network."""
        address = _address(url)
        self._spool = Spool(spool, key_file=key_file, bounds=bounds)
        self._http = httpx.Client(
            base_url=address,
            headers={"authorization": f"Bearer {_presentable(key)}"},
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            trust_env=not _is_local(address.host),  # a proxy must not see a key meant for this machine
            transport=transport,
        )
        opened = partial(Spool, spool, key_file=key_file, bounds=bounds)
        self._sender = Sender(opened, spool, self._http, on_refused=on_refused)
        self._sender.start()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop sending; what waits stays in the spool for the next time."""
        self._sender.stop(CLOSE_S)
        self._http.close()
        self._spool.close()

    def publish(self, event: Publishable, *, alerting: bool = True) -> None:
        """Returns once the event is on this machine's disk. Raises `SpoolFull`, `EventTooLarge` or `SpoolError`.

        `alerting=False` is for history: it is kept and folded, and nobody is alerted.
        """
        self.publish_all((event,), alerting=alerting)

    def publish_all(self, events: Sequence[Publishable], *, alerting: bool = True) -> None:
        """Several at once, all or none; much faster than one by one."""
        self._spool.put([_entry(event) for event in events], alerting=alerting)
        self._sender.wake()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was published so far has its answer; False when it has not in time.

        Ends early when waiting is of no use: the key is refused, or its key does not open it.
        """
        newest, end = self._spool.newest(), monotonic() + timeout_s
        while not self._spool.passed(newest):
            if monotonic() >= end or self._sender.state in (Sending.KEY_REFUSED, Sending.BROKEN, Sending.STOPPED):
                return False
            sleep(_LOOK_S)
        return True

    def status(self) -> Status:
        """How it stands."""
        held = self._spool.held()
        return Status(
            sending=self._sender.state,
            waiting=held.waiting,
            refused=held.refused,
            bytes=held.bytes,
            oldest_at=held.oldest_at,
            last_error=self._sender.last_error,
            counts=self._sender.counts,
        )

    def refused(self, limit: int = 1_000) -> list[RefusedEvent]:
        """What the backbone refused, oldest first, with the reasons; it stays until `forget` or `again`."""
        return self._spool.refused(limit)

    def forget(self, refused: RefusedEvent) -> None:
        """It was dealt with: delete it from the spool."""
        self._spool.forget(refused.seq)

    def again(self, refused: RefusedEvent) -> None:
        """Send it once more, as it is."""
        self._spool.again(refused.seq)
        self._sender.wake()


class AdapterClient:
    """The same for asyncio: `async with AdapterClient(url, key, spool=Path("spool")) as client`."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        spool: Path,
        key_file: Path | None = None,
        bounds: Bounds | None = None,
        on_refused: Callable[[RefusedEvent], None] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """As for `Client`."""
        self._open = partial(
            Client,
            url,
            key,
            spool=spool,
            key_file=key_file,
            bounds=bounds,
            on_refused=on_refused,
            transport=transport,
        )
        self._opened: Client | None = None

    async def __aenter__(self) -> AdapterClient:
        self._opened = await asyncio.to_thread(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._client.close)

    @property
    def _client(self) -> Client:
        if self._opened is None:
            raise RuntimeError("open the client first: async with AdapterClient(...) as client")
        return self._opened

    async def publish(self, event: Publishable, *, alerting: bool = True) -> None:
        """See `Client.publish`."""
        await asyncio.to_thread(self._client.publish, event, alerting=alerting)

    async def publish_all(self, events: Sequence[Publishable], *, alerting: bool = True) -> None:
        """See `Client.publish_all`."""
        await asyncio.to_thread(self._client.publish_all, events, alerting=alerting)

    async def flush(self, timeout_s: float) -> bool:
        """See `Client.flush`."""
        return await asyncio.to_thread(self._client.flush, timeout_s)

    async def status(self) -> Status:
        """See `Client.status`."""
        return await asyncio.to_thread(self._client.status)

    async def refused(self, limit: int = 1_000) -> list[RefusedEvent]:
        """See `Client.refused`."""
        return await asyncio.to_thread(self._client.refused, limit)

    async def forget(self, refused: RefusedEvent) -> None:
        """See `Client.forget`."""
        await asyncio.to_thread(self._client.forget, refused)

    async def again(self, refused: RefusedEvent) -> None:
        """See `Client.again`."""
        await asyncio.to_thread(self._client.again, refused)


def _entry(event: Publishable) -> tuple[str, bytes]:
    form = write_structured(event) if isinstance(event, Event) else event
    event_id = form.get("id")
    return event_id if isinstance(event_id, str) else "", orjson.dumps(form)


def _address(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise ValueError("the address of the backbone must be a URL such as https://ccr.example:8700")
    return parsed


def _presentable(key: str) -> str:
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("that is no API key: it looks like ccr_<id>_<secret>, on one line")
    return key


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
