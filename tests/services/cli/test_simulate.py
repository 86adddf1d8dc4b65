"""`ccr simulate`: an invented county on a backbone of its own, on a running service, or as files."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from ccr_events.agencies import Agency
from ccr_events.envelope import read_structured
from ccr_events.policy import load_policies
from services.adapters.csv.loading import load_mapping
from services.adapters.csv.reading import MappedRow, open_table
from services.cli.main import run
from services.cli.refused import Refused
from services.cli.simulate import _speed
from services.cli.simulated_county import simulated
from services.cli.simulated_files import flat
from services.cli.simulated_live import ends_before, lived, service_at
from services.embedded import Settings, open_backbone
from services.portal.app import create_app
from services.portal.server import served
from services.simulator import County, reports

SMALL = County(population=60_000, days=2, tail_days=1)


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    form: dict[str, Any] = orjson.loads(capsys.readouterr().out.splitlines()[-1])
    return form


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.cli.simulated_live.SETTLE_S", 0.4)


def nobody(_: datetime) -> None: ...


def sent_by(county: County, seed: int) -> Counter[str]:
    return Counter(report.agency for report in reports(county, seed))


def test_it_runs_on_a_backbone_of_its_own_and_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "county"
    arguments = ["--population", "40000", "--days", "3", "--data", str(data), "--json"]
    assert run(["simulate", *arguments]) == 0
    form = said(capsys)
    county = County(population=40_000, days=3)
    ids = [report.event.id for report in reports(county, 1)]
    assert form["events_sent"] == len(ids)
    assert form["accepted"] == len(set(ids))
    assert form["duplicates"] == len(ids) - len(set(ids))
    assert form["refused"] == 0
    assert form["links_opened"] >= form["satisfied"] > 0
    assert form["acknowledged_in_time"] > 0
    assert (data / "keys.db").exists()


async def test_deadlines_pass_in_simulated_time_and_unanswered_links_escalate(tmp_path: Path) -> None:
    silent = await simulated(SMALL, 3, tmp_path / "silent", answering=False, speed=None, passed=nobody)
    spoken = await simulated(SMALL, 3, tmp_path / "spoken", answering=True, speed=None, passed=nobody)
    assert silent.sound
    assert not silent.answers
    assert spoken.answers["acknowledge"] > 0
    assert silent.links["overdue"] > spoken.links["overdue"] > 0
    assert silent.links["escalated"] > spoken.links["escalated"]
    assert silent.receipts == spoken.receipts


async def test_the_same_seed_has_the_same_outcome_at_any_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCR_MASTER_KEY", b64encode(bytes(range(32))).decode())
    county = replace(SMALL, days=1)
    passed: list[datetime] = []
    at_most = await simulated(county, 3, tmp_path / "max", answering=True, speed=None, passed=nobody)
    fast = await simulated(county, 3, tmp_path / "fast", answering=True, speed=200_000, passed=passed.append)
    assert at_most.links == fast.links
    assert at_most.answers == fast.answers
    assert passed == sorted(passed)
    assert passed[-1] == county.start + timedelta(days=2)


async def test_what_is_made_to_be_refused_is_refused_and_nothing_else(tmp_path: Path) -> None:
    county = replace(SMALL, days=2, tail_days=0, broken=0.3)
    tally = await simulated(county, 2, tmp_path / "data", answering=False, speed=None, passed=nobody)
    assert tally.broken == sum(report.broken for report in reports(county, 2)) > 5
    assert tally.sound


async def test_a_running_service_takes_a_past_county_and_only_invented_links_are_answered(tmp_path: Path) -> None:
    county = replace(SMALL, start=ends_before(datetime.now(UTC), SMALL))
    async with (
        open_backbone(Settings(data=tmp_path)) as backbone,
        served(create_app(backbone)) as (url, _),
    ):
        keys = {agency.value: await backbone.issue_key(agency, "test") for agency in Agency}
        tally = await lived(county, 5, url, keys, load_policies(), answering=True, speed=None, passed=nobody)
        assert tally.sound
        assert tally.receipts["accepted"] == len({report.event.id for report in reports(county, 5)})
        assert tally.links["opened"] > 0
        assert tally.answers["acknowledge"] > 0


async def test_compressed_time_on_a_running_service_sends_nothing_from_the_future(tmp_path: Path) -> None:
    county = replace(SMALL, days=1, tail_days=0, population=20_000, start=datetime.now(UTC))
    async with (
        open_backbone(Settings(data=tmp_path)) as backbone,
        served(create_app(backbone)) as (url, _),
    ):
        keys = {agency.value: await backbone.issue_key(agency, "test") for agency in Agency}
        tally = await lived(county, 1, url, keys, load_policies(), answering=True, speed=100_000, passed=nobody)
        assert tally.sound
        assert tally.sent > 0
        times = [orjson.loads(record.body)["time"] for record in await backbone.log.read(0)]
    assert max(times) <= datetime.now(UTC).isoformat()


def test_nothing_goes_to_a_running_service_unless_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").write_text("somebody's data")
    assert run(["simulate", "--days", "1", "--data", str(tmp_path)]) == 1
    assert "not an empty directory" in capsys.readouterr().err


def test_live_needs_a_service_and_keeps_its_keys_to_it(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no backbone runs"):
        service_at(tmp_path, None)
    (tmp_path / "server.json").write_bytes(orjson.dumps({"url": "http://127.0.0.1:1", "pid": 1}))
    assert service_at(tmp_path, None) == "http://127.0.0.1:1"
    with pytest.raises(Refused, match="keys in"):
        service_at(tmp_path, "http://192.0.2.1")


def test_lines_hold_every_event_in_the_order_in_which_it_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "out"
    assert run(["simulate", "--days", "3", "--seed", "4", "--jsonl", str(where), "--json"]) == 0
    county = County(days=3)
    assert said(capsys)["agencies"] == dict(sorted(sent_by(county, 4).items()))
    lines = (where / "le.jsonl").read_bytes().splitlines()
    events = [read_structured(line) for line in lines]
    assert events == [report.event for report in reports(county, 4) if report.agency == "le"]


def test_tables_are_read_back_by_their_mapping_as_the_same_events(tmp_path: Path) -> None:
    where = tmp_path / "out"
    assert run(["simulate", "--days", "20", "--seed", "4", "--csv", str(where), "--json"]) == 0
    county = County(days=20)
    for agency in sent_by(county, 4):
        with open_table(where / f"{agency}.csv", load_mapping(where / f"{agency}.mapping.yaml")) as table:
            rows = list(table.rows())
        sent = [report.event for report in reports(county, 4) if report.agency == agency]
        assert len(rows) == len(sent)
        for row, event in zip(rows, sent, strict=True):
            assert isinstance(row, MappedRow), row
            read = row.event
            assert (read.id, read.type, read.occurred_at) == (event.id, event.type, event.occurred_at)
            assert read.corrects == event.corrects
            assert read.data == event.data


def test_files_go_only_into_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    for option in ("--csv", "--jsonl"):
        assert run(["simulate", "--days", "1", option, str(tmp_path)]) == 1
        assert "not an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--profile", "perfect"],
        ["--speed", "fast"],
        ["--speed", "0x"],
        ["--url", "http://127.0.0.1:1"],
        ["--csv", "a", "--jsonl", "b"],
    ],
)
def test_wrong_usage_is_told_as_such(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", *arguments]) == 2
    assert capsys.readouterr().err


def test_speeds_are_given_in_words_or_as_so_many_times() -> None:
    assert (_speed("max"), _speed("real"), _speed("60x"), _speed("2.5")) == (None, 1.0, 60.0, 2.5)


def test_data_laid_flat_names_every_field_by_its_path() -> None:
    data = {"a": [{"b": True, "c": 3}], "d": {"e": "x"}, "f": ["y", "z"]}
    assert dict(flat(data)) == {"a[0].b": "yes", "a[0].c": "3", "d.e": "x", "f[0]": "y", "f[1]": "z"}
