"""The first response's own codes: calls, arrests, referrals. Source: event catalogue of the project's domain sheet."""

from __future__ import annotations

from enum import StrEnum


class CallNature(StrEnum):
    """What a call is about."""

    DV_IN_PROGRESS = "dv_in_progress"
    THREAT = "threat"
    ORDER_VIOLATION = "op_violation"
    WELFARE = "welfare"
    HANGUP = "hangup"
    SILENT = "silent"
    OTHER = "other"


class CallerRole(StrEnum):
    """Who called."""

    VICTIM = "victim"
    CHILD = "child"
    NEIGHBOR = "neighbor"
    THIRD_PARTY = "third"


class CallDisposition(StrEnum):
    """How a call was closed."""

    REPORT = "report"
    ARREST = "arrest"
    ADVISED = "advised"
    GONE_ON_ARRIVAL = "goa"
    UNFOUNDED = "unfounded"
    CANCELLED_BY_CALLER = "cancelled_by_caller"


class ChargeLevel(StrEnum):
    """Level of an offense in Minnesota's terms; elsewhere the nearest, or none."""

    PETTY_MISDEMEANOR = "PM"
    MISDEMEANOR = "M"
    GROSS_MISDEMEANOR = "GM"
    FELONY = "F"


class NoArrestReason(StrEnum):
    """Why no arrest was made."""

    NO_PROBABLE_CAUSE = "no_pc"
    GONE_ON_ARRIVAL = "goa"
    SELF_DEFENSE = "self_defense"
    PROSECUTOR_REVIEW = "prosecutor_review"
    OVER_72_HOURS = ">72h"


class ReviewFinding(StrEnum):
    """What a review for the predominant aggressor found."""

    ONE_PREDOMINANT_AGGRESSOR = "one_predominant_aggressor"
    SELF_DEFENSE = "self_defense"
    NONE_DETERMINED = "none_determined"
    ARREST_CORRECTED = "arrest_corrected"


class SearchStatus(StrEnum):
    """Where the search for a suspect who left stands."""

    SEARCHING = "searching"
    WARRANT_SOUGHT = "warrant_sought"
    LOCATED = "located"
    SUSPENDED = "suspended"


class WelfareCheckOutcome(StrEnum):
    """What a welfare check came to; never what the victim chose to do."""

    CONTACT_MADE = "contact_made"
    NO_ANSWER = "no_answer"
    NOT_AT_LOCATION = "not_at_location"
    NEW_INCIDENT = "new_incident"


class ReferralReason(StrEnum):
    """What the referring agency saw; never what the victim said."""

    HIGH_DANGER = "high_danger"
    ARREST = "arrest"
    GONE_ON_ARRIVAL = "gone_on_arrival"
    INCIDENT = "incident"
    RELEASE = "release"
    VIOLATION = "violation"
    PETITION = "petition"
    COURT = "court"
    OTHER = "other"


class ReferralUrgency(StrEnum):
    """How soon advocacy is asked for."""

    SCENE = "scene"
    WITHIN_2_HOURS = "<2h"
    WITHIN_24_HOURS = "<24h"
    ROUTINE = "routine"


class LegalBasis(StrEnum):
    """What allows the referral."""

    VICTIM_REQUEST = "victim_request"
    STATUTE = "statute"
    POLICY = "policy"


class ReceiptStatus(StrEnum):
    """What an addressee says of something asked of it: that it arrived, or who goes."""

    RECEIVED = "received"
    ON_CALL_ASSIGNED = "on_call_assigned"


class ReferralStatus(StrEnum):
    """What an advocacy program may say of a referral: nothing about the victim."""

    RECEIVED = "received"
    ON_CALL_ASSIGNED = "on_call_assigned"
    DECLINED_CAPACITY = "declined_capacity"
