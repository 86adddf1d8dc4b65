from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import create_model

from ccr_events.labels import OPS
from ccr_events.registry import EventType
from ccr_events.schemas import __main__ as command
from ccr_events.schemas.checkin import UNRELEASED, inspect, write
from ccr_events.upcast import Upcasters
from tests.support.contract import SAMPLE, Sample

SHOWN = pytest.CaptureFixture[str]
TYPES = {"sample.made": SAMPLE}
STRICTER = {
    "sample.made": replace(SAMPLE, model=create_model("Sample", __base__=Sample, must=(Annotated[str, OPS], ...)))
}
FREER = {
    "sample.made": replace(
        SAMPLE, model=create_model("Sample", __base__=Sample, may=(Annotated[str | None, OPS], None))
    )
}
PATH = "json/sample.made/v1.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, TYPES, inspect(tmp_path, TYPES))
    return tmp_path


def _use(monkeypatch: pytest.MonkeyPatch, types: dict[str, EventType]) -> None:
    monkeypatch.setattr(command, "event_types", lambda: types)


def test_what_was_written_is_in_step(root: Path) -> None:
    findings = inspect(root, TYPES)
    assert (findings.broken, findings.stale, findings.withdrawn) == ((), (), ())


def test_the_same_contract_gives_the_same_bytes(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    write(other, TYPES, inspect(other, TYPES))
    assert {f.relative_to(root): f.read_bytes() for f in root.rglob("*.json")} == {
        f.relative_to(other): f.read_bytes() for f in other.rglob("*.json")
    }


def test_check_names_the_file_that_differs(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: SHOWN) -> None:
    _use(monkeypatch, FREER)
    assert command.main(["check", "--root", str(root)]) == 1
    shown = capsys.readouterr().out
    assert f"{PATH}: differs" in shown
    assert "schemas write" in shown
    assert command.main(["write", "--root", str(root)]) == 0
    assert command.main(["check", "--root", str(root)]) == 0


def test_write_refuses_a_breaking_change(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: SHOWN) -> None:
    _use(monkeypatch, STRICTER)
    before = (root / PATH).read_bytes()
    for arguments in (["check"], ["write"], ["write", "--unreleased"]):
        assert command.main([*arguments, "--root", str(root)]) == 1
        assert "raise the type's version" in capsys.readouterr().out
    assert (root / PATH).read_bytes() == before


def test_before_the_first_release_a_breaking_change_may_be_insisted_on(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(monkeypatch, {"other.made": replace(SAMPLE, name="other.made")})
    (root / UNRELEASED).touch()
    assert command.main(["write", "--root", str(root)]) == 1
    assert command.main(["write", "--unreleased", "--root", str(root)]) == 0
    assert command.main(["check", "--root", str(root)]) == 0
    assert not (root / PATH).exists(), "the withdrawn type's file is deleted"


def test_a_new_version_with_an_upcaster_is_compatible(root: Path) -> None:
    second = {"sample.made": replace(STRICTER["sample.made"], version=2)}
    assert "has no upcaster" in " ".join(inspect(root, second).broken)
    steps = Upcasters()
    steps.add("sample.made", 1, dict)
    findings = inspect(root, second, steps)
    assert findings.broken == ()
    assert "json/sample.made/v2.json" in findings.stale
    before = (root / PATH).read_bytes()
    write(root, second, findings)
    assert (root / PATH).read_bytes() == before, "the old version's file stays"


def test_a_lost_file_of_an_old_version_is_told(root: Path) -> None:
    (root / PATH).unlink()
    steps = Upcasters()
    steps.add("sample.made", 1, dict)
    second = {"sample.made": replace(SAMPLE, version=2)}
    assert f"{PATH}: is gone" in " ".join(inspect(root, second, steps).broken)


def test_a_type_that_is_no_longer_declared_is_told(root: Path) -> None:
    findings = inspect(root, {})
    assert findings.withdrawn == (PATH,)
    assert "no longer declares" in findings.broken[0]


def test_wrong_usage_is_exit_code_two(capsys: SHOWN) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["publish"])
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err
