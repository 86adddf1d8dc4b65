"""What an invented county's agencies send: the same for the same seed, in order, and true to the contract."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from itertools import islice, pairwise

import orjson
import pytest

from ccr_events.catalogue import event_types
from ccr_events.envelope import write_structured
from ccr_events.validation import validate
from services.simulator import County, Profile, Report, reports

YEAR = County(days=120, tail_days=500)
BUSY = County(population=2_000_000, days=math.inf)
GOLDEN = "0c511bb2dcee34811346d12f02c5ced696bb529bd914ae04615ec23fba1ec579"


def as_bytes(report: Report) -> bytes:
    return orjson.dumps([report.at, report.agency, write_structured(report.event)], option=orjson.OPT_SORT_KEYS)


def digest(county: County, seed: int, count: int) -> str:
    found = sha256()
    for report in islice(reports(county, seed), count):
        found.update(as_bytes(report))
    return found.hexdigest()


@pytest.fixture(scope="module")
def sent() -> list[Report]:
    return list(reports(YEAR, 11))


def test_the_same_seed_sends_the_same_bytes() -> None:
    assert digest(BUSY, 3, 4_000) == digest(BUSY, 3, 4_000)


def test_another_seed_sends_other_people_and_numbers() -> None:
    mine, other = (
        {r["number"] for report in islice(reports(BUSY, seed), 2_000) for r in report.event.data["references"]}
        for seed in (3, 4)
    )
    assert not mine & other


def test_reports_come_in_the_order_in_which_they_are_sent_and_never_before_the_act(sent: list[Report]) -> None:
    assert all(one.at <= following.at for one, following in pairwise(sent))
    assert all(report.at >= report.event.occurred_at for report in sent)


def test_every_report_fits_the_contract_and_its_sender_may_send_it(sent: list[Report]) -> None:
    types = event_types()
    for report in sent:
        validate(report.event.type, report.event.schema_version, report.event.data)
        assert report.agency in {agency.value for agency in types[report.event.type].publishers}


def test_an_event_id_sent_twice_says_the_same_twice(sent: list[Report]) -> None:
    by_id: dict[str, bytes] = {}
    again = 0
    for report in sent:
        said = orjson.dumps(write_structured(report.event))
        again += report.event.id in by_id
        assert by_id.setdefault(report.event.id, said) == said
    assert again > 0


def test_a_correction_names_an_event_of_the_same_agency_and_type(sent: list[Report]) -> None:
    first = {report.event.id: report for report in sent}
    corrections = [report for report in sent if report.event.corrects is not None]
    assert corrections
    for report in corrections:
        corrected = first[str(report.event.corrects)]
        assert corrected.agency == report.agency
        assert report.event.type in (corrected.event.type, "event.retracted")


def test_it_ends_when_it_is_told_to(sent: list[Report]) -> None:
    calls = [report for report in sent if report.event.type == "call.received"]
    assert (calls[-1].event.occurred_at - YEAR.start).days < 120
    assert (sent[-1].at - YEAR.start).days < 620


def test_a_strained_county_is_later_and_makes_more_faults_than_a_calm_one() -> None:
    def of(name: str) -> tuple[float, int]:
        found = list(reports(replace(YEAR, profile=Profile.named(name)), 11))
        lags = sorted((report.at - report.event.occurred_at).total_seconds() for report in found)
        kinds = Counter(report.event.corrects is not None for report in found)
        return lags[len(lags) // 2], kinds[True]

    (calm_s, calm_corrections), (strained_s, strained_corrections) = of("calm"), of("strained")
    assert strained_s > 2 * calm_s
    assert strained_corrections > 2 * calm_corrections


def test_the_bytes_of_a_seed_are_known() -> None:
    """The golden digest: it may change with what the simulator tells, never with Python, machine or hash seed."""
    assert digest(BUSY, 1, 5_000) == GOLDEN


def test_what_is_made_to_be_refused_is_said_to_be(sent: list[Report]) -> None:
    assert not any(report.broken for report in sent)
    broken = [report for report in islice(reports(replace(BUSY, broken=0.1), 1), 2_000) if report.broken]
    assert 100 < len(broken) < 300
    assert len({report.event.id for report in broken}) == len(broken)


@pytest.mark.parametrize(
    "settings", [{"population": 0}, {"days": 0}, {"days": math.nan}, {"tail_days": -1}, {"broken": 2}]
)
def test_a_county_that_cannot_be_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be|needs people|from 0 to 1"):
        County(**settings)
