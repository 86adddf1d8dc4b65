"""NIEM exchange documents (New Orleans JTMP, OJBC) read into events.

`reading` the door · `document` bytes to elements, hardened · `namespaces`, `paths` how an element is named and found ·
`table` what a table says · `jtmp/`, `ojbc/` a table per document type · `reader`, `facts`, `parties` tables at work ·
`conversions`, `code_tables`, `times`, `domestic` text to values · `documentation` tables to docs/niem.md
"""

from __future__ import annotations

from services.adapters.niem.errors import DocumentError
from services.adapters.niem.reading import Reading, read_document

__all__ = ["DocumentError", "Reading", "read_document"]
