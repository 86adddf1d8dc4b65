"""Referrals to community advocacy, and what a program may say back.

A program answers with received, on call assigned or no capacity, and with nothing else: whether a person asked for,
used or refused help is protected in itself (34 USC 12291(b)(2), 28 CFR 94.115), and encrypting it does not cure the
disclosure. Its releases of information stay in its own store; the shared log sees a release's id, on what was
shared under it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import ReadPurpose
from ccr_events.codes.response import LegalBasis, ReferralReason, ReferralStatus, ReferralUrgency
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, Instant, LongText, Payload, ShortText
from ccr_events.registry import event_type
from ccr_events.types.unnamed import Unnamed


@event_type("referral.advocacy_sent", publishers=(Agency.LE, Agency.JAIL, Agency.PROS, Agency.CIV))
class ReferralAdvocacySent(Payload):
    """An agency asked the advocacy program to reach out."""

    urgency: Annotated[ReferralUrgency, OPS]
    reason: Annotated[ReferralReason | None, OPS] = None
    legal_basis: Annotated[LegalBasis | None, sealed(Label.VID)] = None
    """Sealed: one of its values tells that the victim asked for help."""
    safe_contact: Annotated[ShortText | None, sealed(Label.VLOC)] = None


@event_type("referral.advocacy_accepted", publishers=(Agency.ADV,))
class ReferralAdvocacyAccepted(Unnamed):
    """The advocacy program has a referral; nothing is said of the person referred."""

    status: Annotated[ReferralStatus, OPS]
    referral: Annotated[Code | None, OPS] = None
    """Id of the `referral.advocacy_sent` event it answers."""


@event_type("advocate.information_shared", publishers=(Agency.ADV,))
class AdvocateInformationShared(Unnamed):
    """An advocate shared what a person released, in writing, for a purpose and a time."""

    release_id: Annotated[Code, clear(Label.ADV)]
    """The live release it rests on, kept by the program."""
    recipients: Annotated[tuple[Agency, ...], clear(Label.ADV)] = Field(default=(), max_length=MAX_LIST)
    purpose: Annotated[ReadPurpose | None, clear(Label.ADV)] = None
    content: Annotated[LongText | None, sealed(Label.ADV)] = None
    """Within the scope of the release."""


class _Release(Unnamed):
    release_id: Annotated[Code, sealed(Label.ADV)]


@event_type("release_of_info.granted", publishers=(), victim_act=True, logged=False)
class ReleaseOfInfoGranted(_Release):
    """A person released information; the program's own record, never on the shared log."""

    fields: Annotated[tuple[Code, ...], sealed(Label.ADV)] = Field(default=(), max_length=MAX_LIST)
    """What may be shared."""
    recipients: Annotated[tuple[Agency, ...], sealed(Label.ADV)] = Field(default=(), max_length=MAX_LIST)
    purpose: Annotated[ShortText | None, sealed(Label.ADV)] = None
    signed_at: Annotated[Instant, sealed(Label.ADV)]
    expires_at: Annotated[Instant, sealed(Label.ADV)]
    """Releases are limited in time."""
    form_hash: Annotated[Code | None, sealed(Label.ADV)] = None
    """Digest of the signed form."""


@event_type("release_of_info.revoked", publishers=(), victim_act=True, logged=False)
class ReleaseOfInfoRevoked(_Release):
    """A person took a release back, in writing or by word of mouth; never on the shared log."""

    revoked_at: Annotated[Instant | None, sealed(Label.ADV)] = None


@event_type("release_of_info.expired", publishers=(), logged=False)
class ReleaseOfInfoExpired(_Release):
    """A release came to its end; never on the shared log."""

    expired_at: Annotated[Instant | None, sealed(Label.ADV)] = None
