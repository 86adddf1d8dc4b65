"""Codes of the backbone's own events. The eight trails are those of the Praxis safety and accountability audit."""

from __future__ import annotations

from enum import StrEnum


class CompletionOutcome(StrEnum):
    """How a practitioner reports an act that no other event tells."""

    DONE = "done"


class WaiverReason(StrEnum):
    """Why an obligation was let go."""

    NOT_APPLICABLE = "not_applicable"
    DONE_OTHERWISE = "done_otherwise"
    UNSAFE_TO_ACT = "unsafe_to_act"
    NOT_POSSIBLE = "not_possible"
    DUPLICATE = "duplicate"
    OTHER = "other"


class RetractionReason(StrEnum):
    """Why a publisher withdraws its own event."""

    ENTERED_IN_ERROR = "entered_in_error"
    WRONG_CASE = "wrong_case"
    DUPLICATE = "duplicate"
    DID_NOT_HAPPEN = "did_not_happen"


class AlertChannel(StrEnum):
    """How an alert was delivered."""

    STREAM = "stream"
    WEBHOOK = "webhook"
    PAGE = "page"
    PHONE = "phone"
    TEXT = "text"
    EMAIL = "email"
    PORTAL = "portal"


class MergeCause(StrEnum):
    """Why two cases may be one."""

    SHARED_REFERENCES = "shared_references"
    SAME_PARTIES = "same_parties"
    SIMILAR_PARTIES = "similar_parties"


class Trail(StrEnum):
    """Trail of the institutional analysis: how work is organised, never who did it."""

    MISSION_PURPOSE_FUNCTION = "MISSION_PURPOSE_FUNCTION"
    CONCEPTS_THEORIES = "CONCEPTS_THEORIES"
    RULES_REGULATIONS = "RULES_REGULATIONS"
    ADMIN_PRACTICES = "ADMIN_PRACTICES"
    RESOURCES = "RESOURCES"
    EDUCATION_TRAINING = "EDUCATION_TRAINING"
    LINKAGES = "LINKAGES"
    ACCOUNTABILITY = "ACCOUNTABILITY"


class ReadPurpose(StrEnum):
    """Why a sealed field was opened."""

    SAFETY = "safety"
    INVESTIGATION = "investigation"
    PROSECUTION = "prosecution"
    COURT = "court"
    SUPERVISION = "supervision"
    NOTIFICATION = "notification"
    REPAIR = "repair"
    AUDIT = "audit"
    BREAK_GLASS = "break_glass"


class ReadOutcome(StrEnum):
    """Whether it was opened."""

    GRANTED = "granted"
    DENIED = "denied"


class KeyRing(StrEnum):
    """Where a case's keys lie."""

    OPEN = "open"
    SEALED_COURT = "sealed_court"
    DESTROYED = "destroyed"


class SealScope(StrEnum):
    """How much a sealing order covers."""

    CASE = "case"
    COURT_FILE = "court_file"
    INCIDENT = "incident"
    PERSON = "person"


class SealAction(StrEnum):
    """What is to be done with the record."""

    SEAL = "seal"
    DESTROY = "destroy"
    REOPEN = "reopen"
