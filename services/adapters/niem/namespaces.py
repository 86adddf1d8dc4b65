"""Whose element it is: namespace URIs of every release we may meet, brought to one short prefix each.

NIEM changes its URIs with each release and documents choose their own prefixes, so neither is looked at anywhere
else: a table names `nc:PersonName`, and that is NIEM core's element of NIEM 2, 3, 4, 5 or 6. Sources: NIEM Naming
and Design Rules (namespace URIs of each release), LEXS 3.1, N-DEx IEPD 2.1, the JTMP and OJBC specifications.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NIEM = r"https?://(?:(?:release|reference)\.)?niem\.gov/niem"
_NIEM6 = r"https://docs\.oasis-open\.org/niemopen/ns/model"
_VERSION = r"[0-9.]+"

_RULES: tuple[tuple[str, str], ...] = (
    ("nc", rf"(?:{_NIEM}|{_NIEM6})/niem-core/{_VERSION}"),
    ("j", rf"(?:{_NIEM}|{_NIEM6})/domains/(?:jxdm|justice)/{_VERSION}"),
    ("hs", rf"(?:{_NIEM}|{_NIEM6})/domains/(?:humanServices|hs)/{_VERSION}"),
    ("em", rf"(?:{_NIEM}|{_NIEM6})/domains/(?:emergencyManagement|em)/{_VERSION}"),
    ("im", rf"(?:{_NIEM}|{_NIEM6})/domains/immigration/{_VERSION}"),
    ("scr", rf"(?:{_NIEM}|{_NIEM6})/domains/screening/{_VERSION}"),
    ("cbrn", rf"(?:{_NIEM}|{_NIEM6})/domains/cbrn/{_VERSION}"),
    ("cyfs", rf"(?:{_NIEM}|{_NIEM6})/domains/(?:cyfs|childYouthFamily)/{_VERSION}"),
    ("ncic", rf"(?:{_NIEM}|{_NIEM6})/(?:codes/)?(?:fbi_)?ncic/{_VERSION}"),
    ("s", rf"(?:{_NIEM}|{_NIEM6})/structures/{_VERSION}"),
    ("nola", r"http://mcp\.com/nola/v/[0-9.]+"),
    ("nola-ext", r"http://mcp\.com/nola/extension/v/[0-9.]+"),
    ("ojbc", r"http://ojbc\.org/IEPD/Exchange/[\w./-]+"),
    ("ojbc-ext", r"http://ojbc\.org/IEPD/Extensions/[\w./-]+"),
    ("lexs", r"http://usdoj\.gov/leisp/lexs/[0-9.]+"),
    ("lexs", r"http://usdoj\.gov/leisp/lexs/publishdiscover/[0-9.]+"),
    ("digest", r"http://usdoj\.gov/leisp/lexs/digest/[0-9.]+"),
    ("lexslib", r"http://usdoj\.gov/leisp/lexs/library/[0-9.]+"),
    ("ndex", r"http://fbi\.gov/cjis/N-DEx/IncidentArrest/[0-9.]+"),
    ("xsi", r"http://www\.w3\.org/2001/XMLSchema-instance"),
)
_PATTERNS = tuple((prefix, re.compile(pattern + "/?")) for prefix, pattern in _RULES)

PREFIXES = tuple(dict.fromkeys(prefix for prefix, _ in _RULES))
"""Every prefix that may stand in a path."""
MAX_URI = 256
"""A longer namespace URI is nobody's we know."""


@lru_cache(maxsize=512)
def prefix_of(uri: str) -> str:
    """The short prefix of a namespace URI; empty for one we do not know."""
    if len(uri) > MAX_URI:
        return ""
    return next((prefix for prefix, pattern in _PATTERNS if pattern.fullmatch(uri)), "")


def patterns() -> tuple[tuple[str, str], ...]:
    """(prefix, regular expression of its URIs), for the documentation."""
    return _RULES
