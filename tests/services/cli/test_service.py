"""A backbone run by `ccr up`, and the commands beside it, as a newcomer meets them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ccr_events.catalogue import event_type_named
from ccr_events.core.ids import derived
from services.cli.main import run
from services.cli.schema_words import example_of
from services.cli.service import _tell
from services.embedded import Settings
from tests.support.running import running

PLANTED = "Testperson-Planted"
PHONE = "555-0142"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """(data directory, address)."""
    place = tmp_path_factory.mktemp("service")
    with running(place / "errors", "up", "--data", str(place / "data"), "--port", "0", "--json") as up:
        yield place / "data", up.line()["url"]
        assert up.stop(signal.SIGTERM) == 0
        assert "Traceback" not in up.told


@pytest.fixture
def data(service: tuple[Path, str]) -> str:
    return str(service[0])


@pytest.fixture
def arrest(tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """An arrest, published; its receipt."""
    return published(event("arrest.made", tmp_path.name), tmp_path, data, capsys)


def event(type_: str, number: str, ago: timedelta = timedelta(0), **fields: Any) -> dict[str, Any]:
    """An event of a case of its own, with people in it."""
    example = example_of(event_type_named(type_), datetime.now(UTC) - ago)
    references = [{"kind": "incident_no", "number": number}]
    people = [{"role": "victim", "name": {"surname": PLANTED}, "phone": PHONE}]
    example["id"] = derived("test of ccr up", type_, number)
    return {**example, "data": {**example["data"], "references": references, "parties": people, **fields}}


def published(
    form: dict[str, Any], place: Path, data: str, capsys: pytest.CaptureFixture[str], status: int = 0
) -> dict[str, Any]:
    file = place / "event.json"
    file.write_bytes(orjson.dumps(form))
    answer = json_of(capsys, "publish", str(file), "--as", "le", "--data", data, status=status)
    (receipt,) = answer["receipts"]
    return receipt  # type: ignore[no-any-return]


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    """What a command says with --json: one line, last."""
    capsys.readouterr()
    assert run([*arguments, "--json"]) == status
    last = capsys.readouterr().out.splitlines()[-1]
    found: dict[str, Any] = orjson.loads(last)
    return found


def links_of(case_id: str, data: str, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    found = json_of(capsys, "links", "--case", case_id, "--all", "--data", data)["links"]
    return {link["rule"]: link for link in found}


def test_an_event_becomes_an_alert_that_can_be_answered(
    arrest: dict[str, Any], data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    links = links_of(arrest["case_id"], data, capsys)
    mine = next(link for link in links.values() if link["agency"] == "adv")
    watching = ["watch", "--data", data, "--agency", "adv", "--kind", "opened", "--after", "0", "--json"]
    with running(tmp_path / "errors", *watching) as watch:
        while (alert := watch.line())["subject"] != mine["id"]:
            assert alert["type"] == "link.opened"
        assert watch.stop() == 130
        assert watch.told == ""
    assert alert["caseid"] == arrest["case_id"]
    assert alert["data"]["to_agency"] == "adv"
    answer = json_of(capsys, "ack", mine["id"][:13], "--status", "on_call_assigned", "--data", data)
    assert (answer["status"], answer["link_id"], answer["role"]) == ("accepted", mine["id"], mine["role"])
    assert json_of(capsys, "link", mine["id"][:13], "--data", data)["acknowledged_at"]
    again = json_of(capsys, "ack", mine["id"], "--status", "on_call_assigned", "--data", data)
    assert again["status"] == "duplicate"


def test_watch_in_words_ends_after_a_count_and_shows_no_confidential_value(
    arrest: dict[str, Any], data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert arrest["status"] == "accepted"
    assert run(["watch", "--data", data, "--after", "0", "--count", "2"]) == 0
    shown = capsys.readouterr().out
    assert "must act" in shown
    assert "owed: " in shown
    assert PLANTED not in shown
    assert PHONE not in shown


def test_tables_show_links_case_and_status(
    arrest: dict[str, Any], data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case = arrest["case_id"]
    mine = next(iter(links_of(case, data, capsys).values()))
    for arguments, expected in [
        (["links", "--case", case[:13]], mine["id"][:8]),
        (["link", mine["id"]], mine["action"].split()[0]),
        (["case", case], "arrest.made"),
        (["status"], "log position"),
        (["keys", "list"], "this machine"),
        (["proposals", "list"], "No merge waits"),
    ]:
        assert run([*arguments, "--data", data]) == 0
        shown = capsys.readouterr().out
        assert expected in shown
        assert PLANTED not in shown
        assert PHONE not in shown


def test_sealed_fields_are_opened_by_those_who_may_and_denied_to_others(
    arrest: dict[str, Any], data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["open", arrest["event_id"], "--label", "VLOC", "--purpose", "safety", "--data", data]
    assert json_of(capsys, *asked, "--as", "le")["fields"]["VLOC"] == {"/parties/0/phone": PHONE}
    refused = json_of(capsys, *asked, "--as", "bip")
    assert refused["fields"] == {}
    assert "VLOC" in refused["denied"]


def test_publishing_again_changes_nothing_and_another_body_is_a_conflict(
    arrest: dict[str, Any], data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form = orjson.loads((tmp_path / "event.json").read_bytes())
    assert published(form, tmp_path, data, capsys) == {**arrest, "status": "duplicate"}
    other = {**form, "data": {**form["data"], "dv": "no"}}
    assert published(other, tmp_path, data, capsys, status=1)["status"] == "conflict"


def test_what_is_refused_is_kept_repaired_and_sent_again(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form = event("arrest.made", "26-REPAIR", arrest_type="wrong")
    held = published(form, tmp_path, data, capsys, status=1)["quarantine_id"]
    listed = json_of(capsys, "quarantine", "list", "--as", "le", "--data", data)["quarantined"]
    assert held in [one["id"] for one in listed]
    short = held[:13]
    shown = json_of(capsys, "quarantine", "show", short, "--as", "le", "--data", data)
    assert [problem["pointer"] for problem in shown["errors"]] == ["/data/arrest_type"]
    assert run(["quarantine", "list", "--data", data]) == 0
    assert run(["quarantine", "show", short, "--data", data]) == 0
    assert PLANTED not in capsys.readouterr().out
    kept = tmp_path / "kept.json"
    assert run(["quarantine", "open", short, "--as", "le", "--out", str(kept), "--data", data]) == 0
    assert orjson.loads(kept.read_bytes()) == form
    assert kept.stat().st_mode & 0o077 == 0
    assert run(["quarantine", "open", short, "--as", "le", "--out", str(kept), "--data", data]) == 1
    assert run(["quarantine", "redrive", short, "--as", "le", "--data", data]) == 1
    assert "/data/arrest_type" in capsys.readouterr().err
    kept.write_bytes(orjson.dumps(event("arrest.made", "26-REPAIR", arrest_type="O")))
    redriven = json_of(capsys, "quarantine", "redrive", short, "--file", str(kept), "--as", "le", "--data", data)
    assert redriven["status"] == "accepted"
    assert run(["quarantine", "discard", short, "--as", "le", "--data", data]) == 1


def test_a_quarantined_event_can_be_discarded(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = published({"nothing": "of ours"}, tmp_path, data, capsys, status=1)["quarantine_id"]
    assert json_of(capsys, "quarantine", "discard", held, "--as", "le", "--data", data)["state"] == "discarded"


def test_backfilled_history_alerts_nobody(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "history.json"
    file.write_bytes(orjson.dumps(event("arrest.made", "20-OLD", timedelta(days=2000))))
    (receipt,) = json_of(capsys, "publish", str(file), "--backfill", "--data", data)["receipts"]
    assert receipt["status"] == "accepted"


def test_a_link_is_waived_only_by_a_role_its_policy_names(
    arrest: dict[str, Any], data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = links_of(arrest["case_id"], data, capsys)["L06a"]
    asked = ["waive", mine["id"], "--reason", "not_applicable", "--data", data]
    assert run([*asked, "--role", "nobody"]) == 1
    assert "patrol sergeant" in capsys.readouterr().err
    assert json_of(capsys, *asked, "--role", "patrol sergeant", "--policy-ref", "le/310")["status"] == "accepted"
    assert json_of(capsys, "link", mine["id"], "--data", data)["state"] == "waived"


def test_an_act_that_no_event_tells_is_said_to_be_done(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    petition = tmp_path / "petition.json"
    petition.write_bytes(orjson.dumps(event("ofp.petitioned", "26-COMPLETE")))
    (receipt,) = json_of(capsys, "publish", str(petition), "--data", data)["receipts"]
    offer = links_of(receipt["case_id"], data, capsys)["L22a"]
    note = tmp_path / "note.txt"
    note.write_text(f"{PLANTED} was told where the office is")
    answer = json_of(capsys, "complete", offer["id"], "--note", str(note), "--data", data)
    assert answer["status"] == "accepted"
    assert json_of(capsys, "link", offer["id"], "--data", data)["state"] == "satisfied"
    assert PLANTED not in str(json_of(capsys, "case", receipt["case_id"], "--data", data))
    note.write_text("x" * 501)
    assert run(["complete", offer["id"], "--note", str(note), "--data", data]) == 1
    assert "1 to 500 characters" in capsys.readouterr().err


def test_replay_says_what_is_stored(arrest: dict[str, Any], data: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = json_of(capsys, "replay", "--verify", "--data", data)
    assert report["identical"]
    assert report["events"] >= arrest["position"]
    assert run(["replay", "--verify", "--data", data]) == 0
    assert "identical" in capsys.readouterr().out


def bad_input(place: Path, url: str) -> list[tuple[list[str], str]]:
    """(arguments, part of the message)."""
    (place / "text.json").write_text(f"{PLANTED} is no JSON")
    (place / "empty.json").write_text("")
    (place / "list.json").write_text(f'["{PLANTED}"]')
    (place / "strange.json").write_text('{"type": "no.such"}')
    unknown = "00000000-0000-5000-8000-000000000000"
    return [
        (["publish", str(place / "missing.json")], "No such file"),
        (["publish", str(place)], "Is a directory"),
        (["publish", str(place / "text.json")], "line 1"),
        (["publish", str(place / "empty.json")], "holds no event"),
        (["publish", str(place / "strange.json")], "whose events are these"),
        (["publish", str(place / "list.json"), "--as", "le"], "cannot be read"),
        (["links", "--key", "ccr_wrong"], "API key was not accepted"),
        (["links", "--key", "two words"], "that is no API key"),
        (["links", "--url", "http://127.0.0.1:1", "--key", "ccr_x"], "nothing answers"),
        (["links", "--url", "nonsense", "--key", "ccr_x"], "must be a URL"),
        (["links", "--url", "http://127.0.0.1:1"], "which key"),
        (["link", unknown], "No such link"),
        (["link", "ffff0000"], "no link begins"),
        (["link", "ab"], "at least 4"),
        (["ack", unknown], "No such link"),
        (["case", unknown], "No such case"),
        (["open", unknown, "--label", "VID", "--purpose", "safety"], "No such event"),
        (["watch", "--filter", "{"], "filter"),
        (["watch", "--kind", "sleeping"], "kind"),
        (["watch", "--after", "yesterday"], "--after is"),
        (["watch", "--after", "999999999"], "Cannot resume"),
        (["watch", "--key", "ccr_wrong"], "API key was not accepted"),
        (["quarantine", "show", unknown], "no such event waits"),
        (["quarantine", "redrive", unknown], "No such quarantined"),
        (["quarantine", "redrive", "abcd", "--file", str(place / "empty.json")], "must hold one event"),
        (["proposals", "accept", unknown], "No such waiting proposal"),
        (["keys", "issue", "--agency", "le"], "another ccr process"),
        (["keys", "revoke", "0000"], "another ccr process"),
        (["replay", "--verify", "--policies", str(place / "missing")], ""),
        (["up", "--port", "0"], "another ccr process"),
        (["status", "--url", f"{url}/nowhere"], "No such address"),
        (["schema", "show", "no.such"], "unknown event type"),
    ]


@pytest.mark.parametrize("number", range(32))
def test_bad_input_is_1_with_words_and_no_traceback(
    number: int, service: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = bad_input(tmp_path, service[1])
    assert len(cases) == 32
    arguments, words = cases[number]
    place = [] if arguments[0] == "schema" else ["--data", str(service[0])]
    assert run([*arguments, *place]) == 1, arguments
    told = capsys.readouterr()
    assert words in told.err
    assert told.err.strip()
    assert "Traceback" not in told.err
    assert "this is a defect" not in told.err
    assert PLANTED not in told.err + told.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["links"],
        ["watch"],
        ["status"],
        ["keys", "list"],
        ["keys", "revoke", "0000"],
        ["replay", "--verify"],
        ["replay"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("kind", ["missing", "a file", "not a database"])
def test_a_wrong_data_directory_is_told(
    arguments: list[str], kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    if kind == "a file":
        data.write_text("")
    elif kind == "not a database":
        data.mkdir()
        (data / "backbone.sqlite").write_bytes(b"nothing of ours " * 1000)
    assert run([*arguments, "--data", str(data)]) == 1
    told = capsys.readouterr().err
    assert told.strip()
    assert "this is a defect" not in told
    assert data.exists() == (kind != "missing")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "no.such.host.invalid"], "cannot listen"),
        (["--policies", "missing"], "missing"),
        (["--master-key", "a directory"], "master key"),
    ],
)
def test_a_service_that_cannot_start_says_why(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a directory").mkdir()
    option, value = arguments
    value = value if option == "--host" else str(tmp_path / value)
    assert run(["up", "--data", str(tmp_path / "data"), "--port", "0", option, value]) == 1
    told = capsys.readouterr().err
    assert words in told
    assert "this is a defect" not in told


def test_the_first_lines_of_a_service_hold_no_key_unless_a_person_reads_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CCR_MASTER_KEY", raising=False)
    url, key = "http://127.0.0.1:8700", "ccr_0000000000000001_secret"
    _tell(Settings(tmp_path), "0.0.0.0", url, {"ccr": key}, as_json=False)
    told = capsys.readouterr()
    assert "ccr_0000" not in told.out + told.err
    assert f"ccr watch --data {tmp_path}" in told.out
    assert str(tmp_path / "master.key") in told.err
    assert "without TLS" in told.err
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _tell(Settings(tmp_path, master_key=tmp_path / "elsewhere"), "127.0.0.1", url, {"ccr": key}, as_json=False)
    told = capsys.readouterr()
    assert f"{url}/#key={key}" in told.out
    assert told.err == ""


def test_keys_can_be_issued_before_the_first_start_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(tmp_path / "data")
    issued = json_of(capsys, "keys", "issue", "--agency", "jail", "--label", "bookings", "--data", data)
    assert issued["key"].startswith(f"ccr_{issued['key_id']}_")
    assert json_of(capsys, "keys", "revoke", issued["key_id"], "--data", data)["revoked"]
    (listed,) = json_of(capsys, "keys", "list", "--data", data)["keys"]
    assert (listed["agency"], listed["label"]) == ("jail", "bookings")
    assert listed["revoked_at"]
    assert issued["key"].rpartition("_")[2] not in str(listed)


def test_a_watcher_goes_on_when_the_service_is_stopped_and_started_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(tmp_path / "data")
    with running(tmp_path / "first", "up", "--data", data, "--port", "0", "--json") as first:
        url = first.line()["url"]
        port = str(httpx.URL(url).port)
        published(event("arrest.made", "26-ONE"), tmp_path, data, capsys)
        watching = ["watch", "--data", data, "--kind", "opened", "--after", "0", "--json"]
        with running(tmp_path / "watch", *watching) as watch:
            before = watch.line()
            assert first.stop() == 0, first.told
            assert not (tmp_path / "data" / "server.json").exists()
            with running(tmp_path / "second", "up", "--data", data, "--port", port, "--json") as second:
                assert second.line()["url"] == url
                case = published(event("arrest.made", "26-TWO"), tmp_path, data, capsys)["case_id"]
                seen = [before["seq"]]
                while (alert := watch.line())["caseid"] != case:
                    seen.append(alert["seq"])
                assert watch.stop() == 130
                assert second.stop(signal.SIGTERM) == 0
                assert "Traceback" not in first.told + second.told + watch.told
        assert sorted(set(seen)) == seen
    assert json_of(capsys, "replay", "--verify", "--data", data)["identical"]
    assert json_of(capsys, "replay", "--data", data)["identical"]
    assert json_of(capsys, "keys", "issue", "--agency", "le", "--data", data)["agency"] == "le"
