"""The live alert stream, followed without gap: a broken connection is made anew and resumed where it broke.

Source: Server-sent events, WHATWG HTML section 9.2 (`Last-Event-ID`); read by httpx-sse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from httpx_sse import ServerSentEvent, SSEError, connect_sse

from services.cli.answers import ServerRefused, Unreachable, checked
from services.cli.client import CONNECT_S, Client, unreachable
from services.cli.patience import BUSY, waits_s

PATH = "/v1/alerts"
SILENCE_S = 45.0
"""Three heartbeats missed: the connection is dead, whatever the network says."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to hear. Empty means everything this agency may see."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Query parameter (`agency`, `role`, `urgency`, `rule`, `kind`) → values, any of which will do."""
    filter: str | None = None
    """CloudEvents Subscriptions filter, as JSON text."""

    def query(self) -> list[tuple[str, str]]:
        """As query parameters."""
        pairs = [(name, value) for name, values in self.fields.items() for value in values]
        return pairs if self.filter is None else [*pairs, ("filter", self.filter)]


@dataclass(frozen=True, slots=True)
class Heard:
    """One alert."""

    seq: int
    """Its place in the stream; following after it resumes there."""
    event: dict[str, Any]
    """A CloudEvent of type `link.<kind>`; holds no confidential field."""


def _nothing(_: str | None) -> None:
    """Nobody wants to know how the connection fares."""


def follow(
    client: Client,
    wanted: Wanted | None = None,
    *,
    after: str = "now",
    told: Callable[[str | None], None] = _nothing,
) -> Iterator[Heard]:
    """Alerts as they come, for ever, each once.

    `after`: `now`, or a place in the stream (`0`: from its beginning). `told` is called with words when the connection
    is lost and with None each time it stands. Raises when the first connection cannot be made, or when the backbone
    refuses (a wrong key, a wrong filter); after that a lost connection is made anew, with growing waits.
    """
    place = _Place(after)
    query = (wanted or Wanted()).query()
    waits = waits_s()
    stood = False
    while True:
        wait_s = 0.0
        try:
            for heard in _connection(client, query, place, told):
                stood = True
                waits = waits_s()
                if heard is not None:
                    yield heard
            lost = "the backbone ended the stream"
        except ServerRefused as error:
            if error.status not in BUSY or not stood:
                raise
            lost, wait_s = str(error), error.wait_s
        except httpx.TransportError as error:
            if not stood:
                raise unreachable(client.url, error) from None
            lost = f"the connection broke ({type(error).__name__})"
        told(lost)
        client.sleep(max(next(waits), wait_s))


class _Place:
    """Where in the stream the follower is."""

    def __init__(self, after: str) -> None:
        self.after = after

    def heard(self, frame: ServerSentEvent) -> None:
        if frame.id.isdigit():
            self.after = frame.id


def _connection(
    client: Client, query: Sequence[tuple[str, str]], place: _Place, told: Callable[[str | None], None]
) -> Iterator[Heard | None]:
    """One connection's alerts; None for each sign of life."""
    resume = {"last-event-id": place.after} if place.after.isdigit() else {}
    parameters = list(query) if resume else [*query, ("after", place.after)]
    timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
    with connect_sse(client.http, "GET", PATH, params=parameters, headers=resume, timeout=timeout) as source:
        if not source.response.is_success:
            source.response.read()
            checked(source.response)
        told(None)
        yield None
        try:
            for frame in source.iter_sse():
                place.heard(frame)
                yield Heard(int(frame.id), orjson.loads(frame.data)) if frame.data else None
        except (SSEError, orjson.JSONDecodeError, ValueError):
            raise Unreachable(f"{client.url}{PATH} answers, but not with alerts") from None
