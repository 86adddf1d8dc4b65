"""Tables as agencies export them, and mappings, for tests. All people are made up."""

from __future__ import annotations

from io import BytesIO

from services.adapters.csv import MappedRow, Mapping, RejectedRow, Table
from services.adapters.csv.loading import read_mapping

PLANTED = "Testperson-Planted"
BOOKINGS = """\
mapping: jail-bookings
agency: jail
timezone: America/Chicago
type: jail.booked
key: Booking No
occurred_at: {column: Booked, format: "%m/%d/%Y %H:%M"}
fields:
  references[0].kind: {value: booking_no}
  references[0].number: Booking No
  parties[0].role: {value: suspect}
  parties[0].name.surname: Last Name
  parties[0].name.given: First Name
  parties[0].birth_date: {column: DOB, format: "%m/%d/%Y"}
  hold_reason: {column: Hold, codes: holds}
  dv: {column: DV, codes: {Y: "yes", N: "no"}, default: unknown}
  charges[*].statute: {column: Statutes, split: ";"}
codes:
  holds: {PC: probable_cause, WARR: warrant, "-": null}
"""
HEADER = "Booking No,Booked,Last Name,First Name,DOB,Hold,DV,Statutes\n"
GOOD = f"26-0001,02/03/2026 22:15,{PLANTED},Sam,10/20/1989,PC,Y,609.2242; 609.78\n"


def mapping(text: str = BOOKINGS) -> Mapping:
    return read_mapping(text.encode(), "bookings.yaml")


def table(content: str | bytes, text: str = BOOKINGS) -> Table:
    return Table(BytesIO(content.encode() if isinstance(content, str) else content), mapping(text))


def one(content: str | bytes, text: str = BOOKINGS) -> MappedRow:
    (row,) = table(content, text).rows()
    assert isinstance(row, MappedRow), row
    return row


def rejected(content: str | bytes, text: str = BOOKINGS) -> RejectedRow:
    (row,) = table(content, text).rows()
    assert isinstance(row, RejectedRow), row
    return row
