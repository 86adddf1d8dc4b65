"""Ctrl-C for a command that waits in a library: it ends the command, whatever the library makes of it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LAST_S = 3.0
"""How long the command may take to end after Ctrl-C."""
STATUS = 130
"""Exit status of a command that was interrupted, as shells have it."""


@contextmanager
def ends_at_ctrl_c() -> Iterator[None]:
    """Meanwhile Ctrl-C raises `KeyboardInterrupt`, as always, and ends the process when that gets lost: raised while
    something is thrown away, Python prints it and goes on waiting. Called in the main thread."""
    last: list[threading.Timer] = []

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        watch = threading.Timer(LAST_S, os._exit, (STATUS,))
        watch.daemon = True
        watch.start()
        last.append(watch)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        for watch in last:
            watch.cancel()
