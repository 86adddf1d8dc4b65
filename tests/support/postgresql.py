"""A PostgreSQL of its own for a test run, from the Debian package; the machine's own databases are not touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: int(found.parent.name))
HINT = "PostgreSQL is not installed here: apt-get install postgresql"


def programs() -> Path:
    """Where `initdb` and `pg_ctl` are; skips the test where there are none, and fails it in CI."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    if _DEBIAN:
        return _DEBIAN[-1]
    if os.environ.get("CI"):
        pytest.fail(HINT)
    pytest.skip(HINT)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server that is reached by a socket only; gives its address."""
    bin_ = programs()
    as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # it refuses to run as root
    with TemporaryDirectory(prefix="ccr-pg-") as temporary:
        home = Path(temporary)
        if as_owner:
            shutil.chown(home, "postgres")
        data, socket = home / "data", home
        subprocess.run(
            [*as_owner, bin_ / "initdb", "-D", data, "-U", "ccr", "-A", "trust", "-N", "--locale=C.UTF-8"],
            check=True,
            capture_output=True,
            cwd=home,
        )
        control = [*as_owner, bin_ / "pg_ctl", "-D", data, "-w"]
        options = f"-k {socket} -c listen_addresses='' -c fsync=off"
        subprocess.run(
            [*control, "-o", options, "-l", home / "log", "start"], check=True, cwd=home, stdout=subprocess.DEVNULL
        )
        try:
            yield f"postgresql://ccr@/postgres?host={socket}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd=home, stdout=subprocess.DEVNULL)
