"""An adapter that publishes as fast as it can and is killed: `python -m tests.support.doomed_adapter URL SPOOL FIRST`.

Prints the number of each event once `publish` has returned. The key is in CCR_KEY.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

from ccr_events.client import Client
from ccr_events.envelope import Event


def main() -> None:
    url, spool, first = sys.argv[1:]
    with Client(url, os.environ["CCR_KEY"], spool=Path(spool)) as client:
        for number in count(int(first)):
            client.publish(call(number))
            print(number, flush=True)


def call(number: int) -> Event:
    return Event(
        id=str(UUID(int=number)),
        source="/sample-county/cad",
        type="call.dispatched",
        occurred_at=datetime(2026, 3, 1, 22, 0, tzinfo=UTC),
        data={"references": [{"kind": "cad_no", "number": f"26-{number}"}]},
    )


if __name__ == "__main__":
    main()
