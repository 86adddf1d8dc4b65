"""Text to values: times, codes, addresses, the domestic-violence flag."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from ccr_events.codes.nibrs import Offense
from ccr_events.payload import YesNoUnknown
from services.adapters.niem.catalogue import DOCUMENTS
from services.adapters.niem.conversions import (
    BAIL_STATUS,
    CENTS,
    CODE,
    CONVERSIONS,
    HEARING,
    LEVEL,
    NIBRS,
    PCO,
    RELATIONSHIP,
    RELEASE,
    SCREENING,
    Conversion,
)
from services.adapters.niem.domestic import DomesticCharges, domestic, domestic_charges
from services.adapters.niem.namespaces import prefix_of
from services.adapters.niem.people import split_full_name
from services.adapters.niem.times import calendar_date, moment
from tests.support.niem import RELEASES

ZONE = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("text", "at", "assumed"),
    [
        ("2026-02-03T21:30:00-06:00", "2026-02-04T03:30:00+00:00", ""),
        ("2001-12-17T09:30:47Z", "2001-12-17T09:30:47+00:00", ""),
        ("2012-12-17T09:30:47.0Z", "2012-12-17T09:30:47+00:00", ""),
        ("2026-02-03T21:30:00.123456789Z", "2026-02-03T21:30:00.123456+00:00", ""),
        ("2006-05-04T18:13:51.0", "2006-05-04T23:13:51+00:00", "offset"),
        ("2024-08-01", "2024-08-01T05:00:00+00:00", "time of day"),
        ("2024-02-01", "2024-02-01T06:00:00+00:00", "time of day"),
        ("8/1/2024", "2024-08-01T05:00:00+00:00", "time of day"),
        ("2024-08-01-05:00", "2024-08-01T05:00:00+00:00", "time of day"),
    ],
)
def test_times(text: str, at: str, assumed: str) -> None:
    found = moment(text, ZONE)
    assert found is not None
    assert found.at.isoformat() == at
    assert assumed in found.assumed
    assert bool(found.assumed) is bool(assumed)


@pytest.mark.parametrize(
    "text",
    ["", "Tuesday", "2024-13-01", "13/45/2024", "0001-01-01", "1899-12-31", "2026-02-03T25:00:00Z", "2400-01-01", "20"],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text, ZONE) is None


def test_dates() -> None:
    assert calendar_date("1988-03-04") == date(1988, 3, 4)
    assert calendar_date("1988-03-04T00:00:00") is None
    assert calendar_date("1988-02-30") is None


@pytest.mark.parametrize(
    ("conversion", "text", "value"),
    [
        (NIBRS, "13a", "13A"),
        (NIBRS, "AGGRAVATED_ASSAULT", "13A"),
        (NIBRS, "Aggravated Assault_family_gun", "13A"),
        (NIBRS, "Violation of a Court Order", "90Z"),
        (NIBRS, "DRIVING_UNDER_INFLUENCE", None),
        (RELATIONSHIP, "Family Member_Spouse", "SE"),
        (RELATIONSHIP, "Family Member_Spouse_Common Law", "CS"),
        (RELATIONSHIP, "Ex_Spouse", "XS"),
        (RELATIONSHIP, "bg", "BG"),
        (RELATIONSHIP, "Family Member_Aunt", "OF"),
        (RELATIONSHIP, "nobody", None),
        (LEVEL, "F1", "F"),
        (LEVEL, "felony", "F"),
        (LEVEL, "Gross Misdemeanor", "GM"),
        (LEVEL, "3", None),
        (PCO, "5", "05"),
        (PCO, "09", "09"),
        (PCO, "10", None),
        (RELEASE, "Bond posted, surety", "bail"),
        (RELEASE, "ROR", "ror"),
        (RELEASE, "No Probable Cause", "charges_declined"),
        (RELEASE, "whatever", "other"),
        (HEARING, "First Appearance (jail)", "first_appearance"),
        (HEARING, "701 Hearing", "release_review"),
        (HEARING, "industrial action", "other"),
        (BAIL_STATUS, "Revoked by court", "revoked"),
        (BAIL_STATUS, "?", None),
        (SCREENING, "Refused - 892", "refused"),
        (SCREENING, "accepted", "accepted"),
        (CENTS, "$1,250.50", 125050),
        (CENTS, "-1", None),
        (CENTS, "NaN", None),
        (CENTS, "1e30", None),
        (CODE, "(§)", None),
        (CODE, "14:35.3(B)", "14:35.3-B"),
        (CODE, "x" * 65, None),
    ],
)
def test_conversions(conversion: Conversion, text: str, value: object) -> None:
    found = conversion.convert(text, ZONE)
    assert (None if found is None else found.value) == value


def test_every_nibrs_code_is_its_own_word() -> None:
    for code in Offense:
        found = NIBRS.convert(code.value, ZONE)
        assert found is not None
        assert found.value == code.value


def test_every_conversion_that_a_table_names_is_documented() -> None:
    used = {
        row.convert.name
        for document in DOCUMENTS
        for table in document.events
        for row in (*table.rows, *(row for items in table.items for row in items.rows))
    }
    assert used <= {conversion.name for conversion in CONVERSIONS}
    assert len({conversion.name for conversion in CONVERSIONS}) == len(CONVERSIONS)


@pytest.mark.parametrize(
    ("indicators", "charges", "flag", "doubted"),
    [
        ([], [], YesNoUnknown.UNKNOWN, False),
        ([True], [], YesNoUnknown.YES, False),
        ([False], [], YesNoUnknown.NO, False),
        ([False, True], [], YesNoUnknown.YES, False),
        ([], ["13A", "Simple battery"], YesNoUnknown.UNKNOWN, False),
        ([], ["14:35.3"], YesNoUnknown.YES, False),
        ([], ["RS 14:35.3(B)"], YesNoUnknown.YES, False),
        ([], ["14:35.31"], YesNoUnknown.UNKNOWN, False),
        ([], ["DOMESTIC ABUSE-BATTERY"], YesNoUnknown.YES, False),
        ([], ["domesticated animals"], YesNoUnknown.UNKNOWN, False),
        ([False], ["609.2242"], YesNoUnknown.YES, True),
    ],
)
def test_domestic_violence_is_said_or_unknown(
    indicators: list[bool], charges: list[str], flag: YesNoUnknown, doubted: bool
) -> None:
    found, doubt = domestic(indicators, charges, domestic_charges())
    assert found is flag
    assert (doubt is not None) is doubted


def test_local_policy_replaces_the_table_of_charges() -> None:
    own = DomesticCharges(statutes=("99.1",), phrases=())
    assert domestic([], ["99.1"], own)[0] is YesNoUnknown.YES
    assert domestic([], ["14:35.3"], own)[0] is YesNoUnknown.UNKNOWN


@pytest.mark.parametrize("release", RELEASES)
def test_namespaces_of_every_release_are_known(release: str) -> None:
    for prefix, uri in RELEASES[release].items():
        assert prefix_of(uri) == prefix
        assert prefix_of(uri.rstrip("/")) == prefix


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://example.org/niem/niem-core/5.0/",
        "http://release.niem.gov.example.org/niem/niem-core/5.0/",
        "http://release.niem.gov/niem/niem-core/5.0/x",
        "n" * 1000,
    ],
)
def test_other_namespaces_are_nobodys(uri: str) -> None:
    assert prefix_of(uri) == ""


def test_full_names() -> None:
    assert split_full_name("Testperson, Ann Marie") == {"surname": "Testperson", "given": "Ann", "middle": "Marie"}
    assert split_full_name("Ann Testperson") == {"surname": "Ann Testperson"}
    assert split_full_name(",") == {"surname": ","}
