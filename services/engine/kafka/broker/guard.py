"""Brokers of a program end with it, even when it is killed: a test run cut off must not leave Java behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_WAIT_THEN_STOP = """
import asyncio, sys
from pathlib import Path
sys.stdin.buffer.read()
from services.engine.kafka.broker.running import stop
asyncio.run(stop(Path(sys.argv[1])))
"""


@asynccontextmanager
async def stopped_with_us(directory: Path, python: str) -> AsyncIterator[None]:
    """While inside, another process waits for ours to end in whatever way, and then stops the directory's cluster."""
    guard = await asyncio.create_subprocess_exec(
        python,
        "-c",
        _WAIT_THEN_STOP,
        await asyncio.to_thread(os.path.abspath, directory),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(__file__).parents[4],
    )
    try:
        yield
    finally:
        guard.kill()
        await guard.wait()
