"""A drafted mapping can be loaded as it is, and fills in what the header tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccr_events.agencies import Agency
from ccr_events.catalogue import UnknownEventType, event_types
from services.adapters.csv.draft import drafted
from services.adapters.csv.loading import read_mapping
from services.adapters.csv.rejects import Rejects, rejects_path
from tests.support.tables import BOOKINGS, GOOD, HEADER, rejected, table


def draft(tmp_path: Path, header: str, event_type: str = "arrest.made", agency: Agency | None = None) -> str:
    path = tmp_path / "Arrest Export 2026.csv"
    path.write_text(header, encoding="utf-8")
    return drafted(path, event_type, agency, "America/Chicago")


def test_what_a_header_tells_is_filled_in(tmp_path: Path) -> None:
    text = draft(
        tmp_path, "Incident No,Arrest Date,Last Name,DOB,Location,Dual Arrest,charges[0].nibrs,Officer: shift\n"
    )
    found = read_mapping(text.encode(), "draft.yaml")
    columns = {path: reading.column for path, reading in found.fields.items() if reading.column}
    assert columns == {
        "parties[0].name.surname": "Last Name",
        "parties[0].birth_date": "DOB",
        "location": "Location",
        "dual_arrest": "Dual Arrest",
        "charges[0].nibrs": "charges[0].nibrs",
        "references[0].number": "Incident No",
    }
    assert found.mapping == "arrest-export-2026"
    assert found.key == ("Incident No",)
    assert found.occurred_at.columns == ("Arrest Date",)
    assert found.fields["references[0].kind"].value == "incident_no"
    assert '#   "Officer: shift"' in text


@pytest.mark.parametrize("name", sorted(name for name, t in event_types().items() if t.publishers))
def test_a_draft_of_any_type_can_be_loaded(tmp_path: Path, name: str) -> None:
    header = "No,When,Surname,Reason,Outcome,references[0].number,references[0].kind\n"
    read_mapping(draft(tmp_path, header, name, min(event_types()[name].publishers)).encode(), "draft.yaml")


def test_a_draft_for_an_agency_that_may_not_publish_or_an_unknown_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"these agencies may publish arrest\.made: le"):
        draft(tmp_path, HEADER, "arrest.made", Agency.ADV)
    with pytest.raises(UnknownEventType):
        draft(tmp_path, HEADER, "arrest.maid")


def test_rejected_rows_are_kept_privately_and_can_be_repaired_and_taken_in(tmp_path: Path) -> None:
    read = table(HEADER + GOOD.replace("PC", "??"))
    path = rejects_path(tmp_path / "table.csv")
    with Rejects(path, read.layout) as rejects:
        rejects.add(rejected(HEADER + GOOD.replace("PC", "??")))
        rejects.flush()
    assert path.name == "table.rejected.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_text("utf-8-sig")
    assert "Hold: holds a word that its code table does not have" in content
    with Rejects(path, read.layout, go_on=path.stat().st_size) as rejects:
        rejects.add(rejected(HEADER + GOOD.replace("PC", "??")))
    assert len(path.read_text("utf-8").splitlines()) == 3
    with Rejects(path, read.layout, go_on=len(content.encode()) + 3):  # what came after was not confirmed
        pass
    repaired = path.read_bytes().replace(b"??", b"PC")
    (first,) = table(repaired, BOOKINGS).rows()
    assert first.line == 2
    with Rejects(path, read.layout):
        pass
    assert not path.exists()
