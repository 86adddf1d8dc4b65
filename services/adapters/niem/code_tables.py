"""Words and codes of the two families to the codes of the contract.

Sources: N-DEx IEPD 2.1 code lists and NIEM 5 `ucr`, `ndex`, `jxdm` code lists for the words on the left; SEARCH-NCJIS
NIBRS tables for the codes on the right. Keys are casefolded, with every run of other characters than letters and
digits as one space.
"""

from __future__ import annotations

import re

from ccr_events.codes.courts import BailStatus, CourtCaseKind, CourtOrderKind, HearingKind
from ccr_events.codes.custody import HoldReason, ReleaseReason
from ccr_events.codes.nibrs import Injury, Offense, Relationship, Weapon
from ccr_events.codes.response import ChargeLevel
from ccr_events.payload import PartyRole

_OTHER_CHARACTERS = re.compile(r"[^0-9a-z]+")


def plain(text: str) -> str:
    """A word or code as the tables write it."""
    return _OTHER_CHARACTERS.sub(" ", text.casefold()).strip()


OFFENSES: dict[str, Offense] = {
    "aggravated assault": Offense.AGGRAVATED_ASSAULT,
    "assault": Offense.SIMPLE_ASSAULT,
    "simple assault": Offense.SIMPLE_ASSAULT,
    "intimidation": Offense.INTIMIDATION,
    "stalking": Offense.INTIMIDATION,
    "manslaughter nonnegligent murder": Offense.MURDER,
    "murder": Offense.MURDER,
    "homicide": Offense.MURDER,
    "kidnapping": Offense.KIDNAPPING,
    "kidnapping abduction": Offense.KIDNAPPING,
    "rape": Offense.RAPE,
    "sodomy": Offense.SODOMY,
    "sex assault object": Offense.SEXUAL_ASSAULT_WITH_OBJECT,
    "fondling": Offense.FONDLING,
    "robbery": Offense.ROBBERY,
    "arson": Offense.ARSON,
    "burglary": Offense.BURGLARY,
    "burglary breaking entering": Offense.BURGLARY,
    "damage destruction vandalism of property": Offense.VANDALISM,
    "cruelty to animals": Offense.ANIMAL_CRUELTY,
    "family offenses nonviolent": Offense.FAMILY_NONVIOLENT,
    "trespass of real property": Offense.TRESPASS,
    "trespassing": Offense.TRESPASS,
    "weapon law violations": Offense.WEAPON_LAW,
    "all other offenses": Offense.ALL_OTHER,
    "violation of a court order": Offense.ALL_OTHER,
} | {code.value.casefold(): code for code in Offense}
"""NIBRS offense. N-DEx refines some words after an underscore (`Arson_residential`); the word before it counts."""

RELATIONSHIPS: dict[str, Relationship] = {
    "family member spouse": Relationship.SPOUSE,
    "spouse": Relationship.SPOUSE,
    "husband": Relationship.SPOUSE,
    "wife": Relationship.SPOUSE,
    "family member spouse common law": Relationship.COMMON_LAW_SPOUSE,
    "common law spouse": Relationship.COMMON_LAW_SPOUSE,
    "cohabitant": Relationship.COMMON_LAW_SPOUSE,
    "ex spouse": Relationship.EX_SPOUSE,
    "former spouse": Relationship.EX_SPOUSE,
    "boyfriend": Relationship.BOYFRIEND_OR_GIRLFRIEND,
    "girlfriend": Relationship.BOYFRIEND_OR_GIRLFRIEND,
    "boyfriend girlfriend": Relationship.BOYFRIEND_OR_GIRLFRIEND,
    "homosexual relationship": Relationship.BOYFRIEND_OR_GIRLFRIEND,
    "dating partner": Relationship.BOYFRIEND_OR_GIRLFRIEND,
    "ex boyfriend": Relationship.EX_RELATIONSHIP,
    "ex girlfriend": Relationship.EX_RELATIONSHIP,
    "ex relationship": Relationship.EX_RELATIONSHIP,
    "former dating partner": Relationship.EX_RELATIONSHIP,
    "child of boyfriend girlfriend": Relationship.CHILD_OF_BOYFRIEND_OR_GIRLFRIEND,
    "family member parent": Relationship.PARENT,
    "family member child": Relationship.CHILD,
    "family member sibling": Relationship.SIBLING,
    "family member grandparent": Relationship.GRANDPARENT,
    "family member grandchild": Relationship.GRANDCHILD,
    "family member in law": Relationship.IN_LAW,
    "family member stepparent": Relationship.STEPPARENT,
    "family member stepchild": Relationship.STEPCHILD,
    "family member stepsibling": Relationship.STEPSIBLING,
    "family member": Relationship.OTHER_FAMILY,
    "acquaintance": Relationship.ACQUAINTANCE,
    "friend": Relationship.FRIEND,
    "neighbor": Relationship.NEIGHBOR,
    "babysittee": Relationship.BABYSITTEE,
    "employee": Relationship.EMPLOYEE,
    "employer": Relationship.EMPLOYER,
    "nonfamily otherwise known": Relationship.OTHERWISE_KNOWN,
    "stranger": Relationship.STRANGER,
    "victim was offender": Relationship.BOTH_VICTIM_AND_OFFENDER,
    "relationship unknown": Relationship.UNKNOWN,
    "unknown": Relationship.UNKNOWN,
} | {code.value.casefold(): code for code in Relationship}
"""NIBRS relationship: the victim was the offender's …. `Cohabitant` is read as living together as spouses do."""

