"""Court order: published when a clerk dockets it. What kind it is stands in the clerk's document type only.

An order that restrains or releases somebody is published as what it is, since other agencies' duties hang on it; any
other as `court.order_entered`. The phrases that tell are a proposal, as every clerk has a list of their own [P].
"""

from __future__ import annotations

from ccr_events.agencies import Agency
from ccr_events.codes.courts import CourtOrderKind
from ccr_events.payload import PartyRole
from services.adapters.niem.charges import INDICATORS
from services.adapters.niem.conversions import CODE, LONG, ORDER, PCO, TIME
from services.adapters.niem.jtmp.numbers import docket, incident, order
from services.adapters.niem.table import Condition, DocumentTable, EventTable, Family, Paths, People, Row

_CASE = "order/nola-ext:CourtOrderAugmentation/nc:Case"
_DOCUMENT = "order/nola-ext:CourtOrderAugmentation/nc:Document"
_KIND: Paths = (
    f"{_DOCUMENT}/nc:DocumentCategoryText",
    "order/nc:ActivityCategoryText",
    "order/nc:ActivityDescriptionText",
    "order/j:CourtOrderDescriptionText",
)
_ANCHOR: Paths = ("document/j:CourtOrder", "document/j:ProtectionOrder")
_OCCURRED: Paths = (
    "order/j:CourtOrderIssuingDate/nc:DateTime",
    "order/j:CourtOrderIssuingDate/nc:Date",
    "order/nc:ActivityDate/nc:DateTime",
    "order/nc:ActivityDate/nc:Date",
    f"{_DOCUMENT}/nc:DocumentFiledDate/nc:DateTime",
    f"{_DOCUMENT}/nc:DocumentFiledDate/nc:Date",
)
_NUMBERS = (
    order("order/nc:ActivityIdentification/nc:IdentificationID"),
    docket(f"{_CASE}/nc:CaseDocketID", "order/nc:CourtCase/nc:CaseDocketID"),
    incident("order/nc:Incident/nc:ActivityIdentification/nc:IdentificationID"),
)
_SUBJECTS: Paths = ("order/j:CourtOrderDesignatedSubject/nc:RoleOfPerson",)
_PROTECTED = (
    People(PartyRole.VICTIM, ("order/j:ProtectionOrderRestrictedPerson",)),
    People(PartyRole.VICTIM, ("order/j:ProtectionOrderProtectedPerson",)),
)
_EFFECTIVE = Row(
    "effective_at",
    (
        "order/j:CourtOrderEffectiveDate/nc:DateTime",
        "order/j:CourtOrderEffectiveDate/nc:Date",
        f"{_DOCUMENT}/nc:DocumentEffectiveDate/nc:DateTime",
        f"{_DOCUMENT}/nc:DocumentEffectiveDate/nc:Date",
    ),
    TIME,
)
_FULL_TEXT = Row(
    "full_text",
    (
        "order/j:ProtectionOrderConditionText",
        "order/nc:ActivityDescriptionText",
        f"{_DOCUMENT}/nc:DocumentDispositionInstructionText",
        f"{_DOCUMENT}/nc:DocumentDescriptionText",
    ),
    LONG,
    note="sealed; the attached document stays in the sealed source",
)
_WORDS = Row(
    "charge_words",
    (*_KIND, f"{_CASE}/nc:CaseGeneralCategoryText"),
    many=True,
    domestic=True,
    note="no field: read for the domestic-violence flag only",
)
_CONDITION_ROWS = (
    _WORDS,
    Row(
        "pco",
        ("order/j:ProtectionOrderConditionCode", "order/ncic:ProtectionOrderConditionCode"),
        PCO,
        many=True,
    ),
    _EFFECTIVE,
    Row(
        "expires_at",
        ("order/j:CourtOrderExpirationDate/nc:DateTime", "order/j:CourtOrderExpirationDate/nc:Date"),
        TIME,
    ),
    _FULL_TEXT,
)


def _is(*kinds: CourtOrderKind, negated: bool = False) -> Condition:
    words = " or ".join(kind.value for kind in kinds)
    says = f"the document type tells {'neither ' if negated else ''}{words}"
    return Condition(says, _KIND, ORDER, frozenset(kind.value for kind in kinds), negated)


NO_CONTACT = EventTable(
    type="nco.issued",
    anchor="order",
    anchor_paths=_ANCHOR,
    occurred_at=_OCCURRED,
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    rows=_CONDITION_ROWS,
    people=_PROTECTED,
    indicators=INDICATORS,
    conditions=(_is(CourtOrderKind.NO_CONTACT),),
)

RELEASE_CONDITIONS = EventTable(
    type="release.conditions_set",
    anchor="order",
    anchor_paths=_ANCHOR,
    occurred_at=_OCCURRED,
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    rows=(
        *_CONDITION_ROWS,
        Row("written_order_ref", ("order/nc:ActivityIdentification/nc:IdentificationID",), CODE),
    ),
    people=_PROTECTED,
    indicators=INDICATORS,
    conditions=(_is(CourtOrderKind.RELEASE_CONDITIONS),),
)

OTHER = EventTable(
    type="court.order_entered",
    anchor="order",
    anchor_paths=_ANCHOR,
    occurred_at=_OCCURRED,
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    rows=(
        _WORDS,
        Row("kind", _KIND, ORDER),
        _EFFECTIVE,
        Row("title", _KIND, note="sealed"),
        _FULL_TEXT,
    ),
    people=_PROTECTED,
    indicators=INDICATORS,
    conditions=(_is(CourtOrderKind.NO_CONTACT, CourtOrderKind.RELEASE_CONDITIONS, negated=True),),
)

DOCUMENT = DocumentTable(
    family=Family.JTMP,
    root="nola:CourtOrderExchange",
    title="Court order",
    agency=Agency.CRIM,
    events=(NO_CONTACT, RELEASE_CONDITIONS, OTHER),
    operation=_ANCHOR,
)
