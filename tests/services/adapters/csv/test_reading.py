"""Rows of an agency's table: what becomes an event, what is left out, what is refused without being quoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.catalogue import event_type_named
from ccr_events.validation import validate_as
from services.adapters.csv import MappedRow, RejectedRow, SkippedRow, TableError
from tests.support.tables import BOOKINGS, GOOD, HEADER, PLANTED, one, rejected, table


def test_a_row_becomes_an_event_that_fits_its_type() -> None:
    event = one(HEADER + GOOD).event
    assert event.type == "jail.booked"
    assert event.source == "/jail/csv/jail-bookings"
    assert event.occurred_at.isoformat() == "2026-02-04T04:15:00+00:00"
    assert event.data == {
        "references": [{"kind": "booking_no", "number": "26-0001"}],
        "parties": [{"role": "suspect", "name": {"surname": PLANTED, "given": "Sam"}, "birth_date": "1989-10-20"}],
        "hold_reason": "probable_cause",
        "dv": "yes",
        "charges": [{"statute": "609.2242"}, {"statute": "609.78"}],
    }
    validate_as(event_type_named(event.type), event.schema_version, event.data)
    assert PLANTED not in repr(one(HEADER + GOOD))


def test_the_same_row_has_the_same_id_and_another_key_another() -> None:
    first, again = one(HEADER + GOOD), one(HEADER + GOOD.replace("PC", "WARR"))
    other = one(HEADER + GOOD.replace("26-0001", "26-0002"))
    assert first.event.id == again.event.id != other.event.id
    renamed = BOOKINGS.replace("mapping: jail-bookings", "mapping: old-bookings")
    assert one(HEADER + GOOD, renamed).event.id != first.event.id


def test_names_of_columns_are_found_whatever_their_case_spaces_order_delimiter_and_encoding() -> None:
    plain = one(HEADER + GOOD).event
    for content in (
        b"\xef\xbb\xbf" + (HEADER.upper().replace("BOOKING NO", " booking  NO ") + GOOD).encode(),
        (HEADER + GOOD).replace(",", "\t"),
        (HEADER + GOOD).replace(",", "|"),
        (HEADER + GOOD).replace("\n", "\r\n"),
    ):
        assert one(content).event == plain
    semicolons = (HEADER + GOOD).replace("; ", "/").replace(",", ";")
    assert one(semicolons, BOOKINGS.replace('split: ";"', "split: /")).event == plain


def test_windows_encoding_is_read_and_told() -> None:
    read = table((HEADER + GOOD.replace("Sam", "Zoë")).encode("windows-1252"))
    (row,) = read.rows()
    assert isinstance(row, MappedRow)
    assert row.event.data["parties"][0]["name"]["given"] == "Zoë"
    assert "windows-1252" in read.layout.guessed


def test_a_line_in_another_encoding_is_refused_and_the_rest_read() -> None:
    text = BOOKINGS.replace("type:", "file: {encoding: utf-8}\ntype:", 1)
    content = (HEADER + GOOD).encode() + GOOD.replace("Sam", "Zoë").encode("cp1252") + GOOD.encode()
    kinds = [type(row) for row in table(content, text).rows()]
    assert kinds == [MappedRow, RejectedRow, MappedRow]


def test_utf_16_is_refused_with_what_to_do() -> None:
    with pytest.raises(TableError, match="CSV UTF-8"):
        table((HEADER + GOOD).encode("utf-16"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (HEADER, "Booked,Last Name\n", "has no column Booking No, First Name, DOB, Hold, DV"),
        (HEADER, HEADER.replace("DOB", "Booked"), "has no column DOB"),
        (HEADER, HEADER.replace("\n", ",booked\n"), "has the column Booked more than once: write Booked#1, Booked#2"),
    ],
)
def test_a_table_without_the_mapping_s_columns_is_refused_without_quoting_it(old: str, new: str, told: str) -> None:
    with pytest.raises(TableError) as caught:
        table((HEADER + GOOD).replace(old, new))
    assert told in str(caught.value)


def test_a_file_without_a_header_is_not_quoted() -> None:
    with pytest.raises(TableError) as caught:
        table(GOOD)
    assert PLANTED not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "column", "told"),
    [
        ("26-0001", "2.6E+04", "Booking No", "was cut by a spreadsheet"),
        ("26-0001", "n/a", "Booking No", "is empty, and says which row this is"),
        ("26-0001", "#REF!", "Booking No", "an error of a spreadsheet"),
        ("02/03/2026 22:15", "", "Booked", "is empty: it says when the act happened"),
        ("02/03/2026 22:15", "yesterday", "Booked", "is not %m/%d/%Y %H:%M"),
        ("02/03/2026", "02/03/0026", "Booked", "is a time in a year that cannot be meant"),
        ("10/20/1989", "20.10.1989", "DOB", "is not %m/%d/%Y"),
        ("PC", "Hearsay", "Hold", "holds a word that its code table does not have"),
        (",Y,", ",Perhaps,", "DV", "holds a word that its code table does not have"),
        ("609.78", "609.78,surplus", "", "has more cells than the header"),
        ("Sam", 'S"a"m","', "", "quote"),
    ],
)
def test_what_is_wrong_is_named_by_column_and_never_quoted(old: str, new: str, column: str, told: str) -> None:
    row = rejected(HEADER + GOOD.replace(old, new))
    assert row.line == 2
    assert [c for c, _ in row.problems] == [column]
    assert told in row.problems[0][1]
    assert not new or new not in str(row.problems)
    assert PLANTED not in repr(row)


def test_several_faults_of_a_row_are_told_together() -> None:
    row = rejected(HEADER + GOOD.replace("PC", "??").replace("10/20/1989", "??").replace(",Y,", ",??,"))
    assert sorted(column for column, _ in row.problems) == ["DOB", "DV", "Hold"]


def test_unknown_words_of_open_fields_are_kept_for_whoever_asks_and_of_sealed_ones_not() -> None:
    text = BOOKINGS + "  threat: {Y: true}\n"
    text = text.replace("codes:\n", "  in_custody_threat: {column: Threat, codes: threat}\ncodes:\n")
    read = table(HEADER.replace("\n", ",Threat\n") + GOOD.replace("PC", "Hearsay").replace("\n", ",Sealed\n"), text)
    list(read.rows())
    assert dict(read.told.unknown_words) == {("Hold", "Hearsay"): 1}
    assert "Hearsay" not in repr(read.told)


def test_rows_are_skipped_as_the_mapping_says() -> None:
    text = BOOKINGS.replace(
        "fields:", "skip: [{column: Hold, is: [VOID, test]}, {column: DV, empty: true}]\nfields:", 1
    )
    rows = [GOOD, GOOD.replace("PC", "void"), GOOD.replace("PC", "Test"), GOOD.replace(",Y,", ",,"), "\n", HEADER]
    kinds = [type(row) for row in table(HEADER + "".join(rows), text).rows()]
    assert kinds == [MappedRow, SkippedRow, SkippedRow, SkippedRow, SkippedRow]


def test_the_type_can_depend_on_a_word() -> None:
    text = BOOKINGS.replace(
        "type: jail.booked", "type: {column: Act, codes: {BOOK: jail.booked, REL: custody.released, NOTE: null}}"
    )
    rows = "".join(GOOD.replace("\n", f",{act}\n") for act in ("book", "REL", "note", "Other", ""))
    booked, released, note, other, empty = table(HEADER.replace("\n", ",Act\n") + rows, text).rows()
    assert isinstance(booked, MappedRow)
    assert isinstance(released, MappedRow)
    assert (booked.event.type, released.event.type) == ("jail.booked", "custody.released")
    assert booked.event.id != released.event.id
    assert "charges" not in released.event.data
    assert isinstance(note, SkippedRow)
    assert isinstance(other, RejectedRow)
    assert isinstance(empty, RejectedRow)


def test_an_entry_of_a_list_is_there_only_when_a_cell_fills_it() -> None:
    text = BOOKINGS.replace(
        "  charges[*].statute: {column: Statutes, split: \";\"}\n",
        "  charges[*].statute: {columns: [C1, C2, C3]}\n"
        "  charges[*].level: {columns: [L1, L2, L3], codes: {Fel: F, Misd: M}}\n"
        "  charges[*].description: {value: as charged}\n"
        "  parties[1].role: {value: victim}\n"
        "  parties[1].name.surname: Victim\n",
    )  # fmt: skip
    header = HEADER.replace("Statutes", "C1,C2,C3,L1,L2,L3,Victim")
    row = GOOD.replace("609.2242; 609.78", "609.2242,,609.78,Fel,,Misd,")
    event = one(header + row, text).event
    assert event.data["charges"] == [
        {"statute": "609.2242", "level": "F", "description": "as charged"},
        {"statute": "609.78", "level": "M", "description": "as charged"},
    ]
    assert len(event.data["parties"]) == 1
    repeated = text.replace("[C1, C2, C3]", "Charge").replace("[L1, L2, L3]", "Level")
    header = HEADER.replace("Statutes", "Charge,Charge,Charge,Level,Level,Level,Victim")
    assert one(header + row, repeated).event.data["charges"] == event.data["charges"]


def test_a_required_cell_must_not_be_empty_and_a_null_word_says_nothing() -> None:
    text = BOOKINGS.replace("column: Hold, codes: holds", "column: Hold, codes: holds, required: true")
    row = rejected(HEADER + GOOD.replace("PC", "-"), text)
    assert row.problems == (("Hold", "is empty, and nothing can be told without it"),)
    assert "hold_reason" not in one(HEADER + GOOD.replace("PC", "-")).event.data


def test_marks_of_spreadsheets_are_taken_off_and_names_keep_their_apostrophe() -> None:
    row = GOOD.replace("26-0001", '"=""0026001"""').replace("PC", "'-").replace("Sam", "'t Sam")
    event = one(HEADER + row).event
    assert event.data["references"][0]["number"] == "0026001"
    assert event.data["parties"][0]["name"]["given"] == "'t Sam"


