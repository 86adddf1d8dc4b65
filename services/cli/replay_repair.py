"""Cases written anew: by the service that runs on the data directory, or here when none does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from ccr_events.core.rules import Policies
    from services.cli.client import Client

Progress = Callable[[int, int], None]
"""(cases done, cases in all)."""


def repair(
    data: Path,
    cases: Sequence[str],
    policies: Callable[[], Policies],
    key: str | None,
    progress: Progress,
    *,
    strays: bool,
) -> None:
    """Write the cases anew. Raises `Refused` or an error of the engine that says what to do."""
    from services.casebook.refold import refold_directory
    from services.cli.connection import connect
    from services.cli.local import read_server
    from services.cli.patience import BUSY

    if read_server(data) is not None:
        with connect(data, None, key, "ccr") as client:
            if _answers(client):
                _by_service(client, cases, progress, BUSY, strays=strays)
                return
    refold_directory(data, cases, policies(), lambda: datetime.now(UTC), strays=strays, progress=progress)


def _answers(client: Client) -> bool:
    """Whether a service is there: the file that tells of it outlives a crash."""
    import httpx

    try:
        client.http.get("/healthz")
    except httpx.TransportError:
        return False
    return True


def _by_service(
    client: Client, cases: Sequence[str], progress: Progress, busy: frozenset[int], *, strays: bool
) -> None:
    from services.casebook.refold import MAX_CASES
    from services.cli.answers import checked
    from services.cli.patience import MAX_TRIES, asked_wait_s, waits_s

    for first in range(0, len(cases), MAX_CASES):
        some = list(cases[first : first + MAX_CASES])
        body = orjson.dumps({"case_ids": some, "strays": strays and first == 0})
        for tried, wait_s in enumerate(waits_s(), 1):
            response = client.http.post(
                "/v1/operations/refold", content=body, headers={"content-type": "application/json"}, timeout=600.0
            )
            if response.status_code not in busy or tried == MAX_TRIES:
                break
            client.sleep(max(wait_s, asked_wait_s(response)))
        checked(response)
        progress(first + len(some), len(cases))
