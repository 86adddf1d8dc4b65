"""An answer to a link that is given again, and says something new.

Its id is derived from link, agency and role, so that saying it twice is saying it once. Two things are new all the
same, and go on the log under an id derived from the answer and what is new of it:

- it was retracted meanwhile: then it is a correction of the retraction;
- it was acknowledged as received, and now as taken over by somebody on call: both happened, each at its time.
"""

from __future__ import annotations

from dataclasses import replace

from ccr_events.core import corrections, ids
from ccr_events.core.derive import ACKNOWLEDGED
from ccr_events.core.model import Fact
from ccr_events.core.moves import unfolded
from ccr_events.envelope import decode_record
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


def with_status_id(answer_id: str, status: str) -> str:
    """Id of an acknowledgement that tells another status than the first one did."""
    return ids.restated_event_id(answer_id, status)


def with_status(tx: Transaction, step: Ready, known: StoredEvent, hashes: KeyedHashes) -> Ready | None:
    """The acknowledgement as an event of its own, when it tells a status that `known`, the first one, did not."""
    status = step.skeleton.open.get("status")
    if not step.said_once or step.incoming.type != ACKNOWLEDGED or status is None or known.digest != step.digest:
        return None
    first = tx.events.get(step.incoming.event_id)
    if first is None or decode_record(first.body)["data"].get("status") == status:
        return None
    event = replace(step.submission.event, id=with_status_id(step.incoming.event_id, status))
    return step._replace(
        submission=replace(step.submission, event=event),
        incoming=step.incoming._replace(event_id=event.id),
        digest=hashes.said_once_digest(event, step.submission.agency),
    )
