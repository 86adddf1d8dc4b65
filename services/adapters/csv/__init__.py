"""Tables that an agency exports from its own system (CSV), read into events by a mapping that the agency writes.

`mapping` the mapping as written · `loading` YAML to mapping, every fault with its line · `fields` what a dotted path
names in an event type · `cells` text of a cell to a value · `clock` local times to instants · `layout` encoding,
delimiter, header · `rows` a file of any size, row by row, bounded · `compiled` a mapping made ready for one header ·
`reading` the door: a file to mapped, skipped and rejected rows · `ledger` which version of each row was published ·
`rejects` rows that could not be mapped, kept for repair · `draft` a first mapping from a header
"""

from __future__ import annotations

from services.adapters.csv.ledger import Ledger, LedgerError, Planned
from services.adapters.csv.loading import MappingErrors, load_mapping
from services.adapters.csv.mapping import Mapping
from services.adapters.csv.reading import MappedRow, RejectedRow, SkippedRow, Table, TableError, open_table

__all__ = [
    "Ledger",
    "LedgerError",
    "MappedRow",
    "Mapping",
    "MappingErrors",
    "Planned",
    "RejectedRow",
    "SkippedRow",
    "Table",
    "TableError",
    "load_mapping",
    "open_table",
]
