"""`ccr policy what-if` on a data directory: a table, one line of JSON, a file of links; nonsense is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest

from services.cli.main import run
from services.cli.policy_what_if import COLUMNS
from tests.support.drafts import PATROL, newer
from tests.support.small_log import fill

SHORTER = newer().replace("within: 1 h", "within: 30 min", 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("made"))


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.yaml"
    path.write_text(SHORTER, encoding="utf-8")
    return path


def test_a_draft_is_tried_and_nothing_is_written(
    made: Path,
    draft: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = (made / "backbone.sqlite").read_bytes()
    table = draft.with_suffix(".csv")
    asked = ["policy", "what-if", str(draft), "--data", str(made), "--smallest-cell", "1", "--csv", str(table)]
    assert run([*asked, "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["drafts"] == [{"draft": "patrol 1.3.0", "instead_of": "patrol 1.0.0"}]
    (row,) = [row for row in found["rules"] if row["rule"] == "L06a"]
    assert (row["earlier"], row["later"], row["links"]) == (1, 0, {"before": 1, "after": 1})
    assert row["median_time_s"] == {"before": 3600.0, "after": 1800.0}
    with table.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert [(r[0], r[3]) for r in rows] == [("deadline", "L06a")]
    assert table.stat().st_mode & 0o077 == 0
    assert (made / "backbone.sqlite").read_bytes() == before


def test_people_read_a_table_and_sentences(
    made: Path,
    draft: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["policy", "what-if", str(draft.parent), "--data", str(made)]) == 0
    told = capsys.readouterr().out
    assert "L06a" in told
    assert "patrol 1.3.0, tried on 1 cases" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PATROL, "nothing would change"),
        (SHORTER.replace("policy: patrol", "policy: petrol"), "did you mean patrol"),
        (SHORTER.replace("effective: 2031-01-01\n", ""), "draft.yaml:1:1: `effective` is missing"),
    ],
)
def test_nonsense_is_refused(
    made: Path,
    draft: Path,
    text: str,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    draft.write_text(text, encoding="utf-8")
    assert run(["policy", "what-if", str(draft), "--data", str(made)]) == 1
    assert told in capsys.readouterr().err


def test_an_empty_directory_is_no_draft(
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["policy", "what-if", str(tmp_path), "--data", str(made)]) == 1
    assert "policy documents" in capsys.readouterr().err


def test_a_draft_is_not_tried_on_the_future(made: Path, draft: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "what-if", str(draft), "--data", str(made), "--as-of", "2999-01-01"]) == 1
    assert "has not come yet" in capsys.readouterr().err
