"""How long a sender waits before it tries again: longer each time, never in step with other adapters."""

from __future__ import annotations

import random

FIRST_S = 0.5
"""Wait after the first failure."""
LONGEST_S = 60.0
"""Waits grow to this and stay there: after an outage of days an alert is at most a minute late for it."""
LONGEST_ASKED_S = 300.0
"""However long `Retry-After` asks for, no wait is longer."""
KEY_S = 60.0
"""Between looks at whether a refused key is accepted again."""

_random = random.SystemRandom()


def wait_s(failures: int) -> float:
    """Seconds after so many failures in a row (1 or more): doubled each time up to `LONGEST_S`, half of it random."""
    whole = min(FIRST_S * 2.0 ** min(failures - 1, 16), LONGEST_S)
    return whole * _random.uniform(0.5, 1.0)


def asked_s(retry_after: str) -> float:
    """Seconds that a `Retry-After` header asks for (RFC 9110 section 10.2.3, in seconds); 0 when it does not."""
    text = retry_after.strip()
    return min(float(text), LONGEST_ASKED_S) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0
