"""A charge as either family writes one, to a charge of the contract."""

from __future__ import annotations

from services.adapters.niem.conversions import CODE, COUNT, LEVEL, NIBRS, SHORT
from services.adapters.niem.table import Row

CHARGE_ROWS = (
    Row("number", ("item/j:ChargeSequenceID",), COUNT, note="left out when it is not a number"),
    Row(
        "statute",
        (
            "item/j:ChargeStatute/j:StatuteCodeIdentification/nc:IdentificationID",
            "item/j:ChargeStatute/j:StatuteCodeSectionIdentification/nc:IdentificationID",
        ),
        CODE,
        domestic=True,
    ),
    Row(
        "nibrs",
        (
            "item/nola-ext:ChargeAugmentation/nola-ext:OffenseNIBRSCode",
            "item/nola-ext:ChargeAugmentation/j:OffenseUCRCode",
            "item/nola-ext:ChargeAugmentation/nola-ext:ChargeLIBRSCode",
            "item/j:ChargeNIBRSCode",
            "item/j:ChargeUCRCode",
        ),
        NIBRS,
    ),
    Row(
        "level",
        (
            "item/j:ChargeSeverityText",
            "item/j:ChargeCategoryDescriptionText",
            "item/j:ChargeSeverityDescriptionText",
        ),
        LEVEL,
    ),
    Row(
        "description",
        (
            "item/j:ChargeDescriptionText",
            "item/j:ChargeStatute/j:StatuteDescriptionText",
            "item/j:ChargeStatute/j:StatuteText",
            "item/~j:OffenseChargeAssociation/j:Offense/nc:ActivityDescriptionText",
        ),
        SHORT,
        domestic=True,
        note="sealed: it may name a person or a place",
    ),
)
"""Rows of one charge."""

INDICATORS = (
    "document//j:OffenseDomesticViolenceIndicator",
    "document//j:ChargeDomesticViolenceIndicator",
    "document//j:CaseDomesticViolenceIndicator",
    "document//ndex:OffenseDomesticViolenceIndicator",
    "document//ojbc-ext:OffenseDomesticViolenceIndicator",
    "document//ojbc-ext:ChargeDomesticViolenceIndicator",
    "document//ojbc-ext:IncidentDomesticViolenceIndicator",
    "document//ojbc-ext:DomesticViolenceIndicator",
)
"""The indicators of NIEM's justice domain, of N-DEx and of OJBC's extensions."""
