"""Codes of jail and custody. Source: event catalogue of the project's domain sheet."""

from __future__ import annotations

from enum import StrEnum


class HoldReason(StrEnum):
    """Why a person is held."""

    NEW_CHARGE = "new_charge"
    PROBABLE_CAUSE = "probable_cause"
    WARRANT = "warrant"
    ORDER_VIOLATION = "order_violation"
    PROBATION_VIOLATION = "probation_violation"
    SENTENCE = "sentence"
    OTHER = "other"


class ReleaseReason(StrEnum):
    """Why a person is released."""

    BAIL = "bail"
    CITATION = "citation"
    OWN_RECOGNIZANCE = "ror"
    CHARGES_DECLINED = "charges_declined"
    TIME_SERVED = "time_served"
    COURT_ORDER = "court_order"
    OTHER = "other"


class ThreatMedium(StrEnum):
    """How a threat left the jail."""

    PHONE = "phone"
    LETTER = "letter"
    VISIT = "visit"
    THIRD_PARTY = "third_party"
