"""An accepted event reaches the log: appended, folded into its case, and what follows stored, in one transaction.

Implements `services.engine.transaction.Appender` for the embedded engine.
"""

from __future__ import annotations

from collections import deque
from hashlib import sha256
from time import perf_counter

from ccr_events.core import moves
from ccr_events.core.corrections import RETRACTED
from ccr_events.core.fold import Step, step
from ccr_events.core.model import Fact, Outbound
from ccr_events.core.rules import Policies
from ccr_events.core.view import CaseView
from ccr_events.envelope import Event, encode_record, fact_of, recorded_form
from services.engine.ports import Observer
from services.engine.transaction import NewRecord, Transaction

SOURCE = "/ccr/casebook"
"""CloudEvents `source` of the events that the casebook appends."""
AGENCY = "ccr"
"""In whose name."""
MAX_HOPS = 16
"""Cases one event may be carried through by merges and splits."""


class MovesTooDeep(ValueError):
    """Merges and splits would carry an event through more cases than `MAX_HOPS`."""


class Casebook:
    """Appends and folds. Keeps no state of its own."""

    def __init__(self, policies: Policies, observer: Observer) -> None:
        """`policies` must know every edition stamped on the log."""
        self._policies = policies
        self._observer = observer

    def append(self, tx: Transaction, record: NewRecord) -> int:
        """Append `record`, whose id the caller has not found on the log; returns its position.

        Events it obliges the backbone to append to other cases (merges and splits) follow in the same transaction;
        their `recorded_at`, edition and `alerting` are those of `record`, so that replay derives the same ones.
        """
        position, outbound = self._fold(tx, record)
        waiting = deque((1, sent) for sent in outbound)
        while waiting:
            hops, sent = waiting.popleft()
            if hops > MAX_HOPS:
                raise MovesTooDeep(
                    f"event {record.fact.id} would be carried through more than {MAX_HOPS} cases; merge directly into "
                    "the surviving case"
                )
            if tx.events.find(sent.id) is None:
                _, more = self._fold(tx, carried(sent, record))
                waiting.extend((hops + 1, further) for further in more)
        return position

    def _fold(self, tx: Transaction, record: NewRecord) -> tuple[int, tuple[Outbound, ...]]:
        started = perf_counter()
        fact = record.fact
        view = tx.views.get(fact.case_id)
        position = tx.events.append(record)
        done = step(view, fact, self._policies)
        tx.views.put(done.view)
        _store_links(tx, fact, position, done, alerting=record.alerting)
        if may_forward(fact, done.view):
            tx.cases.set_forward(fact.case_id, merged_into(done.view))
        self._observer.folded(perf_counter() - started)
        return position, done.outbound


def _store_links(tx: Transaction, fact: Fact, position: int, done: Step, *, alerting: bool) -> None:
    if done.removed:
        tx.links.remove(fact.case_id, done.removed)
    if done.changed:
        tx.links.put(fact.case_id, done.changed)
    if done.transitions:
        tx.outbox.add(done.transitions, position=position, recorded_at=fact.recorded_at, alerting=alerting)


def carried(sent: Outbound, cause: NewRecord) -> NewRecord:
    """An outbound event as a record of the log, caused by folding `cause`."""
    event = Event(
        id=sent.id,
        source=SOURCE,
        type=sent.type,
        occurred_at=sent.occurred_at,
        data=dict(sent.data),
        case_id=sent.case_id,
        causation_id=sent.causation,
    )
    form = recorded_form(
        event,
        case_id=sent.case_id,
        agency=AGENCY,
        recorded_at=cause.fact.recorded_at,
        edition=cause.fact.edition,
        data=event.data,
    )
    body = encode_record(form)
    return NewRecord(fact_of(form), body, sha256(body).digest(), cause.alerting)


def merged_into(view: CaseView) -> str | None:
    """The case that the newest merge in force sends this case's facts to."""
    merges = [move.into for move in moves.moves_of(moves.unfolded(view.facts)) if move.references is None]
    return merges[-1] if merges else None


def may_forward(fact: Fact, view: CaseView) -> bool:
    """Whether the fact can have changed where the case is merged into: a merge, or a correction in a merged case."""
    if fact.type == moves.MERGED:
        return True
    takes_back = fact.type == RETRACTED or fact.corrects is not None
    return takes_back and any(f.type == moves.MERGED for f in view.facts.values())
