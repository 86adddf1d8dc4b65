"""A person as either family writes one, to a party of the contract."""

from __future__ import annotations

from services.adapters.niem.conversions import CODE, DATE, SHORT
from services.adapters.niem.table import Paths, Row

NAME_ROWS = (
    Row("given", ("person/nc:PersonName/nc:PersonGivenName",)),
    Row("middle", ("person/nc:PersonName/nc:PersonMiddleName",)),
    Row(
        "surname",
        ("person/nc:PersonName/nc:PersonSurName", "person/nc:PersonName/nc:PersonFullName"),
        note="a full name alone is split at its comma, or kept whole",
    ),
    Row("suffix", ("person/nc:PersonName/nc:PersonNameSuffixText",)),
)
"""The party's name; all sealed."""

PERSON_ROWS = (
    Row("birth_date", ("person/nc:PersonBirthDate/nc:Date", "person/nc:PersonBirthDate/nc:DateTime"), DATE),
    Row(
        "state_id",
        (
            "person/nc:PersonStateIdentification/nc:IdentificationID",
            "person/j:PersonAugmentation/j:PersonStateFingerprintIdentification/nc:IdentificationID",
        ),
        CODE,
    ),
    Row(
        "sex_code",
        (
            "person/ncic:PersonSexCode",
            "person/j:PersonSexCode",
            "person/nc:PersonSexCode",
            "person/nc:PersonSexText",
        ),
        CODE,
    ),
    Row(
        "race_code",
        (
            "person/ncic:PersonRaceCode",
            "person/j:PersonRaceCode",
            "person/nc:PersonRaceCode",
            "person/ojbc-ext:PersonRaceCode",
            "person/=ndex:Person/ndex:PersonAugmentation/ndex:PersonRaceCode",
            "person/nc:PersonRaceText",
        ),
        CODE,
    ),
    Row(
        "language",
        (
            "person/nc:PersonPrimaryLanguage/nc:Language/nc:LanguageName",
            "person/nc:PersonPrimaryLanguage/nc:LanguageName",
        ),
        CODE,
    ),
    Row(
        "phone",
        (
            "person/nc:PersonContactInformation/nc:ContactTelephoneNumber/nc:FullTelephoneNumber/nc:TelephoneNumberFullID",
            "person/~nc:ContactInformationAssociation/nc:ContactInformation/nc:ContactTelephoneNumber/nc:FullTelephoneNumber/nc:TelephoneNumberFullID",
            "person/~nc:PersonContactInformationAssociation/nc:ContactInformation/nc:ContactTelephoneNumber/nc:FullTelephoneNumber/nc:TelephoneNumberFullID",
            "person/~digest:PersonTelephoneAssociation/digest:TelephoneNumberReference/nc:FullTelephoneNumber/nc:TelephoneNumberFullID",
        ),
        SHORT,
    ),
)
"""What else is known of the person; all sealed."""

ADDRESS_PATHS: Paths = (
    "person/nc:PersonContactInformation/nc:ContactMailingAddress",
    "person/~nc:ResidenceAssociation/nc:LocationReference/nc:LocationAddress/nc:StructuredAddress",
    "person/~nc:ResidenceAssociation/nc:LocationReference/nc:LocationAddress",
    "person/~nc:PersonResidenceAssociation/nc:Location/nc:Address",
    "person/~nc:ResidenceAssociation/nc:Location/nc:Address",
    "person/~nc:PersonContactInformationAssociation/nc:ContactInformation/nc:ContactMailingAddress",
)
"""Where the person's address may be; sealed as `address`."""


def split_full_name(full: str) -> dict[str, str]:
    """`Surname, Given Middle` by its comma; a name without one is kept whole, as nobody can say which part is which."""
    surname, comma, rest = full.partition(",")
    given, _, middle = rest.strip().partition(" ")
    if not comma or not surname.strip() or not given:
        return {"surname": full}
    return {"surname": surname.strip(), "given": given} | ({"middle": middle.strip()} if middle.strip() else {})
