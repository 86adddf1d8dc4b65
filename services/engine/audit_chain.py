"""How entries of the audit log are chained. Pure."""

from __future__ import annotations

from hashlib import sha256

FIRST_HEAD = "0" * 64
"""Head of the empty chain."""


def chained(head: str, entry: bytes) -> str:
    """The head after an entry: SHA-256 hex over the previous head and the entry."""
    return sha256(head.encode() + entry).hexdigest()
