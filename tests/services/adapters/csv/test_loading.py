"""A mapping with a fault is refused with the file, the line and what to write instead; all faults at once."""

from __future__ import annotations

import pytest

from services.adapters.csv import MappingErrors
from services.adapters.csv.loading import read_mapping
from tests.support.tables import BOOKINGS


def problems(text: str) -> list[str]:
    with pytest.raises(MappingErrors) as caught:
        read_mapping(text.encode(), "m.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("agency: jail", "agency: prison", "m.yaml:2:1: `agency` must be"),
        ("agency: jail", "agency: adv", "m.yaml:4:1: adv may not publish jail.booked; these agencies may: jail"),
        ("jail.booked", "jail.boked", "m.yaml:4:1: there is no event type jail.boked; did you mean jail.booked?"),
        ("timezone: America/Chicago", "timezone: Chicago", "m.yaml:3:1: `timezone` must be a time zone"),
        ("name.surname", "name.surename", "m.yaml:11:3: jail.booked has no field surename; did you mean surname?"),
        ("parties[0].name.given", "parties.name.given", "m.yaml:12:3: jail.booked has nothing below, so no name"),
        ("parties[0].role:", "parties[0]:", "has fields below it: name one"),
        ("charges[*].statute", "charges", "is a list: say which entry"),
        ("hold_reason:", "hold_reason[0]:", "has [ ] where there is no list"),
        ("hold_reason:", "Hold Reason:", "is not written like a field"),
        ("codes: holds", "codes: hold", "m.yaml:14:31: there is no code table hold; did you mean holds?"),
        ("WARR: warrant", "WARR: warant", "m.yaml:14:3: `WARR` must be one of:"),
        ('Y: "yes"', 'Y: "yess"', "m.yaml:15:28: must be one of: yes, no, unknown; did you mean yes?"),
        ('Y: "yes"', 'Y: "yes", y: "yes"', "is the same word as Y"),
        ("{value: suspect}", "{value: villain}", "m.yaml:10:21: must be one of: suspect"),
        ("{value: suspect}", "{value: suspect, column: Role}", "needs exactly one of: column, columns, value"),
        ("split: \";\"", "spilt: \";\"", "m.yaml:16:42: `spilt` is not a word that is known here; did you mean split?"),
        ("charges[*].statute", "charges[0].statute", "parts entries of a list: write the field with [*]"),
        ("key: Booking No\n", "", "`key` is missing"),
        ("fields:", "skip: {column: A}\nfields:", "`skip` must be a list"),
        ("fields:", "skip: [{column: A, is: x, empty: true}]\nfields:", "needs exactly one of: is, is_not, empty"),
        ("fields:", "file: {encoding: utf-16}\nfields:", "m.yaml:7:8: is not an encoding that is read"),
        ("mapping: jail-bookings", "mapping: Jail Bookings", "m.yaml:1:1: `mapping` must be"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(old: str, new: str, told: str) -> None:
    assert old in BOOKINGS
    found = problems(BOOKINGS.replace(old, new, 1))
    assert any(told in line for line in found), found


def test_every_fault_is_told_at_once() -> None:
    assert len(problems(BOOKINGS.replace("DOB", "[1]").replace("jail\n", "moon\n").replace("[0].role", "[0].rol"))) >= 2


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "a: [b\n", "\tx"])
def test_a_text_that_is_no_mapping_is_refused(text: str) -> None:
    (told,) = problems(text)
    assert told.startswith("m.yaml:")
    assert "policy" not in told