INJURIES: dict[str, Injury] = {
    "apparent broken bones": Injury.BROKEN_BONES,
    "apparent minor injury": Injury.MINOR,
    "loss of teeth": Injury.LOSS_OF_TEETH,
    "none": Injury.NONE,
    "other major injury": Injury.OTHER_MAJOR,
    "possible internal injury": Injury.INTERNAL,
    "severe laceration": Injury.SEVERE_LACERATION,
    "unconsciousness": Injury.UNCONSCIOUSNESS,
} | {code.value.casefold(): code for code in Injury}

GRAVEST_INJURY = tuple(
    injury.value
    for injury in (
        Injury.UNCONSCIOUSNESS,
        Injury.INTERNAL,
        Injury.BROKEN_BONES,
        Injury.SEVERE_LACERATION,
        Injury.OTHER_MAJOR,
        Injury.LOSS_OF_TEETH,
        Injury.MINOR,
        Injury.NONE,
    )
)
"""Which of several injuries is told [P]."""

WEAPONS: dict[str, Weapon] = {
    "asphyxiation": Weapon.ASPHYXIATION,
    "strangulation": Weapon.ASPHYXIATION,
    "firearm": Weapon.FIREARM,
    "handgun": Weapon.HANDGUN,
    "rifle": Weapon.RIFLE,
    "shotgun": Weapon.SHOTGUN,
    "knife cutting instrument": Weapon.KNIFE,
    "knife": Weapon.KNIFE,
    "blunt object": Weapon.BLUNT_OBJECT,
    "motor vehicle": Weapon.VEHICLE,
    "personal weapons": Weapon.PERSONAL_WEAPONS,
    "fire incendiary device": Weapon.FIRE,
    "other": Weapon.OTHER,
    "unknown": Weapon.UNKNOWN,
    "none": Weapon.NONE,
    "unarmed": Weapon.NONE,
} | {code.value: code for code in Weapon}

LEVELS: dict[str, ChargeLevel] = {
    "felony": ChargeLevel.FELONY,
    "gross misdemeanor": ChargeLevel.GROSS_MISDEMEANOR,
    "misdemeanor": ChargeLevel.MISDEMEANOR,
    "petty misdemeanor": ChargeLevel.PETTY_MISDEMEANOR,
    "violation": ChargeLevel.PETTY_MISDEMEANOR,
} | {code.value.casefold(): code for code in ChargeLevel}
"""Level of a charge; a class after the letter (`F1`, `M 2`) is left off."""

ROLES: dict[str, PartyRole] = {
    "victim": PartyRole.VICTIM,
    "protected person": PartyRole.VICTIM,
    "petitioner": PartyRole.VICTIM,
    "suspect": PartyRole.SUSPECT,
    "subject": PartyRole.SUSPECT,
    "offender": PartyRole.SUSPECT,
    "arrestee": PartyRole.SUSPECT,
    "arrest subject": PartyRole.SUSPECT,
    "arrested": PartyRole.SUSPECT,
    "defendant": PartyRole.SUSPECT,
    "respondent": PartyRole.SUSPECT,
    "witness": PartyRole.WITNESS,
    "complainant": PartyRole.WITNESS,
    "reporting person": PartyRole.WITNESS,
    "reporting party": PartyRole.WITNESS,
    "child": PartyRole.CHILD,
}
"""What part a person has. A complainant is who reported, victim or not; a role that is not listed makes no party."""

HOLDS: dict[str, HoldReason] = {
    "warrant": HoldReason.WARRANT,
    "fugitive": HoldReason.WARRANT,
    "arrest warrant": HoldReason.WARRANT,
    "bench warrant no bond": HoldReason.WARRANT,
    "probable cause": HoldReason.PROBABLE_CAUSE,
    "pc": HoldReason.PROBABLE_CAUSE,
    "probation violation": HoldReason.PROBATION_VIOLATION,
    "protective order violation": HoldReason.ORDER_VIOLATION,
    "order violation": HoldReason.ORDER_VIOLATION,
    "new charge": HoldReason.NEW_CHARGE,
    "sentence": HoldReason.SENTENCE,
}

