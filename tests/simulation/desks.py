"""Practitioners who answer what they are told of, and the coordinator who decides whether two cases are one."""

from __future__ import annotations

import asyncio

from ccr_events.codes.backbone import CompletionOutcome
from ccr_events.core.model import Transition, TransitionKind
from services.engine.ports import AuthenticatedKey, Receipt
from services.engine.transaction import MergeProposal
from services.intake.answers import AnswerKind, AnswerRefused, answer
from tests.simulation.adapters import KEY_ID
from tests.simulation.backbone import Serving
from tests.simulation.network import Network
from tests.simulation.world import World

ANSWERED = 0.4
"""Share of opened links that somebody answers."""
LONGEST_THOUGHT_S = 4 * 86_400.0
"""An answer comes within this time, often long before."""
DECISIONS = 2
"""How often the coordinator looks at what is proposed."""


class Desk:
    """The practitioners of one agency."""

    def __init__(self, world: World, network: Network, agency: str) -> None:
        self._world = world
        self._network = network
        self._by = AuthenticatedKey(KEY_ID, agency)

    def told(self, transition: Transition) -> None:
        """An alert reached the agency."""
        random = self._world.random
        if transition.kind is not TransitionKind.OPENED or transition.link.agency != self._by.agency:
            return
        if self._world.calm or random.random() > ANSWERED:
            return
        kind: AnswerKind = random.choice(("acknowledged", "completed"))
        self._world.begin(self._answer(kind, transition.link.id), "practitioner")

    async def _answer(self, kind: AnswerKind, link_id: str) -> None:
        world = self._world
        await asyncio.sleep(world.random.random() ** 4 * LONGEST_THOUGHT_S)

        async def give(serving: Serving) -> Receipt | None:
            backbone = serving.backbone
            link = await backbone.links.link(link_id)
            if link is None:  # a correction took its trigger away
                return None
            fields = {"outcome": CompletionOutcome.DONE.value} if kind == "completed" else {}
            at = backbone.clock.now()
            try:
                given = answer(
                    kind, link, role=link.role, by=self._by, at=at, policies=backbone.policies, fields=fields
                )
            except AnswerRefused:
                return None
            world.books.sending(given.event, given.agency, said_once=True)
            return (await backbone.publisher.submit([given]))[0]

        receipt = await self._network.insist(give, "answering")
        if receipt is not None:
            world.books.answered(receipt.event_id, receipt)


async def coordinate(world: World, network: Network) -> None:
    """Decide on every proposal there is, now and then."""
    by = AuthenticatedKey(KEY_ID, "ccr")

    async def look(serving: Serving) -> list[MergeProposal]:
        return await serving.backbone.proposals.waiting()

    for at_s in sorted(world.random.random() * (world.plan.days + 5) * 86_400 for _ in range(DECISIONS)):
        await asyncio.sleep(max(0.0, at_s - world.loop.time()))
        for proposal in await network.insist(look, "listing proposals"):
            accepted = world.random.random() < 0.7

            async def decide(serving: Serving, id: str = proposal.id, accepted: bool = accepted) -> None:
                if accepted:
                    await serving.backbone.proposals.accept(id, by=by)
                else:
                    await serving.backbone.proposals.reject(id, by=by)

            await network.insist(decide, "deciding a proposal")
            world.trace.tell(f"proposal {'accepted' if accepted else 'rejected'}")
