"""What arrived from an agency, taken in as one: events through the door, and what is no event into quarantine.

Nothing is dropped, whichever way it came: HTTP (`services.portal.events`) or a topic (`services.intake.inbound`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson

from ccr_events.catalogue import event_types
from ccr_events.envelope import EnvelopeError, Event
from services.engine.ports import AuthenticatedKey, FieldProblem, Observer, Publisher, Quarantine, Receipt, Submission
from services.intake.holding import QuarantineFull

UNREADABLE = "The event cannot be read"
"""Title of what is kept because it is no event."""


class Arrivals:
    """Takes in what callers who are known have sent."""

    def __init__(self, publisher: Publisher, quarantine: Quarantine, observer: Observer) -> None:
        self._publisher = publisher
        self._quarantine = quarantine
        self._observer = observer

    async def taken_in(
        self, found: Sequence[Event | EnvelopeError], caller: AuthenticatedKey, *, alerting: bool
    ) -> list[Receipt]:
        """One receipt each, in order, once everything is durable.

        Raises what the publisher and the quarantine raise: then nothing is known to be accepted, and all of it is to
        be sent again.
        """
        readable = [
            Submission(item, caller.agency, caller.key_id, alerting) for item in found if isinstance(item, Event)
        ]
        taken = await self._publisher.submit(readable) if readable else []
        if len(readable) == len(found):
            return taken
        unreadable = [item for item in found if isinstance(item, EnvelopeError)]
        answers = iter(taken)
        held = iter(await asyncio.gather(*(self.held(error, caller, alerting=alerting) for error in unreadable)))
        return [next(answers) if isinstance(item, Event) else next(held) for item in found]

    async def held(
        self, error: EnvelopeError, caller: AuthenticatedKey, *, alerting: bool, type_hint: str = ""
    ) -> Receipt:
        """Keep what is no event (`error.body`); the receipt has no quarantine id when the quarantine is full."""
        problems = (FieldProblem(error.pointer, error.message),)
        raw = error.body or b""
        self._observer.refused(caller.agency, "quarantined")
        try:
            quarantine_id = await self._quarantine.hold(
                raw,
                agency=caller.agency,
                key_id=caller.key_id,
                type_hint=_known_type(type_hint, raw),
                title=UNREADABLE,
                problems=problems,
                alerting=alerting,
            )
        except QuarantineFull as full:  # the others of the batch have been taken in and need their receipts
            return Receipt("", "quarantined", title=f"{UNREADABLE}; {full}", problems=problems)
        return Receipt("", "quarantined", quarantine_id=quarantine_id, title=UNREADABLE, problems=problems)


def _known_type(hint: str, raw: bytes) -> str:
    """The event type, as far as the bytes tell one that exists; anything else could be anybody's text."""
    return hint if hint in event_types() else next((t for t in _type_in(raw) if t in event_types()), "")


def _type_in(raw: bytes) -> list[str]:
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return []
    found: object = data.get("type") if isinstance(data, dict) else None
    return [found] if isinstance(found, str) else []
