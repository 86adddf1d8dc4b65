"""The door: submissions in, receipts out, in order. Implements `services.engine.ports.Publisher`.

Before the transaction and without I/O: allowed, validated, split. Inside it, on the writer's thread: known already?
placed in its case, sealed, appended; so publishers racing for the same reference are settled there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Protocol

import orjson

from ccr_events.core.fold import MAX_FACTS_OF_A_CASE, CaseFull, takes
from ccr_events.envelope import write_structured
from ccr_events.skeleton import split
from services.engine.ports import Clock, FieldProblem, Observer, Receipt, Submission
from services.engine.transaction import (
    Appender,
    EngineClosed,
    RecordTooLarge,
    StorageFailed,
    StoredEvent,
    Transaction,
    Writer,
)
from services.identity.incoming import incoming
from services.identity.persons import persons_of
from services.identity.placement import Unplaceable
from services.identity.resolver import Resolver
from services.intake.advocacy import ReleaseIsLive, no_release_is_live, undisclosed
from services.intake.allowed import allowed
from services.intake.append import new_record
from services.intake.holding import Holding, QuarantineFull
from services.intake.recorded_time import RecordedTime
from services.intake.restated import restated, with_status, withdrawal_of
from services.intake.stages import Ready, Refused
from services.intake.validate import is_said_once, reserved, validated
from services.sealing.hashes import KeyedHashes
from services.sealing.keys import KeyStoreError, KeyUnavailable
from services.sealing.sealer import Sealer

MAX_WRITE = 250
"""Submissions written as one unit of work; a larger batch is several, one after the other."""

CASE_FULL = (
    f"its case holds {MAX_FACTS_OF_A_CASE:,} events, the most one case may have: see which number joins so many "
    "reports, have the case split by it, then redrive"
)
"""Why an event is quarantined whose case takes no more; what is said of a link is always taken."""

_log = logging.getLogger(__name__)


class Named(Protocol):
    """A policy edition."""

    @property
    def id(self) -> str:
        """What is stamped on events."""


class Editions(Protocol):
    """Which written policies are in force; `ccr_events.policy.PolicyBook`."""

    def edition_at(self, at: datetime) -> Named:
        """The edition at an aware instant."""


class Door:
    """Takes in events for one engine."""

    def __init__(
        self,
        *,
        writer: Writer,
        append: Appender,
        policies: Editions,
        clock: Clock,
        observer: Observer,
        sealer: Sealer,
        hashes: KeyedHashes,
        recorded_after: datetime | None = None,
        recorded_by_others: Callable[[Transaction], datetime | None] = lambda _: None,
        release_is_live: ReleaseIsLive = no_release_is_live,
    ) -> None:
        """`recorded_after`: newest `recorded_at` on the log; `recorded_by_others`: the same, asked for inside a
        transaction, where other doors record on the same log."""
        self._writer = writer
        self._append = append
        self._policies = policies
        self._clock = clock
        self._observer = observer
        self._sealer = sealer
        self._hashes = hashes
        self._resolver = Resolver(sealer, hashes)
        self._holding = Holding(sealer, hashes)
        self._time = RecordedTime(clock, recorded_after)
        self._recorded_by_others = recorded_by_others
        self._release_is_live = release_is_live

    def recorded_now(self) -> datetime:
        """When to say that what the backbone itself appends was recorded: never before what is on the log."""
        return self._time.no_earlier()

    def recorded_ahead_s(self) -> float:
        """By how many seconds what was recorded last is ahead of the clock here: of two machines that record on one
        log, the slower clock's goes on in the faster one's time."""
        return self._time.ahead_s()

    async def submit(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """One receipt each, in order; what is refused goes to quarantine with the reason.

        Answers once everything is durable. Raises `EngineClosed`, `StorageFailed` or `KeyStoreError`: then send all
        of it again; what was accepted already comes back as duplicate.
        """
        return await self._submit(submissions, keep=True)

    async def submit_again(self, submission: Submission) -> Receipt:
        """A submission out of quarantine; when it is refused again, no second entry is made."""
        return (await self._submit([submission], keep=False))[0]

    async def _submit(self, submissions: Sequence[Submission], *, keep: bool) -> list[Receipt]:
        started = perf_counter()
        receipts: list[Receipt] = []
        for first in range(0, len(submissions), MAX_WRITE):
            now = self._time.now()
            steps = [self._prepared(s, now) for s in submissions[first : first + MAX_WRITE]]
            receipts += await self._written(steps, keep=keep)
        self._observer.published(perf_counter() - started)
        for submission, receipt in zip(submissions, receipts, strict=True):
            if receipt.status == "accepted":
                self._observer.accepted(submission.event.type, submission.agency)
            elif receipt.status != "duplicate":
                self._observer.refused(submission.agency, receipt.status)
        return receipts

    def _prepared(self, submission: Submission, now: datetime) -> Ready | Refused:
        event_type = allowed(submission)
        if isinstance(event_type, Refused):
            return event_type
        payload = validated(submission, event_type, now)
        if isinstance(payload, Refused):
            return payload
        event, agency, skeleton = submission.event, submission.agency, split(payload)
        refused = undisclosed(submission, event_type.model, skeleton, self._release_is_live, now)
        if refused is not None:
            return refused
        persons = persons_of(skeleton.open.get("parties", ()), skeleton.sealed, self._hashes)
        said_once = is_said_once(event, agency, skeleton)
        taken = reserved(submission, said_once=said_once)
        if taken is not None:
            return taken
        digest = self._hashes.said_once_digest if said_once else self._hashes.event_digest
        return Ready(
            submission=submission,
            type=event_type,
            skeleton=skeleton,
            incoming=incoming(event, agency, skeleton.open, persons),
            digest=digest(event, agency),
            said_once=said_once,
            tokens=tuple((p.party, p.token) for p in persons if p.exact),
        )

    async def _written(self, steps: Sequence[Ready | Refused], *, keep: bool) -> list[Receipt]:
        if not any(isinstance(step, Ready) or step.kept for step in steps):
            return [_receipt(step, None) for step in steps if isinstance(step, Refused)]
        try:
            return await self._writer.write(lambda tx: self._all_taken_in(tx, steps, keep=keep))
        except (EngineClosed, StorageFailed, KeyStoreError):
            self._resolver.forget()
            raise
        except Exception as error:  # one event that breaks the fold must not hold back the others, nor be lost
            if len(steps) > 1:
                return [receipt for step in steps for receipt in await self._written([step], keep=keep)]
            refused = _broken(steps[0], error)
        return [await self._writer.write(lambda tx: self._refused(tx, refused, keep=keep))]

    def _all_taken_in(self, tx: Transaction, steps: Sequence[Ready | Refused], *, keep: bool) -> list[Receipt]:
        try:
            if len(steps) > 1:
                self._resolver.expect(tx, [step.incoming for step in steps if isinstance(step, Ready)])
            return [self._taken_in(tx, step, keep=keep) for step in steps]
        except BaseException:
            self._resolver.forget()  # here, before the writer's thread begins the next work
            raise

    def _taken_in(self, tx: Transaction, step: Ready | Refused, *, keep: bool) -> Receipt:
        if isinstance(step, Refused):
            return self._refused(tx, step, keep=keep)
        event_id = step.incoming.event_id
        known = tx.events.find(event_id)
        if known is not None and (other := with_status(tx, step, known, self._hashes)) is not None:
            step, known = other, tx.events.find(other.incoming.event_id)
        if known is not None:
            withdrawal = withdrawal_of(tx, step, known)
            if withdrawal is None:
                return self._known(tx, step, known, keep=keep)
            step = restated(step, withdrawal, self._hashes)
        try:
            placement = self._resolver.place(tx, step.incoming)
            if not takes(tx.views.get(placement.case_id), step.incoming.type):
                return self._refused(tx, Refused(step.submission, "quarantined", CASE_FULL), keep=keep)
            tokens = self._sealer.seal(placement.case_id, step.incoming.event_id, step.skeleton.sealed)
        except Unplaceable as error:
            problem = FieldProblem(error.pointer, error.message)
            refused = Refused(step.submission, "quarantined", "belongs to no case as it stands", (problem,))
            return self._refused(tx, refused, keep=keep)
        except KeyUnavailable as error:
            return self._refused(tx, Refused(step.submission, "quarantined", str(error)), keep=keep)
        recorded_at = self._time.next(self._recorded_by_others(tx))
        edition = self._policies.edition_at(recorded_at).id
        record = new_record(step, case_id=placement.case_id, tokens=tokens, recorded_at=recorded_at, edition=edition)
        self._resolver.settle(tx, step.incoming, placement, recorded_at)
        position = self._append(tx, record)
        return Receipt(event_id, "accepted", placement.case_id, position)

    def _known(self, tx: Transaction, step: Ready, known: StoredEvent, *, keep: bool) -> Receipt:
        if known.digest == step.digest:
            return Receipt(step.incoming.event_id, "duplicate", known.case_id, known.position)
        title = (
            "an event with this id and other content is on the log already: "
            "publish a new event that names it in `corrects`"
        )
        refused = Refused(step.submission, "conflict", title, (FieldProblem("/id", "is taken by another event"),))
        return self._refused(tx, refused, keep=keep)

    def _refused(self, tx: Transaction, refused: Refused, *, keep: bool) -> Receipt:
        if not (keep and refused.kept):
            return _receipt(refused, None)
        submission = refused.submission
        try:
            quarantine_id = self._holding.hold(
                tx,
                orjson.dumps(write_structured(submission.event)),
                agency=submission.agency,
                key_id=submission.key_id,
                type_hint=submission.event.type,
                title=refused.title,
                problems=refused.problems,
                at=self._clock.now(),
                alerting=submission.alerting,
            )
        except QuarantineFull as error:
            return _receipt(replace(refused, title=f"{refused.title}; {error}"), None)
        return _receipt(refused, quarantine_id)


def _receipt(refused: Refused, quarantine_id: str | None) -> Receipt:
    return Receipt(
        event_id=refused.submission.event.id,
        status=refused.status,
        quarantine_id=quarantine_id,
        title=refused.title,
        problems=refused.problems,
    )


def _broken(step: Ready | Refused, error: Exception) -> Refused:
    """Names the kind of failure and its place in the code; the error's own text may quote the event."""
    if isinstance(error, CaseFull):  # of another case, into which this event would be carried
        return Refused(step.submission, "quarantined", CASE_FULL)
    if isinstance(error, RecordTooLarge):
        return Refused(step.submission, "quarantined", str(error))
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
    kind = f"{type(error).__name__}{where}"
    _log.error("an event could not be taken in and was quarantined: %s", kind)
    return Refused(step.submission, "quarantined", f"could not be taken in ({kind}): kept, to be redriven once fixed")
