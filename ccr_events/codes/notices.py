"""Codes of notices to victims. Source: event catalogue and protocol links of the project's domain sheet."""

from __future__ import annotations

from enum import StrEnum


class Notice(StrEnum):
    """What a victim was told of."""

    RIGHTS_CARD = "rights_card"
    SHELTER_LISTING = "shelter_listing"
    VINE_INFO = "vine_info"
    HEARING = "hearing"
    VIOLATION_HEARING = "violation_hearing"
    RELEASE_CONDITIONS = "release_conditions"
    CHARGE_DECISION = "charge_decision"
    DISPOSITION = "disposition"
    ORDER_ISSUED = "order_issued"
    ORDER_SERVED = "order_served"
    ORDER_SERVICE_FAILED = "order_service_failed"
    ORDER_CHANGED = "order_changed"
    ORDER_EXPIRING = "order_expiring"
    INCARCERATION_END = "incarceration_end"
    SUPERVISION_STATUS = "supervision_status"
    THREAT_WARNING = "threat_warning"


class NoticeChannel(StrEnum):
    """How a notice was given."""

    IN_PERSON = "in_person"
    PHONE = "phone"
    TEXT = "text"
    EMAIL = "email"
    MAIL = "mail"
    REGISTERED_SERVICE = "registered_service"  # a victim notification service the victim signed up to
    THROUGH_ADVOCATE = "through_advocate"


class AttemptOutcome(StrEnum):
    """What one attempt at a notice came to."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    MESSAGE_LEFT = "message_left"
    WRONG_NUMBER = "wrong_number"
    UNSAFE = "unsafe"  # broken off: not safe to speak
    FAILED = "failed"
