"""Protection-order code lists of NCIC and what its Protection Order File demands at entry.

Sources: NIEM 3.1 `j:ProtectionOrderConditionCode`; the Wisconsin Department of Justice TIME system manual for the
mandatory fields.
"""

from __future__ import annotations

from enum import StrEnum


class ProtectionOrderCondition(StrEnum):
    """NCIC PCO: what an order forbids or grants. A code loses detail: orders carry their full text beside it."""

    NO_ASSAULT_THREAT_OR_STALKING = "01"  # of the protected person or the person's child
    NO_THREAT_TO_HOUSEHOLD = "02"
    EXCLUSIVE_RESIDENCE = "03"
    STAY_AWAY = "04"
    NO_COMMUNICATION = "05"
    SUBJECT_HAS_VISITATION = "06"  # or custody of the named children
    NO_FIREARM = "07"
    SEE_TEXT = "08"
    TEMPORARY_CUSTODY = "09"  # exclusive, of the protected person


class RegistryFile(StrEnum):
    """The file an order is entered in."""

    PROTECTION_ORDER_FILE = "POF"
    STATE_HOT_FILE = "hot_file"


class EntryField(StrEnum):
    """A field without which the Protection Order File refuses an entry."""

    COURT_ORI = "court_ori"
    COURT_CASE_NO = "court_case_no"
    ORDER_TYPE = "order_type"
    BEGIN_DATE = "begin_date"
    END_DATE = "end_date"
    RESPONDENT_NAME = "respondent_name"
    RESPONDENT_SEX = "respondent_sex"
    RESPONDENT_RACE = "respondent_race"
    RESPONDENT_BIRTH_DATE = "respondent_birth_date"
    RESPONDENT_HEIGHT = "respondent_height"
    RESPONDENT_WEIGHT = "respondent_weight"
    RESPONDENT_HAIR = "respondent_hair"
    PETITIONER_NAME = "petitioner_name"
    AGENCY_ORI = "agency_ori"
    AGENCY_CASE_NO = "agency_case_no"
