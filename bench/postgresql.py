"""A PostgreSQL of its own for a measurement, from the machine's package, with the disk waited for as in real use."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_DEBIAN = Path("/usr/lib/postgresql")


class NoPostgresql(RuntimeError):
    """There is none on this machine; says what to do."""


@contextmanager
def postgresql(data: Path | None, *databases: str) -> Iterator[list[str]]:
    """Run a server that is reached by a socket only, its files under `data`; gives the address of each database.

    Raises `NoPostgresql`.
    """
    programs = _programs()
    as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # it refuses to run as root
    with TemporaryDirectory(prefix="ccr-bench-pg-", dir=data) as temporary:
        home = Path(temporary)
        if as_owner:
            shutil.chown(home, "postgres")

        def run(program: str, *arguments: str) -> None:
            command = [*as_owner, str(programs / program), *arguments]
            subprocess.run(command, check=True, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        files = str(home / "data")
        run("initdb", "-D", files, "-U", "ccr", "-A", "trust", "--locale=C.UTF-8")
        options = f"-k {home} -c listen_addresses=''"
        run("pg_ctl", "-D", files, "-w", "-o", options, "-l", str(home / "log"), "start")
        try:
            for name in databases:
                run("createdb", "-h", str(home), "-U", "ccr", name)
            yield [f"postgresql://ccr@/{name}?host={home}" for name in databases]
        finally:
            run("pg_ctl", "-D", files, "-w", "-m", "immediate", "stop")


def _programs() -> Path:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(_DEBIAN.glob("*/bin"), key=lambda each: int(each.parent.name))
    if not installed:
        raise NoPostgresql(
            "PostgreSQL is not installed here: apt-get install postgresql, or leave it out: --only sqlite"
        )
    return installed[-1]
