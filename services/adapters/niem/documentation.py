"""docs/niem.md, written from the tables: `python -m services.adapters.niem.documentation` rewrites it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ccr_events.placeholders import PLACEHOLDERS
from services.adapters.niem.catalogue import DOCUMENTS
from services.adapters.niem.conversions import CONVERSIONS
from services.adapters.niem.document import MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_ELEMENTS
from services.adapters.niem.domestic import domestic_charges
from services.adapters.niem.namespaces import patterns
from services.adapters.niem.people import ADDRESS_PATHS, NAME_ROWS, PERSON_ROWS
from services.adapters.niem.reader import UNMAPPED
from services.adapters.niem.table import Condition, EventTable, Number, People, Row
from services.adapters.niem.times import DEFAULT_ZONE

PAGE = Path("docs/niem.md")
"""Where the page is kept, from the root of the repository."""

_INTRODUCTION = f"""# NIEM documents

<!-- Written from the tables in services/adapters/niem by `python -m services.adapters.niem.documentation`. -->

`ccr ingest FILE…` reads the exchange documents of two live justice exchanges and publishes them as events: those of
New Orleans' Justice Technology Modernization Program (JTMP, NIEM 5) and of the Open Justice Broker Consortium (OJBC,
NIEM 3, and LEXS with N-DEx on NIEM 2). What is mapped is listed here, table by table; what is not listed is not read,
and stays in the source, which is kept whole and sealed with each event (`source_document`: base64 of zlib).

- **Namespaces, not prefixes.** An element is known by its namespace, in any release of NIEM (list at the end), and its
  name. Prefixes, order, comments and indentation do not matter. References (`structures:ref`, `structures:uri`,
  `lexslib:ref`) and associations are followed.
- **Required.** Every event needs the time of its act and one number that points to a case. A document without is
  refused with the path, and nothing of it is published. Everything else is optional: it is left out when absent.
- **Placeholders** ({", ".join(f"`{text}`" for text in sorted(PLACEHOLDERS))}) are no facts: in an optional element
  they are left out, in a required one the fact is missing. `--samples` makes up the case's number, from the document's
  digest, so that published samples can be tried all the same; no two documents then share a case.
- **Codes** outside the contract's lists are left out with a warning; the sealed source keeps them.
- **Times** without an offset are taken in the county's zone (`--timezone`, {DEFAULT_ZONE.key} unless told otherwise); a
  date without a time as its first instant, so that a deadline comes early rather than late. Both are told as warnings.
- **Domestic violence** is `yes` when an indicator of the document says so, or when a charge's own words or statute are
  in the table at the end [P]; `no` when an indicator says no and no charge contradicts it; else `unknown`. Never from
  an NIBRS code.
- **Identity.** An event's id is derived from the document's content: the same document again is a duplicate.
- **Safety of reading.** At most {MAX_DOCUMENT_BYTES:,} bytes, {MAX_ELEMENTS:,} elements, {MAX_DEPTH} levels; a document
  type definition is refused, no entity is expanded, nothing is fetched.

## How a path is read
A path starts at a scope named in the table and goes from child to child. `//` is anywhere below; `[a~word]` only
elements whose child `a` has that word; `~a` the association `a` that refers to the element, then what else it refers
to; `=a` the element `a` that says it is the same; `^a` the element `a` around it. Of several paths the first that holds
something counts, unless *all* is said.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_documents(), *_people(), *_conversions(), *_domestic(), *_namespaces()]) + "\n"


def _documents() -> Iterator[str]:
    for document in DOCUMENTS:
        if not document.events:
            continue
        yield f"## {document.family.upper()}: {document.title}\n"
        yield f"Root `{document.root}` (the scope `document`), published in the name of `{document.agency}`.\n"
        for table in document.events:
            yield from _event(table)
    yield "## Recognised and left out\n"
    yield "| document | why it tells no event |\n|---|---|"
    yield from (f"| `{d.root}` {d.title} | {d.skipped} |" for d in DOCUMENTS if d.skipped)
    yield ""


