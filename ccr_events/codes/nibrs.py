"""NIBRS code lists: offenses, relationships, injuries, weapons, arrests, clearances.

Source: SEARCH-NCJIS/nibrs, the code tables of the FBI's National Incident-Based Reporting System. Offenses are
those that occur in domestic-violence responses. A state may map an offense to a catch-all (Minnesota maps the
violation of a no-contact order to 90Z), so domestic violence is never derived from these codes alone.
"""

from __future__ import annotations

from enum import StrEnum


class Offense(StrEnum):
    """UCR offense code."""

    MURDER = "09A"
    KIDNAPPING = "100"
    RAPE = "11A"
    SODOMY = "11B"
    SEXUAL_ASSAULT_WITH_OBJECT = "11C"
    FONDLING = "11D"
    ROBBERY = "120"
    AGGRAVATED_ASSAULT = "13A"
    SIMPLE_ASSAULT = "13B"
    INTIMIDATION = "13C"  # stalking and threats
    ARSON = "200"
    BURGLARY = "220"
    VANDALISM = "290"
    WEAPON_LAW = "520"
    ANIMAL_CRUELTY = "720"
    FAMILY_NONVIOLENT = "90F"
    TRESPASS = "90J"
    ALL_OTHER = "90Z"


class Relationship(StrEnum):
    """The victim was the offender's …; `BOTH_VICTIM_AND_OFFENDER` is mutual and calls for dual-arrest review."""

    SPOUSE = "SE"
    COMMON_LAW_SPOUSE = "CS"
    PARENT = "PA"
    SIBLING = "SB"
    CHILD = "CH"
    GRANDPARENT = "GP"
    GRANDCHILD = "GC"
    IN_LAW = "IL"
    STEPPARENT = "SP"
    STEPCHILD = "SC"
    STEPSIBLING = "SS"
    OTHER_FAMILY = "OF"
    BOYFRIEND_OR_GIRLFRIEND = "BG"
    CHILD_OF_BOYFRIEND_OR_GIRLFRIEND = "CF"
    EX_SPOUSE = "XS"
    EX_RELATIONSHIP = "XR"
    ACQUAINTANCE = "AQ"
    FRIEND = "FR"
    NEIGHBOR = "NE"
    BABYSITTEE = "BE"
    EMPLOYEE = "EE"
    EMPLOYER = "ER"
    OTHERWISE_KNOWN = "OK"
    UNKNOWN = "RU"
    STRANGER = "ST"
    BOTH_VICTIM_AND_OFFENDER = "VO"


class Injury(StrEnum):
    """Type of injury."""

    NONE = "N"
    BROKEN_BONES = "B"
    INTERNAL = "I"
    SEVERE_LACERATION = "L"
    MINOR = "M"
    OTHER_MAJOR = "O"
    LOSS_OF_TEETH = "T"
    UNCONSCIOUSNESS = "U"


class Weapon(StrEnum):
    """Type of weapon or force involved."""

    FIREARM = "11"
    HANDGUN = "12"
    RIFLE = "13"
    SHOTGUN = "14"
    OTHER_FIREARM = "15"
    KNIFE = "20"
    BLUNT_OBJECT = "30"
    VEHICLE = "35"
    PERSONAL_WEAPONS = "40"  # hands, feet, teeth
    FIRE = "65"
    ASPHYXIATION = "85"  # strangulation
    OTHER = "90"
    UNKNOWN = "95"
    NONE = "99"


FIREARMS = frozenset({Weapon.FIREARM, Weapon.HANDGUN, Weapon.RIFLE, Weapon.SHOTGUN, Weapon.OTHER_FIREARM})
"""The codes that mean a firearm."""


class SubstanceUse(StrEnum):
    """Offender suspected of using."""

    ALCOHOL = "A"
    DRUGS = "D"
    NOT_APPLICABLE = "N"


class ArrestType(StrEnum):
    """How a person was apprehended."""

    ON_VIEW = "O"
    SUMMONED = "S"
    TAKEN_INTO_CUSTODY = "T"


class ExceptionalClearance(StrEnum):
    """Why an incident was cleared without an arrest."""

    DEATH_OF_OFFENDER = "A"
    PROSECUTION_DECLINED = "B"
    IN_CUSTODY_ELSEWHERE = "C"
    VICTIM_REFUSED = "D"
    JUVENILE = "E"
    NOT_APPLICABLE = "N"


class AssaultCircumstance(StrEnum):
    """Circumstance of an aggravated assault or homicide, as far as this contract uses it."""

    DOMESTIC_VIOLENCE = "06"
