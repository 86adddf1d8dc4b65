"""`ccr import`: history wakes nobody, what is live does; killed, it goes on where it was confirmed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from ccr_events.agencies import Agency
from ccr_events.envelope import Event, write_structured
from services.cli.import_progress import Progress
from services.cli.import_run import Asked, ship_all
from services.cli.import_trial import trial
from services.cli.local import read_local_keys
from services.cli.main import run
from services.embedded import Backbone
from services.engine.ports import Alertable
from services.sealing.master_key import ENVIRONMENT
from services.simulator import County, reports
from tests.support.doors import an_event, party
from tests.support.running import PATIENCE_S, Running, running
from tests.support.tables import BOOKINGS

PLANTED = "Testperson-Planted"
NOW = datetime.now(UTC)
HISTORY = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a service that runs."""
    place = tmp_path_factory.mktemp("service")
    with running(place / "errors", "up", "--data", str(place / "data"), "--port", "0", "--json") as up:
        up.line()
        yield place / "data"
        assert up.stop(signal.SIGTERM) == 0
        assert "Traceback" not in up.told


def arrest(number: int, at: datetime, **data: Any) -> Event:
    event = an_event(
        number,
        refs=(("incident_no", f"26-{number:05}"),),
        parties=(party("victim", "Vera", PLANTED),),
        dv="yes",
        **data,
    )
    return Event(**{**{name: getattr(event, name) for name in event.__slots__}, "occurred_at": at})


def lines(path: Path, *events: Event) -> Path:
    path.write_bytes(b"".join(orjson.dumps(write_structured(event)) + b"\n" for event in events))
    return path


def imported(
    capsys: pytest.CaptureFixture[str], file: Path, data: Path, *more: str, status: int = 0, state: Path | None = None
) -> dict[str, Any]:
    at = state or file.with_suffix(".state")
    assert run(["import", str(file), "--data", str(data), "--state", str(at), *more, "--json"]) == status
    told = capsys.readouterr()
    assert PLANTED not in told.out + told.err
    found: dict[str, Any] = orjson.loads(told.out.splitlines()[-1])
    return found


async def outbox(backbone: Backbone) -> list[Alertable]:
    last, found = await backbone.alerts.last_seq(), list[Alertable]()
    async for page in backbone.alerts.follow(0):
        found += page
        if found[-1].seq >= last:
            break
    return found


async def fired(backbone: Backbone) -> None:
    """Wait until the timer has fired every deadline that is past."""
    async with asyncio.timeout(PATIENCE_S):
        while (at := await backbone.next_deadline()) is not None and at <= datetime.now(UTC):
            await asyncio.sleep(0.01)


def test_history_alerts_nobody_what_is_live_does_and_what_is_still_due_keeps_its_deadline(tmp_path: Path) -> None:
    events = arrest(1, HISTORY), arrest(2, NOW - timedelta(minutes=6)), arrest(3, NOW - timedelta(minutes=1))
    file = lines(tmp_path / "le.jsonl", *events)
    live_from = NOW - timedelta(minutes=5)
    asked = Asked([str(file)], None, None, "America/Chicago", live_from, tmp_path, None, None)
    progress = Progress(None, "")
    with trial() as thrown_away:
        ship_all(asked, progress, thrown_away, asked.is_live, quiet=True, keep=False)
        backbone = thrown_away.backbone
        thrown_away.runner.run(fired(backbone))
        told = thrown_away.runner.run(outbox(backbone))
        links = thrown_away.runner.run(backbone.links.links(limit=1_000))
    progress.close()
    by_trigger = {event.id: [link for link in links if link.trigger_id == event.id] for event in events}
    assert all(by_trigger.values())
    old, recent, live = ({link.id for link in by_trigger[event.id]} for event in events)
    assert {one.transition.link.id for one in told if one.alerting} == live
    kinds = {one.transition.kind.value for one in told if one.transition.link.id in old}
    assert {"opened", "overdue", "escalated"} <= kinds
    assert any(link.due_at is not None and link.due_at > NOW for link in links if link.id in recent)
    assert progress.tally.alerting == 1


