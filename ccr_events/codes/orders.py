"""Codes of protection and no-contact orders, service, firearms. Source: the project's domain sheet."""

from __future__ import annotations

from enum import StrEnum


class NoContactKind(StrEnum):
    """When a domestic abuse no-contact order applies."""

    PRETRIAL = "pretrial"
    PROBATIONARY = "probationary"


class Relief(StrEnum):
    """What a petition asks for."""

    NO_ABUSE = "no_abuse"
    NO_CONTACT = "no_contact"
    EXCLUSIVE_RESIDENCE = "exclusive_residence"
    STAY_AWAY = "stay_away"
    CUSTODY = "custody"
    SUPPORT = "support"
    FIREARMS = "firearms"
    PETS = "pets"
    OTHER = "other"


class OrderChangeCause(StrEnum):
    """Whose act changed or ended an order."""

    PETITIONER_REQUEST = "petitioner_request"
    COURT = "court"
    EXPIRY = "expiry"


class HearingRequester(StrEnum):
    """Who asked for a hearing on an order."""

    PETITIONER = "petitioner"
    RESPONDENT = "respondent"


class Findings(StrEnum):
    """What the court found at a protection-order hearing."""

    ABUSE_FOUND = "abuse_found"
    AGREED_WITHOUT_FINDING = "agreed_without_finding"
    DEFAULT = "default"
    NOT_FOUND = "not_found"


class ServiceMethod(StrEnum):
    """How an order is served."""

    PERSONAL = "personal"
    SHORT_FORM = "short_form"
    ALTERNATE = "alternate"
    PUBLICATION = "publication"
    IN_COURT = "in_court"


class ServiceFailure(StrEnum):
    """Why an attempt at service failed."""

    NOT_HOME = "not_home"
    MOVED = "moved"
    EVADING = "evading"
    BAD_ADDRESS = "bad_address"
    OTHER = "other"


class FirearmRecipient(StrEnum):
    """Who takes the firearms."""

    LAW_ENFORCEMENT = "le"
    LICENSED_DEALER = "ffl"
    THIRD_PARTY = "third_party"


class FirearmNoncompliance(StrEnum):
    """What a subject failed to do."""

    NO_PROOF = "no_proof"
    NOT_TRANSFERRED = "not_transferred"
    FOUND_IN_POSSESSION = "found_in_possession"
