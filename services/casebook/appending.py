"""An accepted event reaches the log where it is folded elsewhere: appended, and a merge noted in the case index.

Implements `services.engine.transaction.Appender` for the Kafka engine. The casebook's workers fold what is appended;
but the next event of a merged case is placed here, before they have, so what a merge means for the index is settled in
the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable

from ccr_events.core import moves
from ccr_events.core.corrections import RETRACTED
from services.casebook.recorder import may_forward, merged_into
from services.engine.transaction import NewRecord, Transaction


class AppendOnly:
    """Appends. Keeps no state of its own."""

    def __init__(self, check: Callable[[NewRecord], None]) -> None:
        """`check` raises `RecordTooLarge` for a record that the log would not take."""
        self._check = check

    def append(self, tx: Transaction, record: NewRecord) -> int:
        """Append `record`, whose id the caller has not found on the log; returns its position.

        Raises `RecordTooLarge`.
        """
        self._check(record)
        position = tx.events.append(record)
        fact = record.fact
        if fact.type in (moves.MERGED, RETRACTED) or fact.corrects is not None:
            view = tx.views.get(fact.case_id)
            if may_forward(fact, view):
                tx.cases.set_forward(fact.case_id, merged_into(view))
        return position