def test_the_same_import_again_sends_nothing_and_another_live_point_is_refused(
    service: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines(tmp_path / "le.jsonl", arrest(11, HISTORY), arrest(12, HISTORY))
    first = imported(capsys, file, service)
    again = imported(capsys, file, service)
    assert again == first
    state = str(file.with_suffix(".state"))
    assert run(["import", str(file), "--data", str(service), "--state", state, "--live-from", "2026-01-01"]) == 1
    assert "name another file with --state" in " ".join(capsys.readouterr().err.split())
    other = imported(capsys, file, service, state=tmp_path / "other.state")
    assert (other["accepted"], other["duplicate"]) == (0, 2)


def test_a_file_that_is_another_one_by_now_is_read_from_its_beginning(
    service: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines(tmp_path / "le.jsonl", arrest(21, HISTORY))
    imported(capsys, file, service)
    lines(file, arrest(21, HISTORY), arrest(22, HISTORY))
    told = imported(capsys, file, service)
    assert (told["accepted"], told["duplicate"]) == (2, 1)


def test_what_is_wrong_is_told_by_line_and_the_rest_goes_on(
    service: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lines(tmp_path / "le.jsonl", arrest(31, HISTORY), arrest(32, HISTORY, charges=[{"nibrs": PLANTED}]))
    with file.open("ab") as more:
        more.write(b'{"broken\n7\n\n' + orjson.dumps({**write_structured(arrest(33, HISTORY)), "time": "then"}) + b"\n")
    told = imported(capsys, file, service, status=1)
    assert (told["accepted"], told["quarantined"], told["rejected"]) == (1, 2, 2)
    assert [(f["where"], f["reason"].partition(":")[0].partition(" (")[0]) for f in told["faults"]] == [
        ("line 3", "is not JSON"),
        ("line 4", "is no JSON object"),
        ("line 2", "arrest.made quarantined"),
        ("line 6", "arrest.made quarantined"),
    ]


def test_a_file_that_is_no_json_and_a_table_that_is_another_stop_no_other_file(
    service: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "history"
    place.mkdir()
    (place / "a.json").write_text("{broken")
    (place / "b.csv").write_text(f"Surname\n{PLANTED}\n")
    (place / "b.mapping.yaml").write_text(BOOKINGS)
    lines(place / "le.jsonl", arrest(61, HISTORY))
    told = imported(capsys, place, service, status=1, state=tmp_path / "state")
    assert (told["accepted"], told["rejected"]) == (1, 2)
    assert [fault["file"] for fault in told["faults"]] == ["a.json", "b.csv"]


def test_a_directory_of_documents_events_and_tables_goes_in_at_once(
    service: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "history"
    place.mkdir()
    for document in sorted(Path("services/demo/documents").glob("jtmp-*.xml")):
        (place / document.name).write_bytes(document.read_bytes())
    lines(place / "more.jsonl", arrest(41, HISTORY))
    (place / "one.json").write_bytes(orjson.dumps([write_structured(arrest(42, HISTORY))]))
    told = imported(capsys, place, service, "--agency", "le", status=1, state=tmp_path / "first.state")
    assert told["accepted"] > 2
    assert any("which le may not publish" in fault["reason"] for fault in told["faults"])
    told = imported(capsys, place, service, state=tmp_path / "second.state")
    assert told["rejected"] == told["quarantined"] if "quarantined" in told else told["rejected"] == 0
    assert {kind["agency"] for kind in told["types"]} == {"le", "jail", "pros", "crim"}


def killed_at(going: Running, state: Path, confirmed: int) -> bool:
    """Kill -9 once so many bytes are confirmed; False when it ended first."""
    while going.process.poll() is None:
        if state.exists():
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(state)) as connection:
                (offset,) = connection.execute("SELECT coalesce(sum(offset), 0) FROM files").fetchone()
                if offset >= confirmed:
                    going.process.kill()
                    going.process.communicate()
                    return True
        time.sleep(0.002)
    return False


def test_killed_at_any_instant_it_goes_on_without_loss_or_double(
    service: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, state, rows = tmp_path / "calls.csv", tmp_path / "import.state", 3_300
    table.write_text("No,At\n" + "".join(f"27-{n:06},2024-01-{1 + n % 28:02} 10:00\n" for n in range(rows)))
    (tmp_path / "calls.mapping.yaml").write_text(
        "mapping: calls\nagency: psap\ntimezone: America/Chicago\ntype: call.dispatched\nkey: 'No'\n"
        "occurred_at: {column: At}\nfields:\n  references[0].kind: {value: cad_no}\n  references[0].number: 'No'\n"
    )
    command = ["import", str(table), "--data", str(service), "--state", str(state), "--json"]
    with running(tmp_path / "going", *command) as going:
        assert killed_at(going, state, 1)
    told = imported(capsys, table, service, state=state)
    assert told["accepted"] + told["duplicate"] + told["unchanged"] == rows
    (tmp_path / "calls.mapping.yaml.rows").unlink()
    told = imported(capsys, table, service, state=tmp_path / "once more")
    assert (told["accepted"], told["duplicate"], told["cases"]) == (0, rows, rows)


def test_a_lost_backbone_ends_the_import_and_the_next_one_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], service: Path
) -> None:
    file = lines(tmp_path / "le.jsonl", arrest(51, HISTORY))
    nowhere = ["--url", "http://127.0.0.1:9", "--key", "ccr_0000000000000000_test"]
    assert run(["import", str(file), "--state", str(tmp_path / "s"), *nowhere]) == 1
    assert "nothing answers" in capsys.readouterr().err
    assert imported(capsys, file, service, state=tmp_path / "s")["accepted"] == 1


def test_a_dry_run_reports_what_would_become_of_it_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv(ENVIRONMENT, "not a key")
    (tmp_path / "tmp").mkdir()
    events = [arrest(n, HISTORY) for n in (1, 2)] + [arrest(3, NOW - timedelta(minutes=1))]
    file = lines(tmp_path / "le.jsonl", *events, arrest(4, HISTORY, charges="x"))
    told = imported(capsys, file, tmp_path / "none", "--dry-run", "--live-from", "2026-01-01T00:00:00Z", status=1)
    assert (told["accepted"], told["quarantined"], told["cases"], told["live"]) == (3, 1, 3, 1)
    assert told["links"]["opened"] >= 3
    assert told["links"]["overdue"] >= 2  # what passed long ago, too
    assert 0 < told["links"]["alerts"] < told["links"]["opened"]
    assert told["types"] == [{"agency": "le", "type": "arrest.made", "events": 4}]
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not file.with_suffix(".state").exists()
    assert os.environ[ENVIRONMENT] == "not a key"


def test_a_trial_s_data_are_private_and_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    with trial() as made:
        place = made.backbone.directory
        assert place.stat().st_mode & 0o777 == 0o700
        assert made.links() == {"alerts": 0}
    assert not place.exists()


def test_a_simulated_county_goes_in_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str], service: Path) -> None:
    place = tmp_path / "county"
    place.mkdir()
    sent: dict[str, list[Event]] = {}
    for report in islice(reports(County(days=30), 5), 200):
        sent.setdefault(report.agency, []).append(report.event)
    for agency, events in sent.items():
        lines(place / f"{agency}.jsonl", *events)
    told = imported(capsys, place, service, state=tmp_path / "state")
    assert told["accepted"] + told["duplicate"] == 200, told["faults"]
    assert {kind["agency"] for kind in told["types"]} == set(sent) <= {a.value for a in Agency}
    assert set(read_local_keys(service)) >= set(sent)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["none.jsonl"], 1, "there is no file none.jsonl"),
        (["x.doc"], 1, "is of no kind that is read"),
        (["x.csv"], 1, "there is no mapping x.mapping.yaml"),
        (["x.jsonl", "--live-from", "soon"], 2, "give a time"),
        (["x.jsonl", "--timezone", "Nowhere"], 1, "there is no time zone Nowhere"),
        (["empty"], 1, "holds no file of a kind that is read"),
    ],
)
def test_what_cannot_begin_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], status: int, told: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name in ("x.doc", "x.csv", "x.jsonl"):
        (tmp_path / name).write_text("{}\n")
    (tmp_path / "empty").mkdir()
    assert run(["import", *arguments]) == status
    assert told in " ".join(capsys.readouterr().err.replace("│", " ").split())
