"""Texts that stand where a value should. They are no facts: a required fact that holds one is missing."""

from __future__ import annotations

PLACEHOLDERS = frozenset({"string", "xxx", "tbd", "n/a"})
"""What XML editors fill samples with (`string`), and what people type. Casefolded."""


def is_placeholder(text: str) -> bool:
    """Whether a text only stands where a value should."""
    return text.casefold() in PLACEHOLDERS