RELEASES: tuple[tuple[str, ReleaseReason], ...] = (
    ("own recognizance", ReleaseReason.OWN_RECOGNIZANCE),
    ("recognizance", ReleaseReason.OWN_RECOGNIZANCE),
    ("ror", ReleaseReason.OWN_RECOGNIZANCE),
    ("or", ReleaseReason.OWN_RECOGNIZANCE),
    ("pr", ReleaseReason.OWN_RECOGNIZANCE),
    ("bond", ReleaseReason.BAIL),
    ("bail", ReleaseReason.BAIL),
    ("surety", ReleaseReason.BAIL),
    ("cash", ReleaseReason.BAIL),
    ("citation", ReleaseReason.CITATION),
    ("summons", ReleaseReason.CITATION),
    ("no probable cause", ReleaseReason.CHARGES_DECLINED),
    ("declined", ReleaseReason.CHARGES_DECLINED),
    ("refused", ReleaseReason.CHARGES_DECLINED),
    ("dismissed", ReleaseReason.CHARGES_DECLINED),
    ("nolle prosequi", ReleaseReason.CHARGES_DECLINED),
    ("time served", ReleaseReason.TIME_SERVED),
    ("sentence served", ReleaseReason.TIME_SERVED),
    ("expiration of sentence", ReleaseReason.TIME_SERVED),
    ("court order", ReleaseReason.COURT_ORDER),
    ("order of court", ReleaseReason.COURT_ORDER),
    ("disposition", ReleaseReason.COURT_ORDER),
)
"""First phrase that occurs, whole words, in the release's reason."""

ORDERS: tuple[tuple[str, CourtOrderKind], ...] = (
    ("no contact", CourtOrderKind.NO_CONTACT),
    ("stay away", CourtOrderKind.NO_CONTACT),
    ("danco", CourtOrderKind.NO_CONTACT),
    ("release condition", CourtOrderKind.RELEASE_CONDITIONS),
    ("release conditions", CourtOrderKind.RELEASE_CONDITIONS),
    ("conditions of release", CourtOrderKind.RELEASE_CONDITIONS),
    ("conditions of bond", CourtOrderKind.RELEASE_CONDITIONS),
    ("bail order", CourtOrderKind.RELEASE_CONDITIONS),
    ("protective order", CourtOrderKind.PROTECTION),
    ("protection order", CourtOrderKind.PROTECTION),
    ("order for protection", CourtOrderKind.PROTECTION),
    ("restraining order", CourtOrderKind.PROTECTION),
    ("custody", CourtOrderKind.CUSTODY),
)
"""First phrase that occurs in the order's document type; clerks' own lists differ, so this one is a proposal [P]."""

HEARINGS: tuple[tuple[str, HearingKind], ...] = (
    ("first appearance", HearingKind.FIRST_APPEARANCE),
    ("arraignment", HearingKind.FIRST_APPEARANCE),
    ("magistrate", HearingKind.FIRST_APPEARANCE),
    ("701", HearingKind.RELEASE_REVIEW),
    ("bail", HearingKind.RELEASE_REVIEW),
    ("bond", HearingKind.RELEASE_REVIEW),
    ("release", HearingKind.RELEASE_REVIEW),
    ("omnibus", HearingKind.OMNIBUS),
    ("pre trial", HearingKind.OMNIBUS),
    ("pretrial", HearingKind.OMNIBUS),
    ("plea", HearingKind.PLEA),
    ("trial", HearingKind.TRIAL),
    ("sentencing", HearingKind.SENTENCING),
    ("violation", HearingKind.VIOLATION),
    ("revocation", HearingKind.VIOLATION),
    ("compliance", HearingKind.COMPLIANCE),
    ("status", HearingKind.COMPLIANCE),
    ("protective order", HearingKind.OFP),
    ("order for protection", HearingKind.OFP),
)
"""First phrase that occurs in the court event's type. A 701 hearing is Louisiana's on release without charges
(La. C.Cr.P. art. 701)."""

BAIL: tuple[tuple[str, BailStatus], ...] = (
    ("revoked", BailStatus.REVOKED),
    ("forfeited", BailStatus.FORFEITED),
    ("forfeiture", BailStatus.FORFEITED),
    ("exonerated", BailStatus.EXONERATED),
    ("released", BailStatus.EXONERATED),
    ("posted", BailStatus.POSTED),
    ("paid", BailStatus.POSTED),
    ("set", BailStatus.SET),
    ("active", BailStatus.SET),
    ("new", BailStatus.SET),
)

COURT_FILES: tuple[tuple[str, CourtCaseKind], ...] = (
    ("protective order", CourtCaseKind.PROTECTION_ORDER),
    ("protection order", CourtCaseKind.PROTECTION_ORDER),
    ("order for protection", CourtCaseKind.PROTECTION_ORDER),
    ("family", CourtCaseKind.FAMILY),
    ("divorce", CourtCaseKind.FAMILY),
    ("custody", CourtCaseKind.FAMILY),
)
