"""An adapter that publishes as fast as it can and is killed: `python -m tests.support.doomed_adapter URL SPOOL FIRST`.

Prints the number of each event once `publish` has returned. The key is in CCR_KEY.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path

from ccr_events.client import Client
from tests.support.doors import an_event


def main() -> None:
    url, spool, first = sys.argv[1:]
    with Client(url, os.environ["CCR_KEY"], spool=Path(spool)) as client:
        for number in count(int(first)):
            client.publish(an_event(number, refs=(("incident_no", f"26-{number}"),)))
            print(number, flush=True)


if __name__ == "__main__":
    main()
