"""An answer to a link that was withdrawn and is given again.

Its id is derived from link, agency and role, so that saying it twice is saying it once. Once it was retracted, saying
it again is saying something new: it goes on the log as a correction of the retraction, under an id derived from both.
"""

from __future__ import annotations

from dataclasses import replace

from ccr_events.core import corrections, ids
from ccr_events.core.model import Fact
from ccr_events.core.moves import unfolded
from services.engine.transaction import StoredEvent, Transaction
from services.intake.stages import Ready
from services.sealing.hashes import KeyedHashes


def withdrawal_of(tx: Transaction, step: Ready, known: StoredEvent) -> Fact | None:
    """The retraction of the same answer, given before and on the log as `known`; None when it still stands."""
    if not step.said_once or known.digest != step.digest:
        return None
    return corrections.withdrawal_of(step.incoming.event_id, unfolded(tx.views.get(known.case_id).facts))


def restated(step: Ready, withdrawal: Fact, hashes: KeyedHashes) -> Ready:
    """The answer as the event that takes the place of its withdrawal."""
    submission = step.submission
    again = ids.restated_event_id(submission.event.id, withdrawal.id)
    event = replace(submission.event, id=again, corrects=withdrawal.id)
    return step._replace(
        submission=replace(submission, event=event),
        incoming=step.incoming._replace(event_id=again, corrects=withdrawal.id),
        digest=hashes.said_once_digest(event, submission.agency),
    )
