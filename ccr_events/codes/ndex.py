"""N-DEx code lists for domestic-violence assessment, as NIEM publishes them.

Source: NIEM/NIEM-Releases, `ndex.xsd`, `DomesticViolenceAssessment`.
"""

from __future__ import annotations

from enum import StrEnum


class AbusePattern(StrEnum):
    """Pattern of abuse."""

    CHOKED = "CHOKED"
    ESCALATING_FREQUENCY = "ESCALATING_FREQUENCY"
    ESCALATING_VIOLENCE = "ESCALATING_VIOLENCE"
    INFLICTED_SERIOUS_INJURY = "INFLICTED_SERIOUS_INJURY"
    PET_INJURED_OR_THREATENED = "PET_INJURED-INJURY_THREATENED"
    SEXUAL_ATTACK_OR_COERCION = "SEXUAL_ATTACK-COERCION"
    THREATENED_TO_KILL = "THREATENED_TO_KILL"
    USED_INTIMIDATION = "USED_INTIMIDATION"
    WEAPON_USE_OR_THREAT = "WEAPON_USE-THREAT"


class ChildImpact(StrEnum):
    """What the incident meant for children."""

    ABUSED_BY_SUBJECT = "CHILDREN_ABUSED_BY_SUBJECT"
    AFRAID_OF_SUBJECT = "CHILDREN_AFRAID_OF_SUBJECT"
    INVOLVED_IN_INCIDENT = "CHILDREN_INVOLVED_IN_THE_INCIDENT"
    PRESENT_DURING_INCIDENT = "CHILDREN_PRESENT_DURING_INCIDENT"
    NONE = "NO_CHILD_IMPACT"
    ABDUCTION_THREATENED_OR_ATTEMPTED = "SUBJECT_THREATENED_OR_ATTEMPTED_TO_ABDUCT_CHILDREN"


CHILD_ABUSE = frozenset({ChildImpact.ABUSED_BY_SUBJECT, ChildImpact.ABDUCTION_THREATENED_OR_ATTEMPTED})
"""The impacts that mean harm or threat to a child itself."""

CHILD_PRESENT = frozenset({*ChildImpact} - {ChildImpact.NONE, ChildImpact.AFRAID_OF_SUBJECT})
"""The impacts that mean a child was there or was acted against."""
