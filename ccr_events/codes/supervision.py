"""Codes of supervision, the men's program, children and visitation. Source: the project's domain sheet."""

from __future__ import annotations

from enum import StrEnum


class SupervisionLevel(StrEnum):
    """How closely someone is supervised."""

    INTENSIVE = "intensive"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class SupervisionCondition(StrEnum):
    """What a supervised person must keep: conditions of release before trial and of a sentence."""

    NO_CONTACT = "no_contact"
    STAY_AWAY = "stay_away"
    GPS = "gps"
    NO_ALCOHOL = "no_alcohol"
    NO_FIREARM = "no_firearm"
    MENS_PROGRAM = "bip"
    CHEMICAL_EVALUATION = "cd_eval"


class ContactKind(StrEnum):
    """Where a probation contact took place."""

    OFFICE = "office"
    HOME = "home"
    COLLATERAL = "collateral"


class Compliance(StrEnum):
    """How conditions are kept."""

    COMPLIANT = "compliant"
    PARTIAL = "partial"
    NONCOMPLIANT = "noncompliant"


class ViolationKind(StrEnum):
    """What is said to have been violated."""

    TECHNICAL = "technical"
    NEW_OFFENSE = "new_offense"
    NO_CONTACT_ORDER = "nco"
    PROTECTION_ORDER = "ofp"
    MENS_PROGRAM = "bip"
    FIREARM = "firearm"


class ViolationOutcome(StrEnum):
    """How an alleged violation ended."""

    REINSTATED = "reinstated"
    SANCTION = "sanction"
    REVOKED = "revoked"
    DISMISSED = "dismissed"


class Sanction(StrEnum):
    """What followed from a violation."""

    JAIL = "jail"
    COMMUNITY_WORK = "community_work"
    ADDED_CONDITIONS = "added_conditions"
    EXTENDED_SUPERVISION = "extended_supervision"
    WARNING = "warning"


class Conduct(StrEnum):
    """Conduct in a session of the men's program."""

    OK = "ok"
    DISRUPTIVE = "disruptive"
    THREAT = "threat"


class ProgramStatus(StrEnum):
    """Where a man stands in the program."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    COMPLETED = "completed"
    TERMINATED = "terminated"


class ProgramStatusReason(StrEnum):
    """Why the status changed."""

    ABSENCES = "absences"
    CONDUCT = "conduct"
    NEW_VIOLENCE = "new_violence"
    NONPAYMENT = "nonpayment"
    REQUIREMENTS_MET = "requirements_met"
    COURT = "court"
    OTHER = "other"


class ThreatKind(StrEnum):
    """What was disclosed in the program."""

    THREAT = "threat"
    VIOLENCE = "violence"
    ORDER_VIOLATION = "order_violation"


class ReportMode(StrEnum):
    """How a mandated report was made."""

    ORAL = "oral"
    WRITTEN = "written"


class VisitIncidentKind(StrEnum):
    """What happened at a visit or exchange."""

    THREAT = "threat"
    VIOLENCE = "violence"
    ABDUCTION_ATTEMPT = "abduction_attempt"
    NO_SHOW = "no_show"
    RULE_BROKEN = "rule_broken"


class VisitSuspensionCause(StrEnum):
    """Why visits were suspended."""

    SAFETY = "safety"
    COURT_ORDER = "court_order"
    RULES = "rules"
    NO_SHOWS = "no_shows"