def _event(table: EventTable) -> Iterator[str]:
    yield f"### `{table.type}`\n"
    each = "each suspect of each" if table.subjects else "each"
    yield f"One for {each} `{table.anchor}`: {_or(table.anchor_paths)}."
    if table.optional:
        yield "A document may have none."
    if table.conditions:
        yield f"Only when {' and '.join(_condition(condition) for condition in table.conditions)}."
    for name, paths in table.also:
        yield f"`{name}` is {_or(paths)}."
    yield "\n| field | element | | conversion |\n|---|---|---|---|"
    need = "or the time of receipt" if table.time_of_receipt else "required"
    yield f"| time of the act | {_paths(table.occurred_at)} | {need} | time |"
    yield from (_number(number) for number in table.numbers)
    if table.subjects:
        yield f"| `parties` suspect | {_paths(table.subjects)} | | person |"
    yield from (_party(people) for people in table.people)
    yield from (_row(row) for row in table.rows)
    for items in table.items:
        only = f"; only when {_condition(items.only)}" if items.only else ""
        need = "required" if items.required else ""
        yield f"| `{items.field}[]` | {_paths(items.paths)} | {need} | each one `item`{only} |"
        yield from (_row(row, f"{items.field}[].") for row in items.rows)
    for default in table.defaults:
        yield f"| `{default.field}` | | | `{default.value}` when {default.says} |"
    if table.dual:
        yield "| `dual_arrest` | | | true when a suspect is also a victim of the document |"
    yield f"| `dv` | {_paths(table.indicators)} | | indicators; then the words of charges |\n"


def _number(number: Number) -> str:
    series = f" of series `{number.issuer}`" if number.issuer else ""
    how = "the first" if number.first else "all"
    return f"| `references` {number.kind}{series} | {_paths(number.paths)} | one number is required | code; {how} |"


def _party(people: People) -> str:
    role = people.role.value if people.role is not None else f"by {_paths(people.role_paths)}"
    inner = f", there {_paths(people.person)}" if people.person else ""
    return f"| `parties` {role} | {_paths(people.paths)}{inner} | | person |"


def _row(row: Row, before: str = "") -> str:
    field = "(no field)" if row.field == UNMAPPED else f"`{before}{row.field}`"
    notes = [row.convert.name, *(["all"] if row.many else []), *([row.note] if row.note else [])]
    return f"| {field} | {_paths(row.paths)} | {'required' if row.required else ''} | {'; '.join(notes)} |"


def _condition(condition: Condition) -> str:
    return f"{condition.says} ({condition.convert.name} of {_or(condition.paths)})"


def _people() -> Iterator[str]:
    yield "## Persons\n"
    yield "What is read of every person; all of it is sealed.\n"
    yield "| field | element | | conversion |\n|---|---|---|---|"
    yield from (_row(row, "name.") for row in NAME_ROWS)
    yield from (_row(row) for row in PERSON_ROWS)
    yield f"| `address` | {_paths(ADDRESS_PATHS)} | | full text, or street, unit, city, state and code in one line |\n"


def _conversions() -> Iterator[str]:
    yield "## Conversions\n"
    yield "The words they know are in `services/adapters/niem/code_tables.py`.\n"
    yield "| conversion | takes and gives |\n|---|---|"
    yield from (f"| {conversion.name} | {conversion.says} |" for conversion in CONVERSIONS)
    yield ""


def _domestic() -> Iterator[str]:
    table = domestic_charges()
    yield "## Charges that are domestic violence [P]\n"
    yield "Local policy decides; the table is `services/adapters/niem/domestic.yaml`.\n"
    yield f"- statutes that begin with {', '.join(f'`{statute}`' for statute in table.statutes)}"
    yield f"- words that contain {', '.join(f'*{phrase}*' for phrase in table.phrases)}\n"


def _namespaces() -> Iterator[str]:
    yield "## Namespaces\n"
    yield "| prefix in the tables | namespace, as a regular expression |\n|---|---|"
    yield from (f"| `{prefix}` | `{pattern.replace('|', chr(92) + '|')}` |" for prefix, pattern in patterns())


def _paths(paths: tuple[str, ...]) -> str:
    return "<br>".join(f"`{path}`" for path in paths)


def _or(paths: tuple[str, ...]) -> str:
    return " or ".join(f"`{path}`" for path in paths)


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
