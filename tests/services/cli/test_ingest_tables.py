"""`ccr ingest` of tables: what is published, corrected, looked at, kept beside, and what is never shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.cli import import_targets
from services.cli.main import run
from services.engine.ports import FieldProblem, Receipt
from tests.support.tables import BOOKINGS, GOOD, HEADER, PLANTED


@dataclass
class Backbone:
    """Stands in for the service: one log by id, conflicts and all."""

    log: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerting: dict[str, bool] = field(default_factory=dict)
    refuse: Callable[[dict[str, Any]], Receipt | None] = lambda _: None
    discarded: list[str] = field(default_factory=list)

    def __enter__(self) -> Backbone:
        return self

    def __exit__(self, *_: object) -> None: ...

    def publish_forms(self, forms: Sequence[dict[str, Any]], *, alerting: bool, at_once: int) -> list[Receipt]:
        return [self._taken(form, alerting=alerting) for form in forms]

    def discard(self, quarantine_id: str) -> None:
        self.discarded.append(quarantine_id)

    def _taken(self, form: dict[str, Any], *, alerting: bool) -> Receipt:
        event_id = form["id"]
        refused = self.refuse(form)
        if refused is not None:
            return replace(refused, event_id=event_id)
        known = self.log.setdefault(event_id, form)
        if known != form:
            return Receipt(event_id, "conflict", quarantine_id=f"q-{event_id}", title="taken")
        if event_id in self.alerting:
            return Receipt(event_id, "duplicate", "case-1", 1)
        self.alerting[event_id] = alerting
        return Receipt(event_id, "accepted", "case-1", 1)


@pytest.fixture
def backbone(monkeypatch: pytest.MonkeyPatch) -> Backbone:
    backbone = Backbone()
    monkeypatch.setattr(import_targets, "connect", lambda *_: backbone)
    return backbone


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "bookings.yaml").write_text(BOOKINGS)
    return tmp_path


def ingest(
    place: Path, content: str, capsys: pytest.CaptureFixture[str], *more: str, status: int = 0
) -> dict[str, Any]:
    (place / "export.csv").write_text(content)
    arguments = ["ingest", str(place / "export.csv"), "--mapping", str(place / "bookings.yaml"), *more, "--json"]
    assert run(arguments) == status
    told = capsys.readouterr()
    assert PLANTED not in told.out + told.err
    found: dict[str, Any] = orjson.loads(told.out.splitlines()[-1])
    return found


def test_an_export_taken_in_twice_publishes_once_and_a_changed_row_corrects(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = GOOD.replace("26-0001", "26-0002")
    assert ingest(place, HEADER + GOOD, capsys)["accepted"] == 1
    told = ingest(place, HEADER + GOOD + second, capsys)
    assert (told["accepted"], told["unchanged"]) == (1, 1)
    told = ingest(place, HEADER + GOOD.replace("PC", "WARR") + second, capsys)
    assert (told["accepted"], told["unchanged"]) == (1, 1)
    (first, _, third) = backbone.log.values()
    assert third["corrects"] == first["id"]
    assert third["data"]["hold_reason"] == "warrant"
    assert set(backbone.alerting.values()) == {True}


def test_without_the_ledger_an_unchanged_row_is_a_duplicate_and_a_changed_one_a_correction(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ingest(place, HEADER + GOOD, capsys)
    (place / "bookings.yaml.rows").unlink()
    told = ingest(place, HEADER + GOOD, capsys)
    assert (told["duplicate"], told["faults"]) == (1, [])
    (place / "bookings.yaml.rows").unlink()
    told = ingest(place, HEADER + GOOD.replace("PC", "WARR"), capsys)
    assert (told["accepted"], told["faults"]) == (1, [])
    first, second = backbone.log.values()
    assert second["corrects"] == first["id"]
    assert backbone.discarded == [f"q-{first['id']}"]
    assert ingest(place, HEADER + GOOD.replace("PC", "WARR"), capsys)["unchanged"] == 1


def test_backfilled_rows_alert_nobody(backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(place, HEADER + GOOD, capsys, "--backfill")["live"] == 0
    assert set(backbone.alerting.values()) == {False}


def test_bad_rows_are_named_kept_beside_and_the_rest_goes_on(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = GOOD.replace("26-0001", "26-0002").replace("PC", "Hearsay")
    told = ingest(place, HEADER + GOOD + bad, capsys, status=1)
    assert (told["accepted"], told["rejected"]) == (1, 1)
    assert told["faults"] == [
        {"file": "export.csv", "where": "row 3", "reason": "Hold: holds a word that its code table does not have"}
    ]
    rejects = place / "export.rejected.csv"
    assert rejects.stat().st_mode & 0o777 == 0o600
    repaired = rejects.read_text("utf-8-sig").replace("Hearsay", "PC")
    assert ingest(place, repaired, capsys)["accepted"] == 1
    assert not rejects.exists()


def test_two_rows_with_one_key_are_not_taken_for_versions_of_each_other(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ingest(place, HEADER + GOOD + GOOD.replace("PC", "WARR"), capsys, status=1)
    assert told["accepted"] == 1
    assert "name more columns in `key`" in told["faults"][0]["reason"]


def test_what_the_backbone_refuses_is_told_and_tried_again_the_next_time(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backbone.refuse = lambda _: Receipt(
        "", "quarantined", None, None, "q-1", "no", (FieldProblem("/data/dv", "must be"),)
    )
    told = ingest(place, HEADER + GOOD, capsys, status=1)
    assert told["quarantined"] == 1
    assert told["faults"][0]["reason"] == "jail.booked quarantined (quarantine q-1): no: /data/dv must be"
    backbone.refuse = lambda _: None
    assert ingest(place, HEADER + GOOD, capsys)["accepted"] == 1


def test_a_check_sends_nothing_writes_nothing_and_judges_as_the_door_does(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    future = GOOD.replace("26-0001", "26-0002").replace("02/03/2026", "02/03/2199")
    told = ingest(place, HEADER + GOOD + future + GOOD.replace("PC", "?"), capsys, "--check", status=1)
    assert (told["accepted"], told["quarantined"], told["rejected"]) == (1, 1, 1)
    assert "is in the future" in str(told["faults"])
    assert not backbone.log
    assert sorted(path.name for path in place.iterdir()) == ["bookings.yaml", "export.csv"]


def test_words_without_a_code_are_shown_only_on_request(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "export.csv").write_text(HEADER + GOOD.replace("PC", "Hearsay"))
    command = ["ingest", str(place / "export.csv"), "--mapping", str(place / "bookings.yaml"), "--check"]
    run(command)
    assert "Hearsay" not in capsys.readouterr().out
    run([*command, "--words"])
    assert "Hearsay" in capsys.readouterr().out


def test_ambiguous_hours_and_guesses_are_told(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ingest(place, HEADER + GOOD.replace("02/03/2026 22:15", "11/02/2025 01:30"), capsys)
    (note,) = told["notes"]
    assert (note["column"], note["cells"]) == ("Booked", 1)
    assert "the earlier one is taken" in note["note"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export.csv"], "ccr csv init"),
        (["none.csv", "--mapping", "bookings.yaml"], "there is no file"),
        (["export.csv", "--mapping", "none.yaml"], "there is no mapping"),
        (["export.csv", "--mapping", "broken.yaml"], "broken.yaml:1:1"),
    ],
)
def test_what_cannot_begin_is_refused_before_anything_is_sent(
    backbone: Backbone,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(place)
    (place / "export.csv").write_text(HEADER + GOOD)
    (place / "broken.yaml").write_text("mapping: X Y\n")
    assert run(["ingest", *arguments]) == 1
    assert told in " ".join(capsys.readouterr().err.split())
    assert not backbone.log


def test_a_table_whose_mapping_lies_beside_it_needs_no_option(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "bookings.yaml").rename(place / "export.mapping.yaml")
    (place / "export.csv").write_text(HEADER + GOOD)
    assert run(["ingest", str(place / "export.csv")]) == 0
    assert len(backbone.log) == 1


def test_a_table_that_is_not_the_mapping_s_is_refused_without_quoting_it(
    backbone: Backbone, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ingest(place, GOOD, capsys, status=1)
    assert "has no column Booking No" in told["faults"][0]["reason"]


def test_a_mapping_is_drafted_from_a_header(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "export.csv").write_text(HEADER + GOOD)
    assert run(["csv", "init", str(place / "export.csv"), "--type", "jail.booked"]) == 0
    told = capsys.readouterr().out
    assert "parties[0].name.surname: Last Name" in told
    assert PLANTED not in told
    out = place / "draft.yaml"
    assert run(["csv", "init", str(place / "export.csv"), "--type", "jail.booked", "--out", str(out)]) == 0
    assert out.read_text() == told
    assert run(["csv", "init", str(place / "export.csv"), "--type", "jail.boked"]) == 1
    assert "did you mean" in capsys.readouterr().err
