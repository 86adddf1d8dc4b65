"""A subscriber to the alert stream, as an advocate's desk or the tracking entity would be one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import httpx
import orjson
from httpx_sse import aconnect_sse

SILENCE_S = 60.0
"""Longer than this without even a heartbeat and the connection is made anew."""
RETRIES = 20
"""How often a broken connection is made anew before giving up."""
RETRY_WAIT_S = 0.2


@dataclass(frozen=True, slots=True)
class Heard:
    """One alert, and when it was read."""

    seq: int
    body: Mapping[str, Any]
    """The transition CloudEvent."""
    read_s: float
    """`time.perf_counter` then."""


class StreamLost(RuntimeError):
    """The alert stream broke and could not be taken up again."""


@dataclass(slots=True)
class Listener:
    """Follows `/v1/alerts` under one agency's key, and takes up again where it stopped when the connection breaks."""

    url: str
    key: str = field(repr=False)
    told: Callable[[Heard], None]
    """Called for each alert, once."""
    after: int = 0
    begin: str = "0"
    """Where the first connection begins: at an alert's number, or `now`."""
    connected: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Until cancelled; raises `StreamLost`."""
        failures = 0
        timeout = httpx.Timeout(10.0, read=SILENCE_S)
        async with httpx.AsyncClient(base_url=self.url, timeout=timeout, trust_env=False) as http:
            while failures < RETRIES:
                before = self.after
                try:
                    await self._once(http)
                except httpx.HTTPError:
                    await asyncio.sleep(RETRY_WAIT_S)
                failures = 0 if self.after > before else failures + 1
        raise StreamLost(f"the alert stream at {self.url} broke {RETRIES} times running")

    async def _once(self, http: httpx.AsyncClient) -> None:
        headers = {"authorization": f"Bearer {self.key}"}
        params = {"after": self.begin}
        if self.after:
            headers["last-event-id"] = str(self.after)
            params = {}
        async with aconnect_sse(http, "GET", "/v1/alerts", headers=headers, params=params) as source:
            source.response.raise_for_status()
            self.connected.set()
            async for event in source.aiter_sse():
                if not event.data:
                    continue
                seq = int(event.id)
                if seq > self.after:
                    self.after = seq
                    self.told(Heard(seq, orjson.loads(event.data), perf_counter()))
