"""`ccr policy`, called as a person calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from ccr_events.policy import load_policies
from services.cli.main import run
from tests.support.policy_text import POLICY

EVENT = {
    "specversion": "1.0",
    "id": "00000000-0000-4000-8000-000000000001",
    "source": "/jail/test",
    "type": "custody.release_pending",
    "time": "2026-02-03T10:00:00Z",
    "data": {"earliest_at": "2026-02-03T12:00:00Z"},
}
ORDER = {
    "specversion": "1.0",
    "id": "00000000-0000-4000-8000-000000000002",
    "source": "/crim/test",
    "type": "nco.issued",
    "time": "2026-02-02T10:00:00Z",
    "data": {"full_text": "PLANTED words of an order"},
}


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A county's own policies: one document, with a trigger every contract has."""
    (tmp_path / "sample-1.0.0.yaml").write_text(plain(POLICY))
    return tmp_path


def plain(text: str) -> str:
    return text.replace("type: sample.made", "type: arrest.made").replace("{colour: red}", "{dual_arrest: true}")


def written(directory: Path, name: str, content: object) -> str:
    path = directory / name
    path.write_bytes(content.encode() if isinstance(content, str) else orjson.dumps(content))
    return str(path)


def json_of(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    assert run(["policy", *arguments, "--json"]) == status
    return orjson.loads(capsys.readouterr().out.splitlines()[-1])


def test_check_says_what_is_still_to_be_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "check"]) == 0
    out = capsys.readouterr().out
    assert "[K] not verified here: check with your counsel" in out
    assert "95 links" in out
    told = json_of(capsys, "check")
    assert told["ok"]
    assert told["editions"] == [e.id for e in load_policies().editions]
    assert {notice["mark"] for notice in told["notices"]} == {"K", "P"}


def test_check_of_a_wrong_policy_names_the_line_and_fails(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(county, "wrong.yaml", plain(POLICY).replace("dual_arrest: true", "dual_arest: true"))
    assert run(["policy", "check", str(county)]) == 1
    told = capsys.readouterr()
    assert "wrong.yaml:25:14: arrest.made has no field dual_arest; did you mean dual_arrest?" in told.err
    assert "Traceback" not in told.err
    assert not json_of(capsys, "check", str(county / "wrong.yaml"), status=1)["ok"]


def test_check_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "check", str(tmp_path)]) == 1
    assert "holds no policy documents" in capsys.readouterr().err


def test_show_a_link_and_a_policy(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "show", "L17a"]) == 0
    assert "20 minutes before it is due: jail lieutenant (jail)" in capsys.readouterr().out
    assert run(["policy", "show", "jail"]) == 0
    assert "Director of the advocacy program" in capsys.readouterr().out
    link = json_of(capsys, "show", "L17a")
    assert link["due"] == {
        "before": "earliest_at",
        "lead": "0 h",
        "not_counting": [],
        "otherwise": {"within": "30 min", "not_counting": []},
    }
    assert json_of(capsys, "show", "X01", "--policies", str(county))["policy"] == "sample 1.0.0"
    assert json_of(capsys, "show", "jail", "--version", "1.0.0")["effective"] == "2020-01-01"


def test_show_of_what_is_not_there_says_what_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "show", "L17"]) == 1
    assert "L17 is written as L17a, L17b, L17c, L17d" in capsys.readouterr().err
    assert run(["policy", "show", "gaol"]) == 1
    assert "there is no policy gaol; there is advocacy" in capsys.readouterr().err


def test_a_link_is_shown_as_it_was_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert json_of(capsys, "show", "L32b", "--at", "2025-06-01")["trigger"]["count"] == 4
    assert json_of(capsys, "show", "L32b", "--at", "2026-06-01")["trigger"]["count"] == 3


def test_diff_of_versions_and_of_files(county: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "diff", "jail@1.0.0", "1.1.0"]) == 0
    out = capsys.readouterr().out
    assert "L17a, deadline:" in out
    assert "L17d: added" in out
    draft = written(county, "draft.yaml", plain(POLICY).replace("within: 24 h", "within: 12 h"))
    told = json_of(capsys, "diff", str(county / "sample-1.0.0.yaml"), draft)
    assert [(c["where"], c["what"], c["new"]) for c in told["changes"]] == [("X01", "deadline", "within 12 hours")]


def test_explain_an_event_by_condition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = written(tmp_path, "event.json", EVENT)
    assert run(["policy", "explain", event]) == 0
    assert "✗ does not open L17a" in capsys.readouterr().out
    assert run(["policy", "explain", event, "--given", written(tmp_path, "order.json", [ORDER])]) == 0
    out = capsys.readouterr().out
    assert "✓ opens L17a" in out
    assert "2026-02-03 11:40 UTC, jail lieutenant (jail) hears" in out


def test_explain_never_repeats_what_is_sealed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "explain", written(tmp_path, "order.json", ORDER)]) == 0
    told = capsys.readouterr()
    assert "PLANTED" not in told.out + told.err
    wrong = {**ORDER, "data": {**ORDER["data"], "pco": "PLANTED"}}  # type: ignore[dict-item]
    assert run(["policy", "explain", written(tmp_path, "wrong.json", wrong)]) == 1
    assert "PLANTED" not in capsys.readouterr().err


def test_explain_a_type_and_with_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [r["rule"] for r in json_of(capsys, "explain", "arrest.not_made")["rules"]] == [
        "L08a",
        "L08b",
        "L08c",
        "L08d",
    ]
    (found,) = [
        r for r in json_of(capsys, "explain", written(tmp_path, "e.json", EVENT))["rules"] if r["rule"] == "L17b"
    ]
    assert (found["opens"], found["due_at"]) == (False, "2026-02-03T12:00:00+00:00")
    assert run(["policy", "explain", "call.closed"]) == 0
    assert "No link is triggered by call.closed" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["not json", "[]", '{"specversion": "1.0"}'])
def test_explain_of_what_is_no_event_is_refused(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "explain", written(tmp_path, "event.json", content)]) == 1
    err = capsys.readouterr().err
    assert "event.json" in err
    assert "Traceback" not in err


def test_explain_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "explain", "arest.made"]) == 1
    assert "neither a file nor an event type" in capsys.readouterr().err


def test_graph(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "graph"]) == 0
    out = capsys.readouterr().out
    assert 'jail["Jail"]' in out
    assert "-.->" not in out
    assert run(["policy", "graph", "--escalation"]) == 0
    assert "-.->" in capsys.readouterr().out
    assert any(edge["escalation"] for edge in json_of(capsys, "graph", "--escalation")["edges"])
