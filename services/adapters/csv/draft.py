"""A first mapping from a table's header: what a column's name tells is filled in, the rest is left to a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_type_named
from services.adapters.csv.cells import YES
from services.adapters.csv.fields import leaf_at, leaves
from services.adapters.csv.layout import column_name, read_layout
from services.adapters.csv.mapping import File

NEAR = 0.85
"""How alike a column and a field must be called to be put together (0 to 1)."""
MAX_TOLD = 400
"""Most fields listed as still free."""
_TIME_WORDS = ("date", "time", "when", " at", "datum")
_KEY_WORDS = ("no", "number", "id", "nr", "num", "#")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ()/._-]*")
_SHARED = {
    "parties[0].role": "suspect",
    "references[0].kind": "incident_no",
}
_KNOWN = {
    "lastname": "parties[0].name.surname",
    "surname": "parties[0].name.surname",
    "firstname": "parties[0].name.given",
    "givenname": "parties[0].name.given",
    "middlename": "parties[0].name.middle",
    "dob": "parties[0].birth_date",
    "dateofbirth": "parties[0].birth_date",
    "birthdate": "parties[0].birth_date",
    "sid": "parties[0].state_id",
    "sex": "parties[0].sex_code",
    "gender": "parties[0].sex_code",
    "race": "parties[0].race_code",
    "address": "parties[0].address",
    "phone": "parties[0].phone",
    "statute": "charges[0].statute",
    "offense": "charges[0].nibrs",
    "chargedescription": "charges[0].description",
}
_NUMBERS = {"incident": "incident_no", "booking": "booking_no", "cad": "cad_no", "order": "order_no"}


def drafted(file: Path, event_type: str, agency: Agency | None, timezone: str) -> str:
    """The text of a mapping for a file; raises `TableError`, `UnknownEventType`, `ValueError` or `OSError`."""
    declared = event_type_named(event_type)
    owner = agency or min(declared.publishers, default=None)
    if owner is None or owner not in declared.publishers:
        may = ", ".join(sorted(declared.publishers)) or "none"
        raise ValueError(f"say whose table it is: these agencies may publish {event_type}: {may}")
    with file.open("rb") as opened:
        header = read_layout(opened, File(), ()).header
    free = [path for path in leaves(declared.model) if not path.endswith((".token", "source_document"))]
    found = _guessed(header, free)
    time = next((name for name in header if _says(name, _TIME_WORDS) and name not in found.values()), None)
    key = next((name for name in header if name and _says(name, _KEY_WORDS)), header[0] if header else "")
    lines = [
        f"# A draft from the header of {file.name}. Correct it, then look:",
        f"#   ccr ingest {file.name} --mapping THIS-FILE --check",
        f"mapping: {_table_name(file)}  # part of every event's identity: leave it as it is once events are published",
        f"agency: {owner.value}",
        f"timezone: {timezone}",
        f"type: {event_type}",
        f"key: [{_quoted(key)}]  # the columns that together name a row once and for all",
        f'occurred_at: {{column: {_quoted(time or "WHEN IT HAPPENED")}, format: "%m/%d/%Y %H:%M"}}',
        "fields:",
    ]
    roles = {path for path in found if path.startswith("parties[0].")}
    if roles:
        lines.append(f"  parties[0].role: {{value: {_SHARED['parties[0].role']}}}  # suspect, victim, child or witness")
    for path, column in found.items():
        lines.append(f"  {path}: {_written(declared.model, path, column)}")
    number = _number(key)
    if number is not None and "references[0].number" not in found:
        lines += [f"  references[0].kind: {{value: {number}}}", f"  references[0].number: {_quoted(key)}"]
    used = {column_name(name) for name in (*found.values(), key, time or "")}
    unused = [name for name in header if name and column_name(name) not in used]
    lines += ["", "# Columns that nothing is read from yet:", *(f"#   {_quoted(name)}" for name in unused)]
    lines += ["# Fields that are still free:", *(f"#   {path}" for path in free[:MAX_TOLD] if path not in found)]
    return "\n".join(lines) + "\n"


def _guessed(header: Sequence[str], free: Sequence[str]) -> dict[str, str]:
    """Field → column whose name is the field's, or near it."""
    by_name = {path: path for path in free}
    by_name |= {_last(path): path for path in reversed(free) if "." not in path}
    found: dict[str, str] = {}
    for column in header:
        name = column_name(column)
        path = column if column in by_name else _KNOWN.get(re.sub(r"[^a-z]", "", name))
        if path is None:
            near = get_close_matches(re.sub(r"\W+", "_", column.strip().casefold()), by_name, n=1, cutoff=NEAR)
            path = by_name[near[0]] if near else ""
        if path in free and path not in found:
            found[path] = column
    return found


def _written(model: type, path: str, column: str) -> str:
    kind = leaf_at(model, path).kind
    members = getattr(kind, "__members__", {})
    if members:
        words = ", ".join(f"{member.value}: {member.value}" for member in list(members.values())[:3])
        return f"{{column: {_quoted(column)}}}  # their words differ? add  codes: {{{words}, …}}"
    if kind.__name__ in ("date", "datetime", "AwareDatetime"):
        shown = "%m/%d/%Y" if kind.__name__ == "date" else "%m/%d/%Y %H:%M"
        return f'{{column: {_quoted(column)}, format: "{shown}"}}'
    if kind is bool:
        return f"{_quoted(column)}  # yes: {', '.join(sorted(YES))}"
    return _quoted(column)


def _says(name: str, words: Sequence[str]) -> bool:
    said = f" {re.sub(r'[^a-z#]+', ' ', name.casefold())} "
    return any(f" {word.strip()} " in said for word in words)


def _number(column: str) -> str | None:
    return next((kind for word, kind in _NUMBERS.items() if word in column.casefold()), None)


def _table_name(file: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.casefold()).strip("-")[:60]
    return name if name[:1].isalpha() else f"table-{name}".strip("-")


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _quoted(text: str) -> str:
    if (
        _PLAIN.fullmatch(text)
        and text == text.strip()
        and text.casefold() not in ("yes", "no", "null", "true", "false")
    ):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
