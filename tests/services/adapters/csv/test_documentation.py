"""What docs/csv.md and docs/adapters.md quote works as quoted."""

from __future__ import annotations

import re
import shlex
from functools import partial
from io import BytesIO
from pathlib import Path

import httpx
import orjson
import pytest
from typer.main import get_command

from ccr_events import client
from ccr_events.catalogue import event_type_named
from ccr_events.client.spool import Bounds
from ccr_events.client.waits import LONGEST_S
from ccr_events.validation import validate_as
from services.adapters.csv import MappedRow, SkippedRow, Table
from services.adapters.csv.layout import MAX_COLUMNS
from services.adapters.csv.loading import read_mapping
from services.adapters.csv.mapping import File, Mapping, Reading
from services.adapters.csv.rows import MAX_ROW
from services.cli import main

PAGES = {name: Path(f"docs/{name}.md").read_text("utf-8") for name in ("csv", "adapters")}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)


def test_the_mapping_reads_the_table_beside_it() -> None:
    mapping = read_mapping(blocks("csv", "yaml")[0].encode(), "docs/csv.md")
    booked, voided = Table(BytesIO(blocks("csv", "csv")[0].encode()), mapping).rows()
    assert isinstance(booked, MappedRow)
    assert isinstance(voided, SkippedRow)
    assert booked.event.data["charges"] == [{"statute": "609.2242"}, {"statute": "609.78"}]
    validate_as(event_type_named(booked.event.type), booked.event.schema_version, booked.event.data)


def test_every_word_of_the_table_of_words_exists_and_the_bounds_are_the_code_s() -> None:
    rows = re.findall(r"^\| (`[^|]*`[^|]*) \|", PAGES["csv"], re.MULTILINE)
    words = {word for row in rows for word in re.findall(r"`([a-z_]+)`", row)}
    known = {*Mapping.model_fields, *Reading.model_fields, *File.model_fields}
    assert words >= {"fields", "codes", "skip", "file", "ambiguous"}
    assert words <= known
    assert f"{MAX_ROW:,} bytes a row, {MAX_COLUMNS:,} columns" in PAGES["csv"]
    assert f"{Bounds().events:,} events" in PAGES["adapters"]
    assert f"at most {LONGEST_S:.0f} s apart" in PAGES["adapters"]


@pytest.mark.parametrize(
    "line", [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines() if line]
)
def test_every_command_and_option_exists(line: str) -> None:
    name, *words = shlex.split(line)
    assert name == "ccr"
    command = get_command(main.application())
    while inner := getattr(command, "commands", None):
        command = inner[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_adapter_s_code_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        events = orjson.loads(request.read())
        sent.extend(event["type"] for event in events)
        receipts = [{"event_id": e["id"], "status": "quarantined", "title": "no", "quarantine_id": "q"} for e in events]
        return httpx.Response(207, content=orjson.dumps({"receipts": receipts}))

    monkeypatch.setattr(client, "Client", partial(client.Client, transport=httpx.MockTransport(answer)))
    monkeypatch.setenv("CCR_URL", "http://127.0.0.1:8700")
    monkeypatch.setenv("CCR_KEY", "ccr_0000000000000000_test")
    monkeypatch.chdir(tmp_path)
    by_http, by_topic = blocks("adapters", "python")
    exec(compile(by_http, "docs/adapters.md", "exec"), {})
    assert "ccr.inbound.jail" in by_topic  # run on a secure cluster: tests/services/engine/kafka/security
    assert sent == ["jail.booked"]
    assert "quarantined no () q" in capsys.readouterr().out
