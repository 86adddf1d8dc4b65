"""Merge proposals: raised by evidence, decided by a person of the tracking entity."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import orjson

from ccr_events.agencies import Agency
from ccr_events.core import moves
from ccr_events.core.ids import merge_event_id
from ccr_events.envelope import Event
from services.engine.ports import AuthenticatedKey, Clock, Publisher, Receipt, Submission
from services.engine.transaction import MergeProposal, Transaction, Writer
from services.identity.resolver import WAITING

MAX_LISTED = 1_000
SOURCE = "/ccr/proposals"
KEY_ID = "ccr-proposals"
"""What stands in the place of an API key's id on the merge; who decided is on the audit log."""


class DecisionRefused(PermissionError):
    """Only the tracking entity decides whether two cases are one."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """The two cases of a waiting proposal, as they stand after the merges there are."""

    cause: str
    into: str
    losing: str
    merge_id: str


class MergeProposals:
    """Lists and decides proposals."""

    def __init__(self, writer: Writer, publisher: Publisher, clock: Clock) -> None:
        self._writer = writer
        self._publisher = publisher
        self._clock = clock
        self._deciding = asyncio.Lock()

    async def waiting(self, limit: int = 200) -> list[MergeProposal]:
        """Oldest first, at most `MAX_LISTED`."""
        return await self._writer.read(lambda tx: tx.cases.proposals(WAITING, min(limit, MAX_LISTED)))

    async def accept(self, proposal_id: str, *, by: AuthenticatedKey) -> Receipt | None:
        """Publish the `case.merged` event: the newer case goes on in the older. None when no such proposal waits.

        Raises `DecisionRefused`. When the merge itself is refused, the proposal goes on waiting.
        """
        _check(by)
        async with self._deciding:
            pair = await self._writer.read(lambda tx: _waiting_pair(tx, proposal_id))
            if pair is None:
                return None
            if pair.into == pair.losing:  # by this merge, published before a crash, or by others
                receipt = Receipt(pair.merge_id, "duplicate", pair.into, None, None, "the two are one case already")
            else:
                receipt = (await self._publisher.submit([self._merge(pair)]))[0]
            if receipt.status in ("accepted", "duplicate"):
                await self._decide(proposal_id, "accepted", by)
            return receipt

    async def reject(self, proposal_id: str, *, by: AuthenticatedKey) -> bool:
        """Mark it; the pair is not proposed again. False when no such proposal waits. Raises `DecisionRefused`."""
        _check(by)
        async with self._deciding:
            if await self._writer.read(lambda tx: _waiting_pair(tx, proposal_id)) is None:
                return False
            await self._decide(proposal_id, "rejected", by)
            return True

    def _merge(self, pair: _Pair) -> Submission:
        event = Event(
            id=pair.merge_id,
            source=SOURCE,
            type=moves.MERGED,
            occurred_at=self._clock.now(),
            data={"into": pair.into, "cause": pair.cause},
            case_id=pair.losing,
        )
        return Submission(event, Agency.CCR.value, KEY_ID)

    async def _decide(self, proposal_id: str, state: str, by: AuthenticatedKey) -> None:
        entry = {"at": self._clock.now(), "proposal_id": proposal_id, "act": state, "key_id": by.key_id}
        body = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)

        def work(tx: Transaction) -> None:
            tx.cases.decide(proposal_id, state)
            tx.audit.append(body)

        await self._writer.write(work)


def _check(by: AuthenticatedKey) -> None:
    if by.agency != Agency.CCR:
        raise DecisionRefused(f"{by.agency} cannot decide whether two cases are one: {Agency.CCR.value} does")


def _waiting_pair(tx: Transaction, proposal_id: str) -> _Pair | None:
    proposal = tx.cases.proposal(proposal_id)
    if proposal is None or proposal.state != WAITING:
        return None
    one, other = (tx.cases.forward_of(c) for c in (proposal.case_id, proposal.other_case_id))
    into = tx.cases.earliest((one, other))
    return _Pair(proposal.cause, into, other if into == one else one, merge_event_id(proposal_id))
