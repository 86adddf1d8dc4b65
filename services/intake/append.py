"""Last stage: the sealed event as the log keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ccr_events.core.model import Fact
from ccr_events.envelope import encode_record, recorded_form
from ccr_events.envelope.recorded import SEALED
from services.engine.transaction import NewRecord
from services.intake.stages import Ready


def new_record(
    ready: Ready, *, case_id: str, tokens: Mapping[str, str], recorded_at: datetime, edition: str
) -> NewRecord:
    """The record, and its open skeleton as `ccr_events.envelope.fact_of` gives it. `tokens`: label → sealed part."""
    event, agency, open_data = ready.submission.event, ready.submission.agency, ready.skeleton.open
    for party, token in ready.tokens:
        open_data["parties"][party]["token"] = token
    form = recorded_form(
        event,
        case_id=case_id,
        agency=agency,
        recorded_at=recorded_at,
        edition=edition,
        data={**open_data, SEALED: tokens} if tokens else open_data,
        schema_version=ready.type.version,
    )
    fact = Fact(
        id=event.id,
        type=event.type,
        agency=agency,
        case_id=case_id,
        occurred_at=event.occurred_at,
        recorded_at=recorded_at,
        edition=edition,
        data=open_data,
        corrects=event.corrects,
        source=event.source,
    )
    return NewRecord(fact, encode_record(form), ready.digest, ready.submission.alerting)
