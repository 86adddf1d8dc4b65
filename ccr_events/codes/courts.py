"""Codes of prosecution and courts. Source: event catalogue of the project's domain sheet."""

from __future__ import annotations

from enum import StrEnum


class DismissalReason(StrEnum):
    """Why charges were declined or dismissed; Minnesota requires the reason on record (611A.0315)."""

    INSUFFICIENT_EVIDENCE = "insufficient"
    WITNESS_UNAVAILABLE = "witness_unavailable"
    PLEA_ELSEWHERE = "plea_elsewhere"
    INTEREST_OF_JUSTICE = "interest_of_justice"


class CourtCaseKind(StrEnum):
    """What sort of court file."""

    CRIMINAL = "criminal"
    PROTECTION_ORDER = "protection_order"
    FAMILY = "family"
    OTHER = "other"


class CourtOrderKind(StrEnum):
    """What a court order is about, as far as a system says so that does not describe its terms."""

    NO_CONTACT = "no_contact"
    RELEASE_CONDITIONS = "release_conditions"
    PROTECTION = "protection"
    CUSTODY = "custody"
    OTHER = "other"


class BailStatus(StrEnum):
    """What changed about bail or bond."""

    SET = "set"
    POSTED = "posted"
    REVOKED = "revoked"
    FORFEITED = "forfeited"
    EXONERATED = "exonerated"


class BailRecommendation(StrEnum):
    """What pretrial services recommends to the judge."""

    RELEASE = "release"
    RELEASE_WITH_CONDITIONS = "release_with_conditions"
    BAIL = "bail"
    HOLD = "hold"


class ReleaseCondition(StrEnum):
    """Condition of release before trial."""

    NO_CONTACT = "no_contact"
    STAY_AWAY = "stay_away"
    GPS = "gps"
    NO_ALCOHOL = "no_alcohol"
    NO_FIREARM = "no_firearm"
    PRETRIAL_SUPERVISION = "pretrial_sup"


class HearingKind(StrEnum):
    """What a hearing is for."""

    FIRST_APPEARANCE = "first_appearance"
    RELEASE_REVIEW = "release_review"
    OMNIBUS = "omnibus"
    PLEA = "plea"
    TRIAL = "trial"
    SENTENCING = "sentencing"
    VIOLATION = "violation"
    COMPLIANCE = "compliance"
    OFP = "ofp"
    OTHER = "other"


class Plea(StrEnum):
    """A plea."""

    GUILTY = "guilty"
    ALFORD = "alford"
    NO_CONTEST = "no_contest"
    NOT_GUILTY = "not_guilty"


class Verdict(StrEnum):
    """A verdict on one count."""

    GUILTY = "guilty"
    NOT_GUILTY = "not_guilty"
    MISTRIAL = "mistrial"


class Stay(StrEnum):
    """What is stayed."""

    IMPOSITION = "imposition"
    EXECUTION = "execution"
    ADJUDICATION = "adjudication"


class SentenceCondition(StrEnum):
    """Condition of a sentence."""

    MENS_PROGRAM = "bip"
    CHEMICAL_EVALUATION = "cd_eval"
    NO_CONTACT = "no_contact"
    FIREARMS = "firearms"


class WarrantKind(StrEnum):
    """What a warrant is for."""

    ARREST = "arrest"
    BENCH = "bench"
    VIOLATION = "violation"


class WarrantStatus(StrEnum):
    """Whether a warrant stands."""

    ACTIVE = "active"
    RECALLED = "recalled"
    SERVED = "served"
