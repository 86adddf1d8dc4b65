"""The persons of one event, as parties of the contract; everything that identifies them is sealed by its mark."""

from __future__ import annotations

from typing import Any

from ccr_events.payload import PartyRole
from services.adapters.niem.address import address_line
from services.adapters.niem.conversions import ROLE
from services.adapters.niem.document import Element
from services.adapters.niem.people import ADDRESS_PATHS, NAME_ROWS, PERSON_ROWS, split_full_name
from services.adapters.niem.table import EventTable, People, Row
from services.adapters.niem.view import View

MAX_PARTIES = 16
"""Bound of the contract."""


def parties_of(view: View, table: EventTable, subject: Element | None) -> list[dict[str, Any]]:
    """The suspect, then the others; the same person in the same part once."""
    found = [(PartyRole.SUSPECT, subject)] if subject is not None else []
    for people in table.people:
        for role, person in _people(view, people):
            if subject is not None and (role is PartyRole.SUSPECT or person is subject):
                continue  # other suspects have events of their own
            found.append((role, person))
    parties: list[dict[str, Any]] = []
    for role, person in dict.fromkeys(found):
        particulars = _particulars(view, person)
        if particulars:
            _add(parties, {"role": role.value, **particulars})
    if len(parties) > MAX_PARTIES:
        view.warnings.tell(f"has more than {MAX_PARTIES} persons: the first are taken, the sealed source holds all")
    return parties[:MAX_PARTIES]


def _add(parties: list[dict[str, Any]], party: dict[str, Any]) -> None:
    """Add a person, or what is new of one who is there in the same part under the same name and birth date."""
    for there in parties:
        if there == party:
            return
        same = all(there.get(key) == party.get(key) for key in ("role", "name", "birth_date"))
        if same and "name" in party and "birth_date" in party:
            there.update({key: value for key, value in party.items() if key not in there})
            return
    parties.append(party)


def subjects_of(view: View, table: EventTable) -> list[Element]:
    """Suspects of the document, those of the first path that leads to any."""
    resolved = (view.document.resolved(element) for element in view.elements(table.subjects))
    return list(dict.fromkeys(resolved))


def victims_of(view: View, table: EventTable) -> set[Element]:
    """The persons who are victims."""
    return {person for people in table.people for role, person in _people(view, people) if role is PartyRole.VICTIM}


def _people(view: View, people: People) -> list[tuple[PartyRole, Element]]:
    found: list[tuple[PartyRole, Element]] = []
    for path in people.paths:
        for holder in view.elements((path,)):
            inner = view.at("holder", holder, view.human(path))
            role = people.role if people.role is not None else _role(inner, people)
            if role is None:
                continue
            persons = inner.elements(people.person) if people.person else [holder]
            found.extend((role, view.document.resolved(person)) for person in persons)
    return found


def _role(view: View, people: People) -> PartyRole | None:
    named = view.first(people.role_paths)
    found = ROLE.convert(named[1], view.settings.zone) if named else None
    return PartyRole(str(found.value)) if found is not None else None


def _particulars(view: View, person: Element) -> dict[str, Any]:
    inner = view.at("person", person, "nc:Person")
    name = _fields(inner, NAME_ROWS)
    if "surname" in name and "given" not in name:
        name |= split_full_name(name["surname"])
    particulars: dict[str, Any] = {"name": name} if "surname" in name else {}
    particulars |= _fields(inner, PERSON_ROWS)
    for path in ADDRESS_PATHS:
        line = next((a for e in inner.elements((path,)) if (a := address_line(view.document, e))), "")
        if line:
            particulars["address"] = line
            break
    return particulars


def _fields(view: View, rows: tuple[Row, ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for row in rows:
        named = view.first(row.paths)
        converted = view.convert(named[0], named[1], row.convert) if named else None
        if converted is not None:
            fields[row.field] = converted.value
    return fields