def test_own_ids_and_corrections_of_the_agency_s_system() -> None:
    text = BOOKINGS.replace("key: Booking No", "key: Id\nid: Id\ncorrects: Was")
    header = HEADER.replace("\n", ",Id,Was\n")
    ids = ("019a3b52-7a10-7cc1-9d2e-5b1f00000001", "019A3B52-7a10-7cc1-9d2e-5b1f00000002")
    event = one(header + GOOD.replace("\n", f",{ids[1]},{ids[0]}\n"), text).event
    assert (event.id, event.corrects) == (ids[1].lower(), ids[0])
    for wrong in ("12", "019a3b52-7a10-8cc1-9d2e-5b1f00000001"):
        row = rejected(header + GOOD.replace("\n", f",{wrong},\n"), text)
        assert row.problems == (("Id", "must be a UUID, of another version than 8"),)


PIECES = [
    GOOD.encode(),
    HEADER.encode(),
    b'"',
    b'""',
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b",",
    b"'",
    b"1.2E+07",
    "\u2028".encode(),
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=12))
def test_whatever_a_file_holds_is_read_to_its_end_and_never_quoted(pieces: list[bytes]) -> None:
    content = HEADER.encode() + b"".join(pieces)
    try:
        found = list(table(content).rows())
    except TableError:
        return
    assert [row.line for row in found] == sorted({row.line for row in found})
    assert all(row.end <= len(content) for row in found)
    assert PLANTED not in repr(found)
