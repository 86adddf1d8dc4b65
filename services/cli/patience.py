"""How long to go on when the backbone is busy, restarting or gone: bounded tries, growing waits."""

from __future__ import annotations

import random
from collections.abc import Iterator

import httpx

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 8.0
MAX_TRIES = 8
"""Tries of one request; with the waits between them about half a minute."""
LONGEST_RETRY_AFTER_S = 30.0
"""However long `Retry-After` asks for, no single wait is longer."""
BUSY = frozenset({429, 502, 503, 504})
"""Statuses that mean: the same request again, later."""
_random = random.SystemRandom()


def waits_s() -> Iterator[float]:
    """Growing waits with jitter, without end; the caller bounds how many it takes."""
    wait = FIRST_WAIT_S
    while True:
        yield wait * _random.uniform(0.75, 1.25)
        wait = min(wait * 2, LONGEST_WAIT_S)


def asked_wait_s(response: httpx.Response) -> float:
    """Seconds the backbone asks to wait (`Retry-After`, RFC 9110 section 10.2.3, in seconds); 0 when it does not."""
    text = response.headers.get("retry-after", "")
    return min(float(text), LONGEST_RETRY_AFTER_S) if text.isascii() and text.isdigit() else 0.0
