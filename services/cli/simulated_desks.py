"""Every agency's connection: what its adapter publishes and its practitioners answer, under the agency's own key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from services.cli.answers import ServerRefused
from services.cli.client import Answer, Client
from services.cli.simulated_tally import Tally
from services.simulator import Report

_SAY: Mapping[str, Answer] = {
    "link.acknowledged": "acknowledge",
    "link.completed": "complete",
    "link.waived": "waive",
}
_ENDED = 409
"""The backbone's answer when a link waits for nothing any more."""
CERTAIN = 100
"""Score of evidence at which the tracking entity's person says yes."""
MAX_DECIDED = 1_000


class Counters:
    """The desks of one county. Use as a context manager; one call per agency at a time."""

    def __init__(self, url: str, keys: Mapping[str, str], tally: Tally) -> None:
        """`keys`: agency → API key."""
        self._opened = ExitStack()
        self._clients = {agency: self._opened.enter_context(Client(url, key)) for agency, key in keys.items()}
        self._tally = tally
        self._declined: set[str] = set()
        self.cases: set[str] = set()
        """Cases that this run's reports went to."""

    def __enter__(self) -> Counters:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    async def publish(self, agency: str, reports: Sequence[Report]) -> None:
        """One agency's reports, in order. Raises `Refused` when the backbone takes nothing at all."""
        events = [report.event for report in reports]
        receipts = await asyncio.to_thread(self._clients[agency].publish, events)
        self._tally.received(reports, receipts)
        self.cases.update(receipt.case_id for receipt in receipts if receipt.case_id is not None)

    async def answer(self, report: Report) -> None:
        """A practitioner's answer; one that comes too late is counted as such."""
        data = report.event.data
        body = {name: value for name, value in data.items() if name != "link_id"}
        said = _SAY[report.event.type]
        client = self._clients[report.agency]
        try:
            await asyncio.to_thread(client.answer, data["link_id"], said, body)
        except ServerRefused as refused:
            if refused.status != _ENDED:
                raise
            self._tally.answers["too_late"] += 1
        else:
            self._tally.answers[said] += 1

    async def decide(self) -> None:
        """The tracking entity makes one of two cases of this run that surely are one."""
        client = self._clients["ccr"]
        for proposal in await asyncio.to_thread(client.proposals, MAX_DECIDED):
            name = proposal["id"]
            both = {proposal["case_id"], proposal["other_case_id"]}
            if proposal["score"] < CERTAIN or not both <= self.cases or name in self._declined:
                continue
            try:
                await asyncio.to_thread(client.decide, name, "accept")
            except ServerRefused:
                self._declined.add(name)  # stays for a person to look at
            else:
                self._tally.merged += 1
