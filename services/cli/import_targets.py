"""Where events go: to a backbone over HTTP, or into a spool that sends them when it can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import httpx
import orjson

from ccr_events.client import Client as SpoolClient
from ccr_events.client import Sending, Spool, Status
from ccr_events.envelope import MAX_BATCH_EVENTS
from services.cli.client import Client
from services.cli.connection import address_and_key, connect, warn_without_tls
from services.cli.refused import Refused
from services.engine.ports import Receipt


class Target(Protocol):
    """Takes events in."""

    def publish(self, agency: str, forms: Sequence[Mapping[str, Any]], *, alerting: bool) -> list[Receipt] | None:
        """A receipt each, in order; None: they are kept, and what became of them will be known later.

        Raises `Refused` when they could not be handed over: then send them again.
        """

    def settled(self, agency: str, quarantine_id: str) -> None:
        """What was refused is on the log in another form: it need not be repaired."""


@dataclass(slots=True)
class HttpTarget:
    """A running backbone; a connection per agency, opened when it is first needed. Close `opened` in the end."""

    data: Path
    url: str | None
    key: str | None
    opened: ExitStack
    _clients: dict[str, Client] = field(default_factory=dict)

    def publish(self, agency: str, forms: Sequence[Mapping[str, Any]], *, alerting: bool) -> list[Receipt] | None:
        """See `Target`."""
        return self._client(agency).publish_forms(forms, alerting=alerting, at_once=MAX_BATCH_EVENTS)

    def settled(self, agency: str, quarantine_id: str) -> None:
        """See `Target`."""
        self._client(agency).discard(quarantine_id)

    def _client(self, agency: str) -> Client:
        if agency not in self._clients:
            client = connect(self.data, self.url, self.key, agency)
            self._clients[agency] = self.opened.enter_context(client)
        return self._clients[agency]


QUIET_S = 10.0
"""How long nothing may get through before a command leaves the rest in the spool."""
STEP_S = 0.25


@dataclass(frozen=True, slots=True)
class Spooled:
    """What became of what a command put into the spools."""

    counts: Mapping[str, int]
    """Events by what the backbone answered while the command ran."""
    waiting: int
    refused: int
    """In the spool, also from earlier commands."""
    why: str
    """Why some wait; empty when none does."""

    @property
    def newly_refused(self) -> int:
        """Refused while the command ran."""
        return sum(count for status, count in self.counts.items() if status not in ("accepted", "duplicate"))

    def as_json(self) -> dict[str, Any]:
        """For a command's one line."""
        return {"answered": dict(self.counts), "waiting": self.waiting, "refused": self.refused, "why": self.why}


@dataclass(slots=True)
class SpoolTarget:
    """A spool per agency, in a directory each. Everything is on disk before anything is sent."""

    directory: Path
    data: Path
    url: str | None
    key: str | None
    opened: ExitStack
    _spools: dict[str, SpoolClient | Spool] = field(default_factory=dict)
    _unsent: str = ""

    def publish(self, agency: str, forms: Sequence[Mapping[str, Any]], *, alerting: bool) -> list[Receipt] | None:
        """See `Target`: kept when it returns. Raises what `Spool.put` raises."""
        spool = self.spool(agency)
        if isinstance(spool, SpoolClient):
            spool.publish_all(forms, alerting=alerting)
        else:
            spool.put([(str(form.get("id", "")), orjson.dumps(form)) for form in forms], alerting=alerting)
        return None

    def settled(self, agency: str, quarantine_id: str) -> None:
        """Nothing: a spool has no answer yet."""

    def finish(self) -> Spooled:
        """Wait for the sending as long as something gets through."""
        counts: Counter[str] = Counter()
        waiting = refused = 0
        why = self._unsent
        for spool in self._spools.values():
            if isinstance(spool, SpoolClient):
                status = _sent(spool)
                waiting, refused = waiting + status.waiting, refused + status.refused
                counts.update(status.counts)
                if status.waiting:
                    why = status.last_error or "another process sends from this spool"
            else:
                held = spool.held()
                waiting, refused = waiting + held.waiting, refused + held.refused
        return Spooled(counts, waiting, refused, why if waiting else "")

    def use(self, name: str, agency: str) -> None:
        """Send from the spool in the directory `name`, with this agency's key."""
        self._spools[name] = self._opened_for(agency, self.directory / name)

    def spool(self, agency: str) -> SpoolClient | Spool:
        """The agency's spool; one that sends when it is known where to and with which key."""
        if agency not in self._spools:
            self._spools[agency] = self._opened_for(agency, self.directory / agency)
        return self._spools[agency]

    def _opened_for(self, agency: str, place: Path) -> SpoolClient | Spool:
        try:
            url, key = address_and_key(self.data, self.url, self.key, agency)
        except Refused as error:
            self._unsent = str(error)
            spool = Spool(place)
            self.opened.callback(spool.close)
            return spool
        warn_without_tls(httpx.URL(url))
        return self.opened.enter_context(SpoolClient(url, key or "", spool=place))


def _sent(client: SpoolClient) -> Status:
    """The status once all is sent, or once nothing has got through for `QUIET_S`."""
    status, since = client.status(), monotonic()
    while not client.flush(STEP_S):
        now = client.status()
        if now.waiting < status.waiting:
            since = monotonic()
        status = now
        if now.sending in (Sending.KEY_REFUSED, Sending.BROKEN) or monotonic() - since > QUIET_S:
            break
    return client.status()
