"""What an advocacy program may put on the shared log: nothing about a person, but under a live release.

Encrypting or hashing does not cure disclosure (34 USC 12291(b)(2); 28 CFR 94.115), so what is refused here is not kept
in quarantine either, and no refused body of an advocacy program is: only that it was refused, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import WaiverReason
from ccr_events.labels import Label
from ccr_events.payload import Payload
from ccr_events.skeleton import Skeleton, mark_of
from services.engine.ports import FieldProblem, Submission
from services.intake.stages import Refused

ReleaseIsLive = Callable[[str, datetime], bool]
"""(release id, instant) → whether the program has registered that release as live then."""


def no_release_is_live(release_id: str, at: datetime) -> bool:
    """Where no register of releases is kept, none is live."""
    return False


def body_is_kept(agency: str) -> bool:
    """Whether quarantine may keep what the agency submitted."""
    return agency != Agency.ADV


def undisclosed(
    submission: Submission, model: type[Payload], skeleton: Skeleton, is_live: ReleaseIsLive, at: datetime
) -> Refused | None:
    """Why the event would disclose what it may not; None when it would not."""
    if submission.agency != Agency.ADV:
        return None
    release = skeleton.open.get("release_id")
    if release is not None and is_live(release, at):
        return None
    if Label.ADV in _labels(model):
        return Refused(
            submission,
            "forbidden",
            "advocacy-confidential information needs a live release of information; it was not kept",
            (FieldProblem("/data/release_id", "names no release that is registered as live"),),
        )
    if submission.event.type == "link.waived" and skeleton.open.get("reason") != WaiverReason.OTHER:
        return Refused(
            submission,
            "forbidden",
            "an advocacy program gives no reason for a waiver, since a reason can tell whether help was used",
            (FieldProblem("/data/reason", f"must be {WaiverReason.OTHER.value}"),),
        )
    pointers = sorted(pointer for values in skeleton.sealed.values() for pointer in values)
    if not pointers:
        return None
    return Refused(
        submission,
        "forbidden",
        "an advocacy program says nothing confidential on the shared log without a live release; it was not kept",
        tuple(FieldProblem(f"/data{pointer}", "must be left out") for pointer in pointers),
    )


@cache
def _labels(model: type[Payload]) -> frozenset[Label]:
    return frozenset(mark_of(info, name).label for name, info in model.model_fields.items())
