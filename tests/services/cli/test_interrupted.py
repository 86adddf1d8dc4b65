"""Ctrl-C ends a command also where a library swallows it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SWALLOWS = """
import time
from services.cli.interrupted import ends_at_ctrl_c
with ends_at_ctrl_c():
    try:
        print("waiting", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
    time.sleep({more})
"""


@pytest.mark.parametrize(("more", "status"), [(60, 130), (0, 0)], ids=["swallowed", "ended in time"])
def test_ctrl_c_ends_it(more: int, status: int) -> None:
    with subprocess.Popen([sys.executable, "-c", SWALLOWS.format(more=more)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == status
