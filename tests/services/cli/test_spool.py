"""`--spool`: a lost network ends well, and `ccr spool` handles the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ccr_events.client import Spool
from ccr_events.envelope import write_structured
from services.cli import import_targets
from services.cli.main import run
from tests.support.doors import an_event, event_id
from tests.support.niem import FIXTURES
from tests.support.tables import BOOKINGS, GOOD, HEADER, PLANTED

NOWHERE = ["--url", "http://127.0.0.1:9", "--key", "ccr_0000000000000000_test"]


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_targets, "QUIET_S", 0.05)
    monkeypatch.setattr(import_targets, "STEP_S", 0.02)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Event id → status; the network is there."""
    statuses: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        told = [
            {"event_id": e["id"], "status": statuses.get(e["id"], "accepted"), "title": "no", "quarantine_id": "q-1"}
            for e in orjson.loads(request.read())
        ]
        return httpx.Response(202, content=orjson.dumps({"receipts": told}))

    client = import_targets.SpoolClient
    monkeypatch.setattr(
        import_targets,
        "SpoolClient",
        type("Client", (client,), {"__init__": lambda self, *a, **k: client.__init__(
            self, *a, **k, transport=httpx.MockTransport(answer))}),
    )  # fmt: skip
    return statuses


def events(tmp_path: Path, *numbers: int) -> str:
    path = tmp_path / "events.json"
    path.write_bytes(orjson.dumps([write_structured(an_event(n, narrative=PLANTED)) for n in numbers]))
    return str(path)


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    told = capsys.readouterr()
    assert PLANTED not in told.out + told.err
    found: dict[str, Any] = orjson.loads(told.out.splitlines()[-1])
    return found


def test_a_lost_network_keeps_what_is_published_and_ends_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outbox = str(tmp_path / "outbox")
    assert run(["publish", events(tmp_path, 1, 2), "--spool", outbox, *NOWHERE]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "2 kept in the spool" in told
    assert f"ccr spool send {outbox}" in told
    assert run(["spool", "status", outbox, "--json"]) == 0
    (status,) = line(capsys)["spools"]
    assert (status["spool"], status["waiting"]) == ("le", 2)
    assert run(["spool", "send", outbox, *NOWHERE, "--json"]) == 1
    assert line(capsys)["waiting"] == 2


def test_a_backbone_that_is_not_known_yet_keeps_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outbox = tmp_path / "outbox"
    assert (
        run(["publish", events(tmp_path, 1), "--spool", str(outbox), "--data", str(tmp_path / "none"), "--json"]) == 0
    )
    told = line(capsys)
    assert told["waiting"] == 1
    assert "no backbone runs" in told["why"]


def test_what_waits_is_sent_and_what_is_refused_is_listed_forgotten_or_sent_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: dict[str, str]
) -> None:
    outbox = str(tmp_path / "outbox")
    answers |= {event_id(2): "quarantined", event_id(3): "forbidden"}
    assert run(["publish", events(tmp_path, 1, 2, 3), "--spool", outbox, *NOWHERE, "--json"]) == 1
    assert line(capsys) == {
        "answered": {"accepted": 1, "quarantined": 1, "forbidden": 1},
        "waiting": 0,
        "refused": 2,
        "why": "",
    }
    assert run(["spool", "refused", outbox, "--json"]) == 0
    assert [(r["event_id"], r["status"]) for r in line(capsys)["refused"]] == [
        (event_id(2), "quarantined"),
        (event_id(3), "forbidden"),
    ]
    out = tmp_path / "repair.json"
    assert run(["spool", "refused", outbox, "--out", str(out)]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert PLANTED in out.read_text()
    assert run(["spool", "refused", outbox, "--forget", event_id(2)]) == 0
    answers.clear()
    assert run(["spool", "refused", outbox, "--again", event_id(3)]) == 0
    assert run(["spool", "refused", outbox, "--again", event_id(9)]) == 1
    capsys.readouterr()
    assert run(["spool", "send", outbox, *NOWHERE, "--json"]) == 0
    assert line(capsys)["answered"] == {"accepted": 1}


def test_tables_and_documents_go_through_spools_of_their_agencies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: dict[str, str]
) -> None:
    (tmp_path / "export.csv").write_text(HEADER + GOOD)
    (tmp_path / "bookings.yaml").write_text(BOOKINGS)
    outbox = tmp_path / "outbox"
    command = ["ingest", str(tmp_path / "export.csv"), "--mapping", str(tmp_path / "bookings.yaml"), *NOWHERE]
    assert run([*command, "--spool", str(outbox), "--json"]) == 0
    told = line(capsys)
    assert (told["spooled"], told["spool"]["answered"]) == (1, {"accepted": 1})
    assert run([*command, "--spool", str(outbox), "--json"]) == 0
    assert line(capsys)["unchanged"] == 1
    documents = Path("services/demo/documents")
    assert run(["ingest", str(documents), "--spool", str(outbox), *NOWHERE, "--json"]) == 0
    told = line(capsys)
    assert told["files"] == len(FIXTURES)
    assert told["spool"]["answered"] == {"accepted": 13}
    assert sorted(path.name for path in outbox.iterdir()) == ["crim", "jail", "le", "pros"]


def test_one_key_is_not_used_for_the_spools_of_several_agencies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for agency in ("le", "jail"):
        Spool(tmp_path / agency).close()
    assert run(["spool", "send", str(tmp_path), *NOWHERE]) == 1
    assert "say which with --as" in capsys.readouterr().err
    assert run(["spool", "send", str(tmp_path), *NOWHERE, "--as", "le"]) == 0
    assert run(["spool", "status", str(tmp_path / "none")]) == 1


def test_an_adapter_s_own_spool_is_sent_with_a_key_or_for_an_agency(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: dict[str, str]
) -> None:
    spool = Spool(tmp_path)
    spool.put([(event_id(1), orjson.dumps(write_structured(an_event(1))))])
    spool.close()
    assert run(["spool", "send", str(tmp_path)]) == 1
    assert "whose spool" in capsys.readouterr().err
    assert run(["spool", "send", str(tmp_path), *NOWHERE, "--json"]) == 0
    assert line(capsys)["answered"] == {"accepted": 1}


def test_something_that_is_no_event_is_not_put_into_a_spool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "events.json").write_text('[{"type": "arrest.made"}, 7]')
    assert run(["publish", str(tmp_path / "events.json"), "--spool", str(tmp_path / "outbox"), *NOWHERE]) == 1
    assert not (tmp_path / "outbox").exists()
