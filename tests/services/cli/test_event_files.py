"""Events from files: one, an array, or one a line."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from services.cli import event_files
from services.cli.event_files import read_events
from services.cli.refused import Refused


def write(path: Path, content: bytes) -> Path:
    file = path / "events.json"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'{"a": 1}', [{"a": 1}]),
        (b'\xef\xbb\xbf{\n "a": 1\n}\n', [{"a": 1}]),
        (b'[{"a": 1}, 2]', [{"a": 1}, 2]),
        (b'{"a": 1}\n\n{"a": 2}\r\n', [{"a": 1}, {"a": 2}]),
    ],
)
def test_what_can_be_read(tmp_path: Path, content: bytes, found: list[object]) -> None:
    assert read_events(write(tmp_path, content)) == found


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]"])
def test_a_file_without_events_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Refused, match="holds no event"):
        read_events(write(tmp_path, content))


@pytest.mark.parametrize("content", [b'{"a": 1}\n{"name": "Testperson"', b'{"a": 1}\n"Testperson"', b"x\nTestperson"])
def test_a_line_that_is_no_object_is_named_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Refused, match=r"line [12]: is no JSON object") as refused:
        read_events(write(tmp_path, content))
    assert "Testperson" not in str(refused.value)


def test_a_file_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_files, "MAX_FILE_BYTES", 10)
    with pytest.raises(Refused, match="larger than 10 bytes"):
        read_events(write(tmp_path, b" " * 11))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a": 1}')))
    assert read_events(Path("-")) == [{"a": 1}]
