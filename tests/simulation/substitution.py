"""Puts the simulated machine in the product's way: threads, SQLite, monotonic time and randomness of `services.*`.

The product is not changed: in its modules, the names that stand for the machine are bound to simulated ones while a
run lasts.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any

import services.embedded
from ccr_events.policy import PolicyBook
from tests.simulation.disk import Disks, SimulatedSqlite
from tests.simulation.pool import SimulatedPool
from tests.simulation.scheduler import SimulatedLoop
from tests.simulation.threads import SIMULATED_THREADING

KEYS = "ccr_events.key_file"
"""The one module outside `services` that a backbone's randomness comes from."""


@contextmanager
def substituted(loop: SimulatedLoop, disks: Disks, random: Random, policies: PolicyBook) -> Iterator[None]:
    """While this lasts, `services.*` runs on the simulated machine. One run at a time in a process."""
    stand_ins: dict[int, Any] = {
        id(threading): SIMULATED_THREADING,
        id(threading.Thread): SIMULATED_THREADING.Thread,
        id(threading.Lock): SIMULATED_THREADING.Lock,
        id(threading.Condition): SIMULATED_THREADING.Condition,
        id(threading.Event): SIMULATED_THREADING.Event,
        id(ThreadPoolExecutor): SimulatedPool,
        id(sqlite3): SimulatedSqlite(disks),
        id(time.monotonic): loop.time,
        id(time.perf_counter): loop.time,
        id(os.urandom): random.randbytes,
        id(secrets.token_bytes): lambda size=32: random.randbytes(size),
        id(secrets.token_hex): lambda size=32: random.randbytes(size).hex(),
        id(services.embedded.load_policies): lambda folder=None: policies,
    }
    replaced: list[tuple[Any, str, Any]] = []
    for name, module in list(sys.modules.items()):
        if not name.startswith(("services.", KEYS)):
            continue
        for attribute, value in list(vars(module).items()):
            if (stand_in := stand_ins.get(id(value))) is not None:
                replaced.append((module, attribute, value))
                setattr(module, attribute, stand_in)
    try:
        yield
    finally:
        for module, attribute, value in replaced:
            setattr(module, attribute, value)
