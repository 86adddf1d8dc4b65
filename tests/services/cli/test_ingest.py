"""`ccr ingest`: what it publishes in whose name, what it says of what it cannot, how it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from ccr_events.envelope import Event
from services.cli import ingest
from services.cli.refused import Refused
from services.engine.ports import FieldProblem, Receipt
from tests.support.niem import FIXTURES, fixture

DOCUMENTS = Path(str(files("services.demo").joinpath("documents")))
VALUES = ("Testmaple", "Placeholder-Oak", "Nowhere Lane", "555-0131", "Invented narrative", "1989-10-20")


@dataclass
class Backbone:
    """Stands in for the service: remembers what was published in whose name, answers as it is told to."""

    published: dict[str, list[Event]] = field(default_factory=dict)
    answer: Callable[[Event], Receipt] | None = None
    refuses: str = ""
    closed: int = 0

    def connect(self, data: Path, url: str | None, key: str | None, agency: str) -> Connection:
        return Connection(self, agency)

    def receipt(self, event: Event, seen: bool) -> Receipt:
        if self.answer is not None:
            return self.answer(event)
        case = "case-" + event.data["references"][0]["number"][-3:]
        return Receipt(event.id, "duplicate" if seen else "accepted", case, 1)


@dataclass
class Connection:
    backbone: Backbone
    agency: str

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.backbone.closed += 1

    def publish(self, events: Sequence[Event], *, alerting: bool = True) -> list[Receipt]:
        if self.backbone.refuses:
            raise Refused(self.backbone.refuses)
        known = {event.id for published in self.backbone.published.values() for event in published}
        receipts = [self.backbone.receipt(event, event.id in known) for event in events]
        self.backbone.published.setdefault(self.agency, []).extend(events)
        return receipts


@pytest.fixture
def backbone(monkeypatch: pytest.MonkeyPatch) -> Backbone:
    backbone = Backbone()
    monkeypatch.setattr(ingest, "connect", backbone.connect)
    return backbone


def run(*arguments: str, stdin: bytes = b"") -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    ingest.register(app)
    app.command("other")(lambda: None)
    return CliRunner().invoke(app, ["ingest", *arguments], input=stdin)


def line(result: Result) -> dict[str, object]:
    return orjson.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_each_document_is_published_in_the_name_of_its_owner(backbone: Backbone) -> None:
    result = run(str(DOCUMENTS), "--json")
    assert result.exit_code == 0, result.output
    told = line(result)
    assert told["files"] == len(FIXTURES)
    assert told["accepted"] == 13
    assert told["failures"] == []
    assert told["cases"] == ["case-131", "case-132"]
    types = {agency: {event.type for event in events} for agency, events in backbone.published.items()}
    assert types["le"] == {"incident.reported", "arrest.made"}
    assert types["jail"] == {"jail.booked", "custody.released"}
    assert types["pros"] == {"charge.filed"}
    assert types["crim"] == {"court.case_opened", "hearing.scheduled", "nco.issued", "bail.updated"}
    assert backbone.closed == len(types)


def test_the_same_documents_again_are_duplicates(backbone: Backbone) -> None:
    run(str(DOCUMENTS))
    result = run(str(DOCUMENTS), "--json")
    assert result.exit_code == 0
    assert line(result)["accepted"] == 0
    assert line(result)["duplicate"] == 13


def test_documents_are_sent_in_the_order_in_which_their_acts_happened(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    backbone.answer = lambda event: sent.append(event.type) or Receipt(event.id, "accepted", "case-1", 1)  # type: ignore[func-returns-value]
    run(str(DOCUMENTS / "jtmp-*.xml"))
    assert sent == [
        "incident.reported",
        "arrest.made",
        "jail.booked",
        "court.case_opened",
        "hearing.scheduled",
        "charge.filed",
        "nco.issued",
        "bail.updated",
        "custody.released",
    ]
    sent.clear()
    monkeypatch.setattr(ingest, "HELD", 0)  # nothing held: as the files come
    run(str(DOCUMENTS / "jtmp-*.xml"))
    assert sent[:3] == ["incident.reported", "arrest.made", "bail.updated"]


def test_an_agency_that_may_not_publish_is_refused_before_anything_is_sent(backbone: Backbone) -> None:
    result = run("--agency", "adv", str(DOCUMENTS / "jtmp-booking.xml"))
    assert result.exit_code == 1
    assert "jail.booked, which adv may not publish" in result.output
    assert not backbone.published


def test_what_cannot_be_read_is_named_with_its_path_and_the_rest_goes_on(backbone: Backbone, tmp_path: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_bytes(fixture("jtmp-booking.xml").replace(b"2026-02-03T21:30:00-06:00", b""))
    result = run(str(broken), str(DOCUMENTS / "jtmp-booking.xml"), "--json")
    assert result.exit_code == 1
    told = line(result)
    assert told["accepted"] == 1
    (failure,) = told["failures"]  # type: ignore[misc]
    assert failure["file"] == str(broken)
    assert "/nola:BookingExchange/j:Booking/nc:ActivityDate/nc:DateTime" in failure["reason"]


def test_a_recognised_document_without_an_event_is_left_out_with_its_reason(backbone: Backbone, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.xml"
    receipt.write_bytes(b'<n:AsynchronousResponseMessage xmlns:n="http://mcp.com/nola/v/1.0/"/>')
    result = run(str(receipt))
    assert result.exit_code == 0
    assert "left out: a system's receipt" in result.output
    assert not backbone.published


@pytest.mark.parametrize("status", ["quarantined", "conflict", "forbidden"])
def test_what_the_backbone_does_not_accept_is_told_and_fails(backbone: Backbone, status: str) -> None:
    problems = (FieldProblem("/data/charges/0/nibrs", "must be one of: 09A"),)
    backbone.answer = lambda event: Receipt(event.id, status, None, None, "q-1", "not accepted", problems)  # type: ignore[arg-type]
    result = run(str(DOCUMENTS / "jtmp-booking.xml"))
    assert result.exit_code == 1
    assert f"jail.booked {status} (quarantine q-1): not accepted: /data/charges/0/nibrs must be" in " ".join(
        result.output.split()
    )


def test_a_document_timed_by_its_receipt_is_a_duplicate_when_it_comes_again(backbone: Backbone, tmp_path: Path) -> None:
    hearing = tmp_path / "hearing.xml"
    when_set = b"<nc:ActivityDate><nc:DateTime>2026-02-04T09:05:00-06:00</nc:DateTime></nc:ActivityDate>"
    hearing.write_bytes(
        fixture("jtmp-court-event.xml").replace(when_set, b"").replace(b"2026-02-04T13", b"2199-02-04T13")
    )
    backbone.answer = lambda event: Receipt(event.id, "conflict", "case-1", 1)
    result = run(str(hearing), "--json")
    assert result.exit_code == 0
    assert line(result)["duplicate"] == 1


def test_a_backbone_that_cannot_be_reached_is_told_per_document(backbone: Backbone) -> None:
    backbone.refuses = "nothing answers at http://127.0.0.1:1"
    result = run(str(DOCUMENTS / "jtmp-booking.xml"), "--json")
    assert result.exit_code == 1
    assert line(result)["failures"] == [
        {"file": str(DOCUMENTS / "jtmp-booking.xml"), "reason": "was not sent: nothing answers at http://127.0.0.1:1"}
    ]


def test_standard_input_and_patterns(backbone: Backbone) -> None:
    assert run("-", stdin=fixture("jtmp-booking.xml")).exit_code == 0
    assert [event.type for event in backbone.published["jail"]] == ["jail.booked"]
    result = run(str(DOCUMENTS / "ojbc-*.xml"), str(DOCUMENTS / "ojbc-booking.xml"), "--json")
    assert line(result)["files"] == 3


@pytest.mark.parametrize("name", ["no-such-file.xml", "no-such-*.xml"])
def test_files_that_are_not_there_are_refused(backbone: Backbone, name: str) -> None:
    result = run(name)
    assert isinstance(result.exception, Refused)
    assert name in str(result.exception)


def test_an_empty_directory_is_refused(backbone: Backbone, tmp_path: Path) -> None:
    assert "holds no .xml file" in str(run(str(tmp_path)).exception)


def test_a_zone_that_is_none_is_wrong_usage(backbone: Backbone) -> None:
    result = run("--timezone", "Mars/Olympus", str(DOCUMENTS))
    assert result.exit_code == 2
    assert not backbone.published


def test_samples_with_placeholders_are_read_only_when_asked_for(backbone: Backbone, tmp_path: Path) -> None:
    sample = tmp_path / "sample.xml"
    raw = fixture("jtmp-court-order.xml").replace(b"26-NCO-0131", b"String").replace(b"69-CR-26-0131", b"String")
    sample.write_bytes(raw)
    refused = run(str(sample))
    assert refused.exit_code == 1
    assert "--samples" in refused.output
    assert run("--samples", str(sample)).exit_code == 0
    (event,) = backbone.published["crim"]
    assert event.data["references"][0]["number"].startswith("SAMPLE-")


def test_a_dry_run_sends_nothing_and_masks_what_is_confidential(backbone: Backbone) -> None:
    result = run("--dry-run", str(DOCUMENTS))
    assert result.exit_code == 0
    assert not backbone.published
    assert "arrest.made at 2026-02-04T02:42:00+00:00" in result.output
    assert "sealed as VLOC" in result.output
    assert "Nothing was sent" in result.output
    assert not any(value in result.output for value in VALUES)


def test_no_confidential_value_is_ever_shown(backbone: Backbone) -> None:
    backbone.answer = lambda event: Receipt(event.id, "quarantined", None, None, "q-1", "not accepted")
    for arguments in ((), ("--json",)):
        result = run(str(DOCUMENTS), *arguments)
        assert not any(value in result.output for value in VALUES)


def test_it_ends_with_what_to_try_next(backbone: Backbone) -> None:
    result = run(str(DOCUMENTS / "jtmp-booking.xml"))
    assert "ccr links" in result.output
