"""NIBRS code lists: offenses, relationships, injuries, weapons, arrests, clearances.

Source: SEARCH-NCJIS/nibrs, the code tables of the FBI's National Incident-Based Reporting System. Offenses, weapons
and circumstances are whole: a report that also names a theft or a drug must not be turned away at the door. A state
may map an offense to a catch-all (Minnesota maps the violation of a no-contact order to 90Z), so domestic violence is
never derived from offense codes alone.
"""

from __future__ import annotations

from enum import StrEnum


class Offense(StrEnum):
    """UCR offense code."""

    MURDER = "09A"
    NEGLIGENT_MANSLAUGHTER = "09B"
    JUSTIFIABLE_HOMICIDE = "09C"
    KIDNAPPING = "100"
    TREASON = "101"
    ESPIONAGE = "103"
    RAPE = "11A"
    SODOMY = "11B"
    SEXUAL_ASSAULT_WITH_OBJECT = "11C"
    FONDLING = "11D"
    ROBBERY = "120"
    AGGRAVATED_ASSAULT = "13A"
    SIMPLE_ASSAULT = "13B"
    INTIMIDATION = "13C"  # stalking and threats
    ARSON = "200"
    EXTORTION = "210"
    BURGLARY = "220"
    POCKET_PICKING = "23A"
    PURSE_SNATCHING = "23B"
    SHOPLIFTING = "23C"
    THEFT_FROM_BUILDING = "23D"
    THEFT_FROM_MACHINE = "23E"
    THEFT_FROM_VEHICLE = "23F"
    THEFT_OF_VEHICLE_PARTS = "23G"
    OTHER_LARCENY = "23H"
    VEHICLE_THEFT = "240"
    FORGERY = "250"
    FALSE_PRETENSES = "26A"
    CARD_FRAUD = "26B"
    IMPERSONATION = "26C"
    WELFARE_FRAUD = "26D"
    WIRE_FRAUD = "26E"
    IDENTITY_THEFT = "26F"
    COMPUTER_INVASION = "26G"
    MONEY_LAUNDERING = "26H"
    EMBEZZLEMENT = "270"
    STOLEN_PROPERTY = "280"
    VANDALISM = "290"
    ILLEGAL_ENTRY = "30A"
    FALSE_CITIZENSHIP = "30B"
    SMUGGLING_PEOPLE = "30C"
    REENTRY_AFTER_DEPORTATION = "30D"
    DRUGS = "35A"
    DRUG_EQUIPMENT = "35B"
    INCEST = "36A"
    STATUTORY_RAPE = "36B"
    OBSCENE_MATERIAL = "370"
    BETTING = "39A"
    PROMOTING_GAMBLING = "39B"
    GAMBLING_EQUIPMENT = "39C"
    SPORTS_TAMPERING = "39D"
    PROSTITUTION = "40A"
    PROMOTING_PROSTITUTION = "40B"
    PURCHASING_PROSTITUTION = "40C"
    HARBORING_ESCAPEE = "49A"
    FLIGHT_FROM_PROSECUTION = "49B"
    FLIGHT_FROM_DEPORTATION = "49C"
    BRIBERY = "510"
    WEAPON_LAW = "520"
    NATIONAL_FIREARMS_ACT = "521"
    WEAPONS_OF_MASS_DESTRUCTION = "522"
    EXPLOSIVES = "526"
    IMPORT_VIOLATION = "58A"
    EXPORT_VIOLATION = "58B"
    FEDERAL_LIQUOR = "61A"
    FEDERAL_TOBACCO = "61B"
    WILDLIFE_TRAFFICKING = "620"
    TRAFFICKING_SEX_ACTS = "64A"
    TRAFFICKING_SERVITUDE = "64B"
    ANIMAL_CRUELTY = "720"
    BAD_CHECKS = "90A"
    CURFEW_OR_LOITERING = "90B"
    DISORDERLY_CONDUCT = "90C"
    DRIVING_UNDER_INFLUENCE = "90D"
    DRUNKENNESS = "90E"
    FAMILY_NONVIOLENT = "90F"
    LIQUOR_LAW = "90G"
    PEEPING = "90H"
    RUNAWAY = "90I"
    TRESPASS = "90J"
    FAILURE_TO_APPEAR = "90K"
    FEDERAL_RESOURCE = "90L"
    PERJURY = "90M"
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
    POISON = "50"
    EXPLOSIVES = "60"
    FIRE = "65"
    DRUGS = "70"
    ASPHYXIATION = "85"  # strangulation
    OTHER = "90"
    UNKNOWN = "95"
    NONE = "99"


FIREARMS = frozenset({Weapon.FIREARM, Weapon.HANDGUN, Weapon.RIFLE, Weapon.SHOTGUN, Weapon.OTHER_FIREARM})
"""The codes that mean a firearm."""


class SubstanceUse(StrEnum):
    """Offender suspected of using; one list in NIBRS, computer equipment among it."""

    ALCOHOL = "A"
    COMPUTER = "C"
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
    """Circumstance of an aggravated assault or homicide."""

    ARGUMENT = "01"
    ASSAULT_ON_OFFICER = "02"
    DRUG_DEALING = "03"
    GANGLAND = "04"
    JUVENILE_GANG = "05"
    DOMESTIC_VIOLENCE = "06"  # older manuals write "lovers' quarrel"
    MERCY_KILLING = "07"
    OTHER_FELONY = "08"
    OTHER = "09"
    UNKNOWN = "10"
    KILLED_BY_PRIVATE_CITIZEN = "20"
    KILLED_BY_OFFICER = "21"
    CHILD_WITH_WEAPON = "30"
    WEAPON_CLEANING = "31"
    HUNTING = "32"
    OTHER_WEAPON_HANDLING = "33"
    OTHER_NEGLIGENT_KILLING = "34"
